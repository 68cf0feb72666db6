"""ODK Central: a project of a server, forms deployed to it, submissions pulled from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import orjson

from tpm_pipeline.errors import ServerError
from tpm_pipeline.paths import replacing
from tpm_pipeline.records import Change, CompiledForm, Dialect, FormVersion, Page
from tpm_pipeline.servers import central_forms, central_lists, central_page
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.http import expect

# Central stamps a row when its transaction writes it, and shows it when the transaction ends: with large
# attachments minutes later, behind rows already seen.
OVERLAP = timedelta(minutes=10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DIALECT = Dialect(
    name="central",
    submission_id="$.__id",
    instance_id="$.meta.instanceID",
    form_version="$.__system.formVersion",
    submitted_at="$.__system.submissionDate",
    updated_at="$.__system.updatedAt",
    review_state="$.__system.reviewState",
    deleted_at="$.__system.deletedAt",
    system=("__system",),
    review_states={
        "": "received",
        "edited": "edited",
        "hasIssues": "has_issues",
        "rejected": "rejected",
        "approved": "approved",
    },
)


@dataclass(frozen=True)
class AppUser:
    """Someone who fills forms with Collect. `url` is the OpenRosa address to give it: whoever has it can submit."""

    display_name: str
    url: str = field(repr=False)


class CentralServer:
    """A project of ODK Central, created by the first deployment when it is missing."""

    dialect = DIALECT

    def __init__(self, url: str, email: str, password: str, project: str, timeout_s: float) -> None:
        self._api = CentralApi(url, email, password, timeout_s)
        self._project = project
        self.name = f"central {self._api.where} «{project}»"

    def plan(self, forms: Sequence[CompiledForm]) -> list[Change]:
        """Say what `deploy` would change, changing nothing."""
        project = self._find_project()
        created = [Change("create", f"project «{self._project}»")] if project is None else []
        return created + [central_forms.change(self._api, project, form) for form in central_forms.in_order(forms)]

    def deploy(self, forms: Sequence[CompiledForm]) -> list[Change]:
        """Make the project hold these forms, published; what an interrupted call left is finished."""
        changes = self.plan(forms)
        project = self._find_project() or int(self._api.post("/projects", {"name": self._project})["id"])
        for form in central_forms.in_order(forms):
            if central_forms.change(self._api, project, form).action != "none":
                central_lists.seed(self._api, project, form)
                central_forms.publish(self._api, project, form)
        return changes

    def versions(self, form_id: str) -> list[FormVersion]:
        """Every published version of a form, oldest first; empty when the form is unknown."""
        project = self._find_project()
        return [] if project is None else central_forms.versions(self._api, project, form_id)

    def link(self, form_id: str, submission_id: str) -> str:
        """The page on which a person reads a submission; opening it asks who they are."""
        here = address("projects", self._known_project(), "forms", form_id, "submissions", submission_id)
        return f"{self._api.url}{here}"

    def pull(self, form_id: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield one page with what is new, edited, reviewed or deleted since a cursor, or nothing when nothing is."""
        unknown = self._not_deployed(f"There is no published form «{form_id}».")
        project, latest = self._find_project(), _latest(since)
        if project is None:
            raise unknown
        # One answer without `$top`: Central reads it from one consistent query, and 20 pages cost half as much again.
        query = {"$expand": "*", "$count": "true", "$filter": _since(latest)}
        target = folder / f"central-{uuid4().hex}.json"
        here = address("projects", project, "forms", f"{form_id}.svc", "Submissions")
        with self._api.stream(here, query, tolerate=("404.1",)) as answer, replacing(target) as draft:
            if answer.status != 200:  # noqa: PLR2004 - anything else here is the tolerated 404.1
                raise unknown
            expect(answer.where, answer.media_type, "application/json")
            tally = central_page.save(answer.where, answer.chunks, draft)
        if tally.rows:
            yield Page(target, tally.rows, _cursor(tally.latest))
        else:
            target.unlink()

    def app_user(self, display_name: str) -> AppUser:
        """An app user allowed to fill every form of the project; the one of that name when there is one."""
        project = self._known_project()
        users = address("projects", project, "app-users")
        known = [user for user in self._api.get(users) if user["displayName"] == display_name and user["token"]]
        user = known[0] if known else self._api.post(users, {"displayName": display_name})
        self._allow(project, int(user["id"]))
        return AppUser(display_name, f"{self._api.url}/v1/key/{user['token']}/projects/{project}")

    def _allow(self, project: int, user: int) -> None:
        for form in self._api.get(address("projects", project, "forms")):
            here = address("projects", project, "forms", form["xmlFormId"], "assignments", "app-user", user)
            self._api.post(here, tolerate=("409.3",))

    def _known_project(self) -> int:
        project = self._find_project()
        if project is None:
            raise self._not_deployed(f"There is no project «{self._project}».")
        return project

    def _find_project(self) -> int | None:
        found = [int(project["id"]) for project in self._api.get("/projects") if project["name"] == self._project]
        if len(found) > 1:
            cause = f"{len(found)} projects are called «{self._project}»."
            raise ServerError("SRV-018", self._api.where, cause, "Rename all but one in Central.")
        return found[0] if found else None

    def _not_deployed(self, cause: str) -> ServerError:
        return ServerError("SRV-014", self.name, cause, "Deploy the forms first (tpm deploy).")


def _since(latest: datetime) -> str:
    # Three clauses: updatedAt is null until the first edit, a deletion does not touch it, and naming deletedAt
    # is what makes Central show deleted rows at all.
    start = latest if latest == _EPOCH else latest - OVERLAP
    stamp = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return " or ".join(f"__system/{name} ge {stamp}" for name in ("submissionDate", "updatedAt", "deletedAt"))


def _cursor(latest: str) -> str:
    # The latest timestamp among the rows seen, not a clock of ours or of a proxy: it is the database's own, the one
    # the filter compares with, so no two clocks can disagree.
    return orjson.dumps({"latest": latest}).decode()


def _latest(cursor: str | None) -> datetime:
    if cursor is None:
        return _EPOCH
    try:
        return datetime.fromisoformat(orjson.loads(cursor)["latest"])
    except (ValueError, KeyError, TypeError):
        cause = "The place where the last pull ended is not one that Central gave."
        raise ServerError("SRV-019", "central", cause, "Rebuild the warehouse's raw tables.") from None
