"""Files of submissions into the private folder: each content once, whole, and late ones when they come."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import AttachmentName, StoredFile
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.files import DAMAGED
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import attachments, client_audit
from tpm_pipeline.warehouse.attachments import Waiting
from tpm_pipeline.warehouse.db import Connection, transaction

_TOGETHER = 100


def bring(
    server: Server,
    connection: Connection,
    settings: Settings,
    form_id: str,
    progress: Callable[[str], None],
    *,
    sweep: bool = False,
) -> int:
    """Bring the files of submissions not looked at yet, and at a sweep those that were late; return how many came.

    What was stored is not asked for again. A damaged file is refused after all others have come.
    """
    attachments.create(connection)
    client_audit.create(connection)
    with tempfile.TemporaryDirectory(dir=settings.private, prefix="pull-") as folder:
        bringing = _Bringing(server, connection, settings, Path(folder) / "file")
        for one in attachments.waiting(connection, server.name, form_id, server.dialect, sweep=sweep):
            if bringing.look_at(one):
                progress(f"{form_id}: {bringing.came} files")
    bringing.remember()
    for error in bringing.damaged:
        raise error
    return bringing.came


class _Bringing:
    """One run: what came, what was looked at and not written down yet, and what was damaged."""

    def __init__(self, server: Server, connection: Connection, settings: Settings, draft: Path) -> None:
        self._server, self._connection, self._settings, self._draft = server, connection, settings, draft
        self._looked_at: list[Waiting] = []
        self.came = 0
        self.damaged: list[ServerError] = []

    def look_at(self, waiting: Waiting) -> bool:
        """Bring what is there of a version's files; tell whether any came."""
        names = self._server.attachments(waiting.instance)
        if names is None:
            return False  # deleted since: to be asked again if it is restored
        came, damaged, missing = self.came, len(self.damaged), 0
        stored = attachments.stored(self._connection, self._server.name, waiting.instance)
        there = {name.name: name.key for name in names if name.is_there}
        gone = {name for name, key in stored.items() if there.get(name) != key}
        self._forget(waiting, gone)
        for name in names:
            if (name.name not in stored or name.name in gone) and not (name.is_there and self._has_come(waiting, name)):
                missing += 1
        # What was damaged is asked for by the next run, whether it sweeps or not.
        if (waiting.is_new or missing != waiting.missing) and len(self.damaged) == damaged:
            self._looked_at.append(replace(waiting, missing=missing))
        if self.came > came or len(self._looked_at) >= _TOGETHER:
            self.remember()
        return self.came > came

    def _forget(self, waiting: Waiting, gone: set[str]) -> None:
        """Write down which files were taken away on the server, or gave way to others."""
        here = (self._connection, self._server.name, waiting.instance)
        for name in sorted(gone):
            attachments.store(*here, AttachmentName(name, is_there=False), None)

    def remember(self) -> None:
        """Write down what was looked at."""
        with transaction(self._connection):
            attachments.remember(self._connection, self._server.name, self._looked_at)
        self._looked_at.clear()

    def _has_come(self, waiting: Waiting, name: AttachmentName) -> bool:
        known, key = attachments.former(self._connection, self._server.name, waiting.instance, name.name)
        if known and key and key == name.key:
            # An edit leaves files where they are.
            self._keep(waiting, name, known, is_new=False)
            return True
        try:
            found = self._server.attachment(waiting.instance, name.name, self._draft, known)
        except ServerError as error:
            if error.code not in DAMAGED:
                raise
            self.damaged.append(error)
            return False
        if found is not None:
            self._keep(waiting, name, found, is_new=found is not known)
        return found is not None

    def _keep(self, waiting: Waiting, name: AttachmentName, file: StoredFile, *, is_new: bool) -> None:
        path = attachments.path(self._settings, file.digest)
        if is_new:
            _place(self._draft, path)
        with transaction(self._connection):
            attachments.store(self._connection, self._server.name, waiting.instance, name, file)
            if name.name == client_audit.NAME:
                client_audit.store(self._connection, self._server.name, waiting.instance, path)
        self.came += 1


def _place(draft: Path, path: Path) -> None:
    """Give a file its place, durably; the same content may be there already."""
    for folder in (path.parents[1], path.parent):
        folder.mkdir(mode=0o700, exist_ok=True)
    draft.replace(path)
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
