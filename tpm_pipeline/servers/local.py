"""The local server as the pipeline sees it: a folder, read directly."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit
from uuid import uuid4

from tpm_pipeline.errors import ServerError
from tpm_pipeline.paths import replacing
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
from tpm_pipeline.servers import local_entities, local_files, local_forms, local_submissions
from tpm_pipeline.servers.base import Lists, Progress, silent
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.payload import SYSTEM

_OF_NO_USE = {"", None, "localhost", "127.0.0.1", "0.0.0.0", "::", "::1"}  # noqa: S104 - refused as a phone's address
_STATES = ("received", "edited", "has_issues", "rejected", "approved")

DIALECT = Dialect(
    name="local",
    submission_id=f"$.{SYSTEM}.submissionId",
    instance_id=f"$.{SYSTEM}.instanceId",
    form_version=f"$.{SYSTEM}.formVersion",
    submitted_at=f"$.{SYSTEM}.submittedAt",
    updated_at=f"$.{SYSTEM}.updatedAt",
    review_state=f"$.{SYSTEM}.reviewState",
    deleted_at=f"$.{SYSTEM}.deletedAt",
    system=(SYSTEM,),
    review_states={state: state for state in _STATES},
)


class LocalServer:
    """Forms and submissions kept in a folder of this machine."""

    name = "local"
    dialect = listing = DIALECT
    sweep_every = timedelta(hours=24)
    has_comments = False

    def __init__(self, folder: Path, address: str = "", token: str = "") -> None:
        self._store = Store(folder)
        self._address, self._token = address, token

    def plan(self, forms: Sequence[CompiledForm], access: Access = NOBODY) -> list[Change]:
        """Say what `deploy` would change, changing nothing."""
        return local_forms.plan(self._store, forms, access.retired)

    def deploy(
        self,
        forms: Sequence[CompiledForm],
        access: Access = NOBODY,
        *,
        force: bool = False,  # noqa: ARG002 - nobody changes its forms by hand
        progress: Progress = silent,  # noqa: ARG002 - it takes a moment
    ) -> list[Change]:
        """Publish these forms, all of them or none; a second call does nothing. Whoever has the token may fill all."""
        return local_forms.deploy(self._store, forms, access.retired)

    def share(self, lists: Lists, *, progress: Progress = silent) -> list[Change]:  # noqa: ARG002
        """Nothing: submissions write the entity lists that phones look into."""
        return []

    def phones(self, access: Access) -> list[Door]:
        """The one address of this server, for each declared phone."""
        if urlsplit(self._address).hostname in _OF_NO_USE:
            cause = f"Phones cannot reach {self._address}."
            raise ServerError("SRV-123", self.name, cause, "Make TPM_SERVE_HOST this machine's address in the network.")
        url = f"{self._address}/key/{quote(self._token, safe='')}" if self._token else self._address
        return [Door(office, device, url) for office, devices in access.phones.items() for device in devices]

    def desks(self, access: Access) -> list[Door]:
        """None: a desk fills forms in a browser on Central only."""
        del access
        return []

    def versions(self, form_id: str) -> list[FormVersion]:
        """Every deployed version of a form, oldest first; empty when the form is unknown."""
        return local_forms.versions(self._store, form_id)

    def current(self) -> Mapping[str, tuple[str, ...]]:
        """The version of each published form that phones get now."""
        return {form.form_id: (form.version,) for form in local_forms.published(self._store)}

    def link(self, form_id: str, submission_id: str) -> str:
        """The page on which a person reads a submission, while `tpm serve` runs."""
        return f"{self._address}/submissions/{quote(form_id, safe='')}/{quote(submission_id, safe='')}"

    def pull(self, form_id: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield one page with what is new or edited since a cursor, or nothing when nothing is."""
        if not local_forms.versions(self._store, form_id):
            raise local_forms.unknown_form(form_id)
        position, count = self._position(since), 0
        target = folder / f"local-{uuid4().hex}.json"
        with _explained(folder), replacing(target) as draft, draft.open("wb") as page:
            for seq, row in local_submissions.rows(self._store, form_id, position):
                page.write(b",\n" if count else b"[")
                page.write(row)
                position, count = seq, count + 1
            page.write(b"]")
        if count:
            yield Page(target, count, f"{self._store.id} {position}")
        else:
            target.unlink()

    def fetch(self, form_id: str, ids: Sequence[str], folder: Path) -> Iterator[Page]:  # noqa: ARG002
        """Yield at least these submissions, as they are now: reading all is as quick."""
        for page in self.pull(form_id, None, folder):
            yield replace(page, cursor=None)

    def sweep(self, form_id: str, seen: str | None, folder: Path) -> Sweep | None:  # noqa: ARG002
        """Nothing: the cursor of a store misses nothing, as its `seq` is the order of its commits."""
        return None

    def attachments(self, instance: Instance) -> list[AttachmentName]:
        """The files that came with this version of a submission, so far."""
        return local_files.names(self._store, instance)

    def attachment(self, instance: Instance, name: str, target: Path, known: StoredFile | None) -> StoredFile | None:
        """Copy one of these files to `target`, unless it still is the `known` one; None when it is not there."""
        with _explained(target.parent):
            return local_files.save(self._store, instance, name, target, known)

    def comments(self, form_id: str, submission_id: str) -> list[Comment]:  # noqa: ARG002
        """None: nobody reviews here."""
        return []

    def entity_lists(self) -> list[str]:
        """The entity lists that have entities, by name."""
        return local_entities.lists(self._store)

    def entities(self, name: str, since: str | None, folder: Path) -> Iterator[Page]:  # noqa: ARG002
        """Yield one page of every entity of the list: reading all is as quick."""
        target = folder / f"entities-{uuid4().hex}.json"
        with _explained(folder):
            count = local_entities.states(self._store, name, target)
        yield Page(target, count, self._store.id)

    def entity_versions(self, name: str, entity_id: str) -> list[EntityVersion]:
        """The entity as it is: no former version is kept here."""
        return local_entities.versions(self._store, name, entity_id)

    def _position(self, cursor: str | None) -> int:
        if cursor is None:
            return 0
        store, _, seq = cursor.partition(" ")
        if store == self._store.id and seq.isdecimal() and int(seq) <= local_submissions.last_seq(self._store):
            return int(seq)
        cause = f"The position «{cursor}» is not one of this store: was its folder replaced?"
        raise ServerError("SRV-116", "local", cause, "Put the former folder back, or rebuild the warehouse.")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        cause = f"What was pulled cannot be written: {error.strerror}."
        remedy = "Make room or check who may write there, then pull again: nothing was lost."
        raise ServerError("SRV-121", str(folder), cause, remedy) from None
