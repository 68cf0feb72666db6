"""Entity lists into raw: which entities changed, then the history of each."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from tpm_pipeline.records import Page
from tpm_pipeline.servers.base import Server
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import entities
from tpm_pipeline.warehouse.db import Connection

_TOGETHER = 100


def bring(
    server: Server,
    connection: Connection,
    settings: Settings,
    progress: Callable[[str], None],
    *,
    sweep: bool = False,
    accept_deletions: bool = False,
) -> int:
    """Bring every entity list: what changed, or at a sweep all of it; return how many versions and states were new.

    An entity that a sweep does not find any more becomes a tombstone, unless too many did (WH-041); so do those of a
    list that is gone.
    """
    entities.create(connection)
    share = 1.0 if accept_deletions else settings.tombstone_share
    written = 0
    lists = server.entity_lists()
    with tempfile.TemporaryDirectory(dir=settings.private, prefix="pull-") as folder:
        for name in lists:
            since = None if sweep else entities.cursor(connection, server.name, name)
            for page in server.entities(name, since, Path(folder)):
                written += entities.store_page(connection, server.name, name, page, whole=sweep, share=share)
                page.path.unlink()
            written += _bring_histories(server, connection, name, progress)
        for name in sorted({*entities.lists(connection, server.name)} - {*lists}) if sweep else ():
            nothing = Page(Path(folder) / "nothing", 0, None)
            nothing.path.write_text("[]")
            written += entities.store_page(connection, server.name, name, nothing, whole=True, share=share)
    return written


def _bring_histories(server: Server, connection: Connection, name: str, progress: Callable[[str], None]) -> int:
    seen = written = 0
    for wanted in entities.waiting(connection, server.name, name, _TOGETHER):
        histories = {entity_id: server.entity_versions(name, entity_id) for entity_id in wanted}
        written += entities.store_versions(connection, server.name, name, histories)
        seen += len(wanted)
        progress(f"{name}: {seen} entities")
    return written
