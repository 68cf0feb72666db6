"""A warehouse that pulls again and again, kept open, as a refresh keeps it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tpm_pipeline import jobs
from tpm_pipeline.pulling import project, rows
from tpm_pipeline.pulling.rows import PLAIN, Into
from tpm_pipeline.servers import central_rows
from tpm_pipeline.servers.base import Server
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, entities, raw


@dataclass(frozen=True)
class Pull:
    """Pulls some forms when called."""

    server: Server
    into: Into
    forms: Sequence[str]

    def rows(self) -> None:
        """Bring the rows alone; the files, which nobody sent, and the cases are taken as asked for."""
        current = self.server.current()
        for form_id in self.forms:
            rows.bring(self.server, self.into, form_id, current, PLAIN)
            raw.remember_followed(self.into.connection, self.server.name, form_id)
        entities.create(self.into.connection)
        db.insert(self.into.connection, "raw.entity_pull", [[0, self.server.name, "", "", 0, 0, raw.now()]])

    def everything(self) -> None:
        """Bring what a refresh brings."""
        project.bring(self.server, self.into, self.forms, PLAIN)

    def cursor(self, form_id: str) -> central_rows.Cursor:
        """Where the next pull of a form begins."""
        return central_rows._read(raw.cursor(self.into.connection, self.server.name, form_id))

    def some(self, count: int) -> list[str]:
        """Some submissions, always the same."""
        sql = f"select submission_id from raw.current order by submission_id limit {count}"
        return [row[0] for row in self.into.connection.execute(sql).fetchall()]


@contextmanager
def opened(server: Server, data: Path, forms: Sequence[str] = ()) -> Iterator[Pull]:
    """A warehouse of its own for these forms, or all twelve."""
    settings = Settings(data=data)
    with (
        db.warehouse(settings) as connection,
        rows.opened(connection, settings, lambda _: None) as into,
    ):
        yield Pull(server, into, forms or jobs.form_ids())
