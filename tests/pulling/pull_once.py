"""One pull as a process makes it: rows in many parts, then files."""

from pathlib import Path

from tests.pulling.office import silent
from tpm_pipeline.pulling import attachments, rows
from tpm_pipeline.servers import central_page, registry
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

# Bytes of a part: an answer of a few megabytes comes in many.
central_page.pieces.__defaults__ = (1 << 16,)


def pull(form_id: str, data: Path, *, sweep: bool) -> None:
    settings = Settings(data=data)
    (server,) = registry.open_servers(settings).values()
    with db.warehouse(settings) as connection, rows.opened(connection, settings, silent) as into:
        rows.bring(server, into, form_id, server.current(), rows.Wishes(sweep=sweep))
        attachments.bring(server, connection, settings, form_id, silent, sweep=sweep)
