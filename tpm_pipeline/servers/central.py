"""ODK Central: a project of a server, forms deployed to it, submissions pulled from it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import (
    NOBODY,
    Access,
    AttachmentName,
    Change,
    Comment,
    CompiledForm,
    Dialect,
    Door,
    EntityVersion,
    FormVersion,
    Instance,
    Page,
    StoredFile,
    Sweep,
)
from tpm_pipeline.servers import central_access, central_deploy, central_forms
from tpm_pipeline.servers.base import Lists, Progress, not_deployed, refuse_drift, silent
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_complete import Completer, FormPlace
from tpm_pipeline.servers.central_entities import Entities
from tpm_pipeline.servers.central_files import Files
from tpm_pipeline.servers.central_rows import Reader
from tpm_pipeline.servers.central_sealed import NO_KEYS, Keys, Unsealer
from tpm_pipeline.servers.central_sealed_files import SealedFiles
from tpm_pipeline.servers.central_steps import Step
from tpm_pipeline.servers.central_versions import Shapes
from tpm_pipeline.servers.steps import shown

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
    # What an instanceID holds never changes; how Central writes it does, with every version of the form.
    content=("$.meta.instanceID", "$.__system.edits", "$.__system.status"),
    sealed="$.__system.status",
    attachments="$.__system.attachmentsExpected",
)
LISTING = replace(
    DIALECT,
    submission_id="$.instanceId",
    instance_id="$.currentVersion.instanceId",
    review_state="$.reviewState",
    deleted_at="$.deletedAt",
    content=(),
)


@dataclass(frozen=True)
class AppUser:
    """Someone who fills forms with Collect. `url` is the OpenRosa address to give it: whoever has it can submit."""

    display_name: str
    url: str = field(repr=False)


class CentralServer:
    """A project of ODK Central, created by the first deployment when it is missing."""

    dialect, listing = DIALECT, LISTING
    sweep_every = timedelta(hours=24)
    has_comments = True

    def __init__(
        self, url: str, email: str, password: str, project: str, timeout_s: float, *, keys: Keys = NO_KEYS
    ) -> None:
        self._api = CentralApi(url, email, password, timeout_s)
        self._project, self._keys = project, keys
        self._sealed_files = SealedFiles(self._api, keys)
        self._project_id: int | None = None
        self._current: Mapping[str, tuple[str, ...]] = {}
        self._shapes = Shapes()
        self.name = f"central {self._api.where} «{project}»"

    def plan(self, forms: Sequence[CompiledForm], access: Access = NOBODY) -> list[Change]:
        """Say what `deploy` would change, changing nothing."""
        project = self._find_project()
        return self._changes(project, central_deploy.steps(self._api, project, forms, access))

    def deploy(
        self,
        forms: Sequence[CompiledForm],
        access: Access = NOBODY,
        *,
        force: bool = False,
        progress: Progress = silent,
    ) -> list[Change]:
        """Make the project hold these forms and let these people in; what an interrupted call left is finished."""
        found = self._find_project()
        steps = central_deploy.steps(self._api, found, forms, access)
        changes = self._changes(found, steps)
        if not force:
            refuse_drift(self.name, changes)
        self._current = {}
        project = found or int(self._api.post("/projects", {"name": self._project})["id"])
        for step in steps:
            progress(step.change.what)
            step.do(project)
        return changes

    def _changes(self, project: int | None, steps: Sequence[Step]) -> list[Change]:
        created = [Change("create", f"project «{self._project}»")] if project is None else []
        return created + shown(steps)

    def share(self, lists: Lists, *, progress: Progress = silent) -> list[Change]:  # noqa: ARG002
        """Nothing: submissions write the entity lists that phones look into."""
        return []

    def phones(self, access: Access) -> list[Door]:
        """The address of each declared phone: a secret."""
        return [*central_access.phones(self._api, self._known_project(), access)]

    def desks(self, access: Access) -> list[Door]:
        """The address of each declared desk's form in a browser: a secret."""
        return [*central_access.desks(self._api, self._known_project(), access)]

    def versions(self, form_id: str) -> list[FormVersion]:
        """Every published version of a form, oldest first; empty when the form is unknown."""
        project = self._find_project()
        return [] if project is None else central_forms.versions(self._api, project, form_id)

    def link(self, form_id: str, submission_id: str) -> str:
        """The page on which a person reads a submission; opening it asks who they are."""
        here = address("projects", self._known_project(), "forms", form_id, "submissions", submission_id)
        return f"{self._api.url}{here}"

    def current(self) -> Mapping[str, tuple[str, ...]]:
        """The version of each published form that phones get now."""
        project = self._project_id or self._find_project()
        forms = [] if project is None else self._api.get(address("projects", project, "forms"), tolerate=("404.1",))
        if forms is None:
            self._project_id = None  # somebody deleted it: another may have its name by now
            return self.current()
        self._project_id = project
        self._current = {str(form["xmlFormId"]): (str(form["version"] or ""),) for form in forms if form["publishedAt"]}
        return self._current

    def pull(self, form_id: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield one page with what is new, edited, reviewed or deleted since a cursor, or nothing when nothing is."""
        with self._forgetful():
            yield from self._reader(form_id, folder).pull(since, self._completer(form_id))

    def fetch(self, form_id: str, ids: Sequence[str], folder: Path) -> Iterator[Page]:
        """Yield at least these submissions, as they are now, deleted ones too; those that are gone do not come."""
        with self._forgetful():
            yield from self._reader(form_id, folder).fetch(ids, self._completer(form_id))

    def sweep(self, form_id: str, seen: str | None, folder: Path) -> Sweep | None:
        """List every submission with its state; nothing when the listing of this cursor still holds."""
        return self._reader(form_id, folder).sweep(seen)

    def attachments(self, instance: Instance) -> list[AttachmentName] | None:
        """The files that belong to this version of a submission; None when it was deleted."""
        return self._files().names(instance)

    def attachment(self, instance: Instance, name: str, target: Path, known: StoredFile | None) -> StoredFile | None:
        """Write one of these files to `target`, unless it still is the `known` one; None when it is not there."""
        return self._files().save(instance, name, target, known)

    def comments(self, form_id: str, submission_id: str) -> list[Comment]:
        """What reviewers wrote beside a submission, oldest first; none when it was deleted."""
        return self._files().comments(form_id, submission_id)

    def entity_lists(self) -> list[str]:
        """The entity lists of the project, by name."""
        return self._entities().lists()

    def entities(self, name: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield one page of the list's entities that changed since a cursor; all of them without one."""
        yield from self._entities().changed(name, since, folder)

    def entity_versions(self, name: str, entity_id: str) -> list[EntityVersion]:
        """Every version of an entity, oldest first; of a deleted one the last."""
        return self._entities().versions(name, entity_id)

    @contextmanager
    def _forgetful(self) -> Iterator[None]:
        """Know nothing of the server any more once something went wrong."""
        try:
            yield
        except ServerError:
            self._current, self._project_id = {}, None
            raise

    def _reader(self, form_id: str, folder: Path) -> Reader:
        if form_id not in self._current and form_id not in self.current():
            raise not_deployed(self.name, f"There is no published form «{form_id}».")
        return Reader(self._api, self._known_project(), form_id, folder)

    def _completer(self, form_id: str) -> Completer:
        place = FormPlace(self._api, self._known_project(), form_id)
        unsealer = Unsealer(place, self._shapes, self._keys)
        return Completer(place, self._current[form_id][0], self._shapes, unsealer)

    def _files(self) -> Files:
        return Files(self._api, self._known_project(), self._sealed_files)

    def _entities(self) -> Entities:
        return Entities(self._api, self._known_project())

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
        self._project_id = self._project_id or self._find_project()
        if self._project_id is None:
            raise not_deployed(self.name, f"There is no project «{self._project}».")
        return self._project_id

    def _find_project(self) -> int | None:
        found = [int(project["id"]) for project in self._api.get("/projects") if project["name"] == self._project]
        if len(found) > 1:
            cause = f"{len(found)} projects are called «{self._project}»."
            raise ServerError("SRV-018", self._api.where, cause, "Rename all but one in Central.")
        return found[0] if found else None
