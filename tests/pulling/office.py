"""An office that pulls: a server with people filling its forms, and the warehouse of what was brought."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.servers.dossiers import FORM
from tests.servers.site import Site
from tpm_pipeline.errors import together
from tpm_pipeline.pulling import attachments, comments, entities, project, rows
from tpm_pipeline.pulling.rows import PLAIN, Into, Wishes
from tpm_pipeline.records import MediaFile, PullReport
from tpm_pipeline.servers.base import Server
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import attachments as stored
from tpm_pipeline.warehouse import db


def silent(_: str) -> None:
    """Report to nobody."""


def brought(server: Server, into: Into, forms: Sequence[str], wishes: Wishes = PLAIN) -> list[PullReport]:
    """Bring these forms; the errors of those that failed are raised."""
    reports, errors = project.bring(server, into, forms, wishes)
    if errors:
        raise together(errors)
    return reports


@dataclass(frozen=True)
class Office:
    """`files`, `comments` and `entities` do what a pull does once the rows are stored."""

    site: Site
    connection: db.Connection
    settings: Settings

    def rows(self, *, sweep: bool = False) -> None:
        with rows.opened(self.connection, self.settings, silent) as into:
            rows.bring(self.site.server, into, FORM, self.site.server.current(), Wishes(sweep=sweep))

    def files(self, *, sweep: bool = False) -> int:
        self.rows(sweep=sweep)
        return self.files_of_the_rows_there_are(sweep=sweep)

    def files_of_the_rows_there_are(self, *, sweep: bool = False) -> int:
        return attachments.bring(self.site.server, self.connection, self.settings, FORM, silent, sweep=sweep)

    def comments(self, *, sweep: bool = False) -> int:
        self.rows()
        return comments.bring(self.site.server, self.connection, FORM, silent, sweep=sweep)

    def entities(self, *, sweep: bool = False, accept: bool = False) -> int:
        server = self.site.server
        return entities.bring(server, self.connection, self.settings, silent, sweep=sweep, accept_deletions=accept)

    def submit(self, xml: bytes, *files: tuple[str, bytes]) -> None:
        self.site.submit(xml, files=tuple(MediaFile(name, content) for name, content in files))

    def held(self) -> dict[tuple[str, str], bytes]:
        """The content of each file there is, by instance and name; each once, each file as its name says."""
        latest = "qualify pull_id = max(pull_id) over (partition by instance_id, name)"
        found = self.all(f"select instance_id, name, digest, size from raw.attachment {latest}")
        found = [row for row in found if row[2]]
        contents = {(row[0], row[1]): stored.path(self.settings, row[2]).read_bytes() for row in found}
        assert len(contents) == len(found)
        assert [len(contents[row[0], row[1]]) for row in found] == [row[3] for row in found]
        return contents

    def on_disk(self) -> list[bytes]:
        """The files there are, whatever refers to them."""
        return sorted(path.read_bytes() for path in self.settings.private.glob("attachments/**/*") if path.is_file())

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall()
