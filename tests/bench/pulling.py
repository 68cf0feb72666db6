"""A warehouse that pulls again and again, kept open, as a refresh keeps it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tpm_pipeline import jobs
from tpm_pipeline.pulling import project, rows
from tpm_pipeline.pulling.rows import PLAIN, Into
from tpm_pipeline.servers import central_rows
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw


@dataclass(frozen=True)
class Pull:
    """Pulls some forms when called."""

    server: CentralServer
    into: Into
    forms: Sequence[str]

    def __call__(self) -> None:
        project.bring(self.server, self.into, self.forms, PLAIN)

    def cursor(self, form_id: str) -> central_rows.Cursor:
        """Where the next pull of a form begins."""
        return central_rows._read(raw.cursor(self.into.connection, self.server.name, form_id))

    def some(self, count: int) -> list[str]:
        """Some submissions, always the same."""
        sql = f"select submission_id from raw.current order by submission_id limit {count}"
        return [row[0] for row in self.into.connection.execute(sql).fetchall()]


@contextmanager
def opened(server: CentralServer, data: Path, forms: Sequence[str] = ()) -> Iterator[Pull]:
    """A warehouse of its own for these forms, or all twelve."""
    settings = Settings(data=data)
    with (
        db.warehouse(settings) as connection,
        rows.opened(connection, settings, lambda _: None) as into,
    ):
        yield Pull(server, into, forms or jobs.form_ids())
