"""What every kind of server can do for us: one protocol, one contract suite."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tpm_pipeline.records import Change, CompiledForm, Dialect, FormVersion, Page


class Server(Protocol):
    """A place forms are deployed to and submissions pulled from.

    Every method raises `ServerError`, or `ServerUnavailableError` when trying again can help.
    """

    name: str
    """Identifies the server in raw tables: kind and address, never a secret."""

    dialect: Dialect

    def plan(self, forms: Sequence[CompiledForm]) -> list[Change]:
        """Say what `deploy` would change, changing nothing."""
        ...

    def deploy(self, forms: Sequence[CompiledForm]) -> list[Change]:
        """Make the server hold these forms, published; a second call does nothing."""
        ...

    def versions(self, form_id: str) -> list[FormVersion]:
        """Every deployed version of a form, oldest first; empty when the form is unknown."""
        ...

    def link(self, form_id: str, submission_id: str) -> str:
        """The page on which a person reads a submission; opening it asks who they are."""
        ...

    def pull(self, form_id: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield what is new, edited, reviewed or deleted since a cursor, as files in `folder`.

        A page is yielded only when it is complete. Rows may come again; none may be missed.
        """
        ...
