"""Submissions into raw: what the cursor brings, and what only a sweep finds."""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import TypeVar

from tpm_pipeline.errors import FormError, TpmError
from tpm_pipeline.records import Dialect, Page, PullReport
from tpm_pipeline.servers.base import Server
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw, sweeps
from tpm_pipeline.warehouse.db import Connection

Progress = Callable[[str], None]
Result = TypeVar("Result")

# A server that restarts is back within a minute, one that waits for readers it lost within two.
PATIENCE_S = (1.0, 5.0, 30.0, 90.0)


@dataclass(frozen=True)
class Wishes:
    """What a pull is asked to do beyond the ordinary: sweep now, believe that submissions vanished."""

    sweep: bool = False
    accept_deletions: bool = False


PLAIN = Wishes()


@dataclass(frozen=True)
class Into:
    """Where a pull writes: the warehouse, a private folder for pages, and who is told."""

    connection: Connection
    settings: Settings
    folder: Path
    progress: Progress
    room: db.Room


@contextmanager
def opened(connection: Connection, settings: Settings, progress: Progress) -> Iterator[Into]:
    """Make the raw tables and a private folder for pages; those that a killed pull left are emptied."""
    raw.create(connection)
    # One process at a time holds the warehouse: nobody else's folder is here.
    for left in settings.private.glob("pull-*"):
        shutil.rmtree(left, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(dir=settings.private, prefix="pull-") as folder,
        db.sparing(connection) as room,
    ):
        yield Into(connection, settings, Path(folder), progress, room)


def bring(server: Server, into: Into, form_id: str, current: Mapping[str, Sequence[str]], wishes: Wishes) -> PullReport:
    """Bring what changed in one form; `current` is what the server said of its forms' versions.

    An interruption loses nothing that was stored.
    """
    known = raw.known(into.connection, server.name, form_id, current.get(form_id, ()))
    unread = None if known.has_versions else _versions(server, into, form_id)
    # Another attempt begins where the one before it ended.
    begins = chain([known.cursor], (raw.cursor(into.connection, server.name, form_id) for _ in PATIENCE_S))
    stored = patiently(into, lambda: _changed(server, into, form_id, next(begins)))
    if known.cursor is None:
        # All that there is has just come: as good as a sweep.
        sweeps.remember(into.connection, server.name, form_id, None, sweeps.Difference((), ()))
    hours = into.settings.sweep_hours
    every = server.sweep_every if hours is None else timedelta(hours=hours)
    swept = wishes.sweep or (known.cursor is not None and known.is_due(every))
    found = patiently(into, lambda: _sweep(server, into, form_id, wishes)) if swept else 0
    written = stored.written + found
    pending = swept or written > 0 or not known.is_followed
    return PullReport(form_id, stored.seen, written, found, swept=swept, pending=pending, unread=unread)


def _versions(server: Server, into: Into, form_id: str) -> FormError | None:
    """Bring the versions not seen yet; one that cannot be read keeps no answers from coming."""
    try:
        raw.store_versions(into.connection, server.name, patiently(into, lambda: server.versions(form_id)))
    except FormError as error:
        return error
    return None


def _changed(server: Server, into: Into, form_id: str, since: str | None) -> raw.Stored:
    page = _told(server.pull(form_id, since, into.folder), form_id, into)
    return raw.store(into.connection, server.name, form_id, server.dialect, page)


def _sweep(server: Server, into: Into, form_id: str, wishes: Wishes) -> int:
    """Fetch what the server lists otherwise than raw, bury what it no longer has; return how many changed."""
    connection, name = into.connection, server.name
    into.progress(f"{form_id}: sweep")
    seen = sweeps.cursor(connection, name, form_id)
    listed = server.sweep(form_id, seen, into.folder)
    found, is_narrower = sweeps.Difference((), ()), False
    if listed is not None:
        found = sweeps.compare(connection, name, form_id, server.listing, listed)
        seen, is_narrower = listed.cursor, listed.is_narrower
    wanted = {*found.differing, *found.missing, *sweeps.sealed(connection, name, form_id)}
    there: set[str] = set()
    written = 0
    if wanted:
        fetched = _told(server.fetch(form_id, sorted(wanted), into.folder), form_id, into)
        page = _noted(connection, server.dialect, fetched, there)
        written = raw.store(connection, name, form_id, server.dialect, page).written
    # What came after all was on neither list because it was restored between them.
    gone = [submission_id for submission_id in found.missing if submission_id not in there]
    if not wishes.accept_deletions:
        share = 0.0 if is_narrower else into.settings.tombstone_share
        sweeps.refuse_too_many(connection, name, form_id, gone, share)
    written += sweeps.bury(connection, name, form_id, gone)
    sweeps.remember(connection, name, form_id, seen, found)
    return written


def _told(page: Iterable[Page], form_id: str, into: Into) -> Iterator[Page]:
    seen = 0
    for part in page:
        into.room(part.path.stat().st_size)
        yield part
        seen += part.rows
        into.progress(f"{form_id}: {seen}")


def _noted(connection: Connection, dialect: Dialect, page: Iterable[Page], there: set[str]) -> Iterator[Page]:
    for part in page:
        there.update(sweeps.identifiers(connection, dialect, part))
        yield part


def patiently(into: Into, attempt: Callable[[], Result]) -> Result:
    """Try again while the error says that it can help; with all the memory there may be, if it was too little."""
    for pause in PATIENCE_S:
        try:
            return attempt()
        except db.OutOfMemoryError:
            into.room(sys.maxsize)
        except TpmError as error:
            if not error.retryable:
                raise
            time.sleep(pause)
    return attempt()
