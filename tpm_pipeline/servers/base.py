"""What every kind of server can do for us: one protocol, one contract suite."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

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
    SharedList,
    StoredFile,
    Sweep,
)

Progress = Callable[[str], None]
Lists = Callable[[], Sequence[SharedList]]
"""Makes the lists when they are needed."""


def silent(_message: str) -> None:
    """Report progress to nobody."""


def refuse_drift(where: str, changes: Iterable[Change]) -> None:
    """Overwrite nobody's work unless told to."""
    if drifts := [change.what for change in changes if change.action == "drift"]:
        remedy = "If nobody needs it, deploy again with --force; otherwise bring it into forms/ or TPM_ACCESS first."
        raise ServerError("SRV-040", where, f"It was changed by hand. {'. '.join(drifts)}.", remedy)


def not_deployed(where: str, cause: str) -> ServerError:
    """The error for a form or a project that the server does not have."""
    remedy = "Deploy the forms first (tpm deploy); a retired one too, before it is retired."
    return ServerError("SRV-014", where, cause, remedy)


class Server(Protocol):
    """A place forms are deployed to and submissions pulled from.

    Every method raises `ServerError`, or `ServerUnavailableError` when trying again can help.
    """

    name: str
    """Identifies the server in raw tables: kind and address, never a secret."""

    dialect: Dialect

    listing: Dialect
    """How a sweep writes the state of a submission; the other paths are those of `dialect`."""

    has_comments: bool
    """Whether reviewers' comments can be asked for."""

    sweep_every: timedelta
    """How long two sweeps of a form are apart, unless a setting says so: nothing where only they find edits."""

    def plan(self, forms: Sequence[CompiledForm], access: Access = NOBODY) -> list[Change]:
        """Say what `deploy` would change, changing nothing; first what a hand changed since the last deployment."""
        ...

    def deploy(
        self,
        forms: Sequence[CompiledForm],
        access: Access = NOBODY,
        *,
        force: bool = False,
        progress: Progress = silent,
    ) -> list[Change]:
        """Make the server hold these forms, published, and let these people in; a second call does nothing.

        What a hand changed on the server is refused before anything is sent, or overwritten with `force`.
        """
        ...

    def share(self, lists: Lists, *, progress: Progress = silent) -> list[Change]:
        """Give phones these lists as they are now; nothing where the server itself keeps them up to date."""
        ...

    def phones(self, access: Access) -> list[Door]:
        """The address of each declared phone: a secret."""
        ...

    def desks(self, access: Access) -> list[Door]:
        """The address of each declared desk's form in a browser: a secret."""
        ...

    def versions(self, form_id: str) -> list[FormVersion]:
        """Every deployed version of a form, oldest first; empty when the form is unknown."""
        ...

    def link(self, form_id: str, submission_id: str) -> str:
        """The page on which a person reads a submission; opening it asks who they are."""
        ...

    def pull(self, form_id: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield what is new, edited, reviewed or deleted since a cursor, as files in `folder`.

        A page is yielded only when it is complete; it may come in parts, of which the last has the cursor.
        Rows may come again; none may be missed.
        """
        ...

    def current(self) -> Mapping[str, tuple[str, ...]]:
        """The versions of each published form that phones get now: several where an office has its own."""
        ...

    def fetch(self, form_id: str, ids: Sequence[str], folder: Path) -> Iterator[Page]:
        """Yield at least these submissions, as they are now, deleted ones too; those that are gone do not come."""
        ...

    def sweep(self, form_id: str, seen: str | None, folder: Path) -> Sweep | None:
        """List every submission with its state, cheaply: what a cursor cannot find shows there.

        None when the listing whose cursor is `seen` still holds.
        """
        ...

    def attachments(self, instance: Instance) -> list[AttachmentName] | None:
        """The files that belong to this version of a submission; None when the server has it no more."""
        ...

    def attachment(self, instance: Instance, name: str, target: Path, known: StoredFile | None) -> StoredFile | None:
        """Write one of these files to `target`; None when it is not there.

        When it still is the `known` one, that is returned and nothing written.
        """
        ...

    def comments(self, form_id: str, submission_id: str) -> list[Comment]:
        """What reviewers wrote beside a submission, oldest first; none when the server has it no more."""
        ...

    def entity_lists(self) -> list[str]:
        """The entity lists, by name."""
        ...

    def entities(self, name: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield one page of the list's entities that changed since a cursor; all of them without one.

        Each is `__id` and `__system`: version, conflict, createdAt, updatedAt and deletedAt, and never its answers.
        """
        ...

    def entity_versions(self, name: str, entity_id: str) -> list[EntityVersion]:
        """Every version of an entity the server still has, oldest first; none when it has none."""
        ...
