"""The local server as the pipeline sees it: a folder, read directly."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from tpm_pipeline.errors import ServerError
from tpm_pipeline.paths import replacing
from tpm_pipeline.records import Change, CompiledForm, Dialect, FormVersion, Page
from tpm_pipeline.servers import local_forms, local_submissions
from tpm_pipeline.servers.local_payload import SYSTEM
from tpm_pipeline.servers.local_store import Store

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
    dialect = DIALECT

    def __init__(self, folder: Path, address: str = "") -> None:
        self._store = Store(folder)
        self._address = address

    def plan(self, forms: Sequence[CompiledForm]) -> list[Change]:
        """Say what `deploy` would change, changing nothing."""
        return local_forms.plan(self._store, forms)

    def deploy(self, forms: Sequence[CompiledForm]) -> list[Change]:
        """Publish these forms, all of them or none; a second call does nothing."""
        return local_forms.deploy(self._store, forms)

    def versions(self, form_id: str) -> list[FormVersion]:
        """Every deployed version of a form, oldest first; empty when the form is unknown."""
        return local_forms.versions(self._store, form_id)

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
