"""KoboToolbox: forms deployed as assets of one account, submissions pulled from them."""

from collections.abc import Iterator, Mapping, Sequence
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
from tpm_pipeline.servers import kobo_assets, kobo_deploy, kobo_forms, kobo_lists, kobo_rows
from tpm_pipeline.servers.base import Lists, Progress, not_deployed, refuse_drift, silent
from tpm_pipeline.servers.kobo_api import KoboApi, out_of_sight
from tpm_pipeline.servers.kobo_assets import Asset, Assets
from tpm_pipeline.servers.kobo_doors import desks, phones
from tpm_pipeline.servers.kobo_files import Files
from tpm_pipeline.servers.kobo_rows import Reader
from tpm_pipeline.servers.steps import shown

DIALECT = Dialect(
    name="kobo",
    submission_id=f'$."{kobo_rows.SUBMISSION}"',
    instance_id=f'$."{kobo_rows.INSTANCE}"',
    form_version="$.__version__",
    submitted_at=f"$.{kobo_rows.SENT}",
    # It tells of no time but the first.
    updated_at="$.__updated_at",
    review_state=f"$.{kobo_rows.REVIEW}.uid",
    # What is deleted is gone.
    deleted_at="$.__deleted_at",
    system=(),
    review_states={
        "": "received",
        "validation_status_on_hold": "has_issues",
        "validation_status_not_approved": "rejected",
        "validation_status_approved": "approved",
    },
    # Every edit has an identifier of its own, under one name or another; files come and go without one. What was
    # deleted and sent again is another row, and the time of a back-dated one moves by the server's zone.
    content=(
        "$._id",
        "$._uuid",
        f"$.{kobo_rows.SENT}",
        f'$."{kobo_rows.INSTANCE}"',
        f"$.{kobo_rows.FILES}[*].uid",
        f"$.{kobo_rows.FILES}[*].is_deleted",
    ),
    attachments=f"$.{kobo_rows.FILES}",
    corrected=f'$."{kobo_rows.CORRECTED}"',
    flat=True,
    keeps_files=False,
    rank="$._id",
)


class KoboServer:
    """The forms of one project, among all that an account of KoboToolbox sees."""

    dialect = listing = DIALECT
    # Nothing else tells of an edit, a review or a deletion.
    sweep_every = timedelta(0)
    has_comments = False

    def __init__(self, url: str, token: str, project: str, timeout_s: float) -> None:
        if '"' in project:
            raise ServerError("SRV-069", "TPM_KOBO_PROJECT", "A project's name holds a quote.", "Leave it out.")
        self._api = KoboApi(url, token, timeout_s)
        self._assets, self._project = Assets(self._api, project), project
        self._files = Files(self._api)
        self._listed: list[Asset] = []
        self._pulled: set[str] = set()
        self.name = f"kobo {self._api.where} «{project}»"

    def plan(self, forms: Sequence[CompiledForm], access: Access = NOBODY) -> list[Change]:
        """Say what `deploy` would change, changing nothing."""
        return shown(kobo_deploy.steps(self._api, self._all(), forms, access))

    def deploy(
        self,
        forms: Sequence[CompiledForm],
        access: Access = NOBODY,
        *,
        force: bool = False,
        progress: Progress = silent,
    ) -> list[Change]:
        """Make the account hold these forms and let these people in; what an interrupted call left is finished."""
        assets = self._all()
        steps = kobo_deploy.steps(self._api, assets, forms, access)
        changes = shown(steps)
        if not force:
            refuse_drift(self.name, changes)
        ground = kobo_forms.ground(self._project, assets)
        for step in steps:
            progress(step.change.what)
            step.do(ground)
        return changes

    def share(self, lists: Lists, *, progress: Progress = silent) -> list[Change]:
        """Give phones these lists as they are now."""
        # To make them takes a while, in which somebody may deploy.
        made = lists()
        assets = self._all()
        return kobo_lists.share(self._api, assets, made, kobo_forms.ground(self._project, assets), progress)

    def phones(self, access: Access) -> list[Door]:
        """The address of phones, and with which account each office signs in."""
        return [*phones(self._api, self._list(), access)]

    def desks(self, access: Access) -> list[Door]:
        """The address of each declared desk's form in a browser."""
        return [*desks(self._api, self._list(), access)]

    def versions(self, form_id: str) -> list[FormVersion]:
        """Every deployed version of a form, oldest first; empty when the form is unknown."""
        return self._assets.versions(form_id, kobo_assets.of(self._list(), form_id))

    def current(self) -> Mapping[str, tuple[str, ...]]:
        """The versions of each form that phones got last, archived or not: an office's form has its own."""
        found: dict[str, tuple[str, ...]] = {}
        for asset in self._list():
            found[asset.form_id] = (*found.get(asset.form_id, ()), str(asset.deployed))
        return found

    def link(self, form_id: str, submission_id: str) -> str:
        """The table in which a person finds a submission, as it has no page of its own."""
        assets = self._of(form_id)
        found = next((asset for asset in assets if self._files.row(asset, submission_id)), assets[0])
        return f"{self._api.url}/#/forms/{found.uid}/data/table"

    def pull(self, form_id: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield what is new since a cursor; of what was edited, reviewed or deleted only a sweep tells."""
        # What the list says of a form's submissions holds for one pull.
        if form_id in self._pulled:
            self._list()
        if since and not self._find(form_id):
            raise out_of_sight(f"{form_id} · {self._api.where}")
        reader = self._reader(form_id, folder)
        self._pulled.add(form_id)
        yield from reader.pull(since)

    def fetch(self, form_id: str, ids: Sequence[str], folder: Path) -> Iterator[Page]:
        """Yield these submissions, as they are now; those that are gone do not come."""
        yield from self._reader(form_id, folder).fetch(ids)

    def sweep(self, form_id: str, seen: str | None, folder: Path) -> Sweep | None:
        """List every submission with its state."""
        return self._reader(form_id, folder).sweep(seen)

    def attachments(self, instance: Instance) -> list[AttachmentName] | None:
        """The files that are there; None when the submission was edited or deleted since."""
        return self._files.names(instance, self._of(instance.form_id))

    def attachment(self, instance: Instance, name: str, target: Path, known: StoredFile | None) -> StoredFile | None:
        """Write one of these files to `target`, unless it still is the `known` one; None when it is not there."""
        return self._files.save(instance, name, self._of(instance.form_id), target, known)

    def comments(self, form_id: str, submission_id: str) -> list[Comment]:  # noqa: ARG002
        """None: it keeps reviewers' notes to itself."""
        return []

    def entity_lists(self) -> list[str]:
        """None: its lists are files of the forms."""
        return []

    def entities(self, name: str, since: str | None, folder: Path) -> Iterator[Page]:  # noqa: ARG002
        """Nothing: it has no entities."""
        return iter(())

    def entity_versions(self, name: str, entity_id: str) -> list[EntityVersion]:  # noqa: ARG002
        """None."""
        return []

    def _all(self) -> list[Asset]:
        assets = self._assets.all()
        kobo_assets.refuse_doubles(self._api.where, assets)
        return assets

    def _list(self) -> list[Asset]:
        """Ask for the deployed forms, all at once."""
        self._listed, self._pulled = [asset for asset in self._all() if asset.deployed], set()
        return self._listed

    def _of(self, form_id: str) -> list[Asset]:
        found = self._find(form_id)
        if not found:
            raise not_deployed(self.name, f"There is no deployed form «{form_id}».")
        return found

    def _find(self, form_id: str) -> list[Asset]:
        return kobo_assets.of(self._listed, form_id) or kobo_assets.of(self._list(), form_id)

    def _reader(self, form_id: str, folder: Path) -> Reader:
        return Reader(self._api, self._of(form_id), folder)
