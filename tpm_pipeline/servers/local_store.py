"""The folder of the local server: one SQLite database and the attachments beside it."""

import errno
import hashlib
import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import BinaryIO
from uuid import uuid4

from tpm_pipeline.errors import ServerError, ServerUnavailableError

_LAYOUT = 2
_TABLES = """
create table identity (id text not null);
create table form_version (
    form_id text not null, version text not null, title text not null, xform blob not null, digest text not null,
    deployed_at text not null, published integer not null, primary key (form_id, version)
);
create table media (
    form_id text not null, version text not null, name text not null, content blob not null,
    primary key (form_id, version, name)
);
create table submission (
    seq integer primary key autoincrement, form_id text not null, version text not null, submission_id text not null,
    instance_id text not null, accepted_at text not null, entity_id text, xml blob not null, payload blob not null,
    unique (form_id, instance_id)
);
create index submission_history on submission (form_id, submission_id, seq);
create table attachment (
    form_id text not null, instance_id text not null, name text not null, digest text not null,
    primary key (form_id, instance_id, name)
);
create table entity_property (list text not null, name text not null, primary key (list, name));
create table entity (
    list text not null, id text not null, label text not null, version integer not null, properties text not null,
    primary key (list, id)
);
"""
_CHECK_FOLDER = "Check TPM_DATA and who may write there."
_FULL_DISK = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


@dataclass(frozen=True)
class Incoming:
    """An attachment that is whole and durable on disk, and that nothing refers to yet."""

    name: str
    digest: str
    draft: Path


class Store:
    """The local server's data, shared by the processes that open its folder.

    `id` is given to the folder once, when it is laid out: a folder put in its place has another.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = RLock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "attachments").mkdir(exist_ok=True)
            self._db = self._connect()
            with self.writing() as db:
                self.id = _lay_out(db)
        except (OSError, sqlite3.Error) as error:
            raise ServerError("SRV-117", str(folder), f"The store cannot be opened: {error}.", _CHECK_FOLDER) from None

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that only this thread of this process writes in; durable once the block has ended."""
        with self._transaction("begin immediate") as db:
            yield db

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One state of the store, for a few rows."""
        with self._transaction("begin") as db:
            yield db

    @contextmanager
    def streaming(self) -> Iterator[sqlite3.Connection]:
        """One state of the store, for many rows: nobody waits for the reader."""
        with closing(self._connect()) as db, explained(self.folder):
            yield db

    @contextmanager
    def receiving(self, files: Iterable[tuple[str, BinaryIO]]) -> Iterator[list[Incoming]]:
        """Put attachments on disk, durably; those that `keep` has not taken when the block ends are gone."""
        with explained(self.folder), ExitStack() as drafts:
            folder = self.folder / "attachments"
            yield [drafts.enter_context(_draft(folder, name, content)) for name, content in files]

    def keep(self, incoming: Sequence[Incoming]) -> None:
        """Give attachments their place, durably, under the SHA-256 of their content."""
        for file in incoming:
            file.draft.replace(self.attachment(file.digest))
        if incoming:
            _sync_folder(self.folder / "attachments")

    def attachment(self, digest: str) -> Path:
        """Where the attachment with this SHA-256 is."""
        return self.folder / "attachments" / digest

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.folder / "server.sqlite", timeout=30, isolation_level=None, check_same_thread=False)
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        return db

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, explained(self.folder):
            self._db.execute(begin)
            try:
                yield self._db
                self._db.execute("commit")
            finally:
                if self._db.in_transaction:
                    self._db.execute("rollback")


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn a full disk or a busy database into an error that says so."""
    try:
        yield
    except sqlite3.OperationalError as error:
        kind = error.sqlite_errorcode & 0xFF
        if kind in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            raise _full(folder) from None
        if kind in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            cause = "Another program has been writing for too long."
            raise ServerUnavailableError("SRV-119", str(folder), cause, "Try again in a minute.") from None
        raise
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise _full(folder) from None
        raise


def _lay_out(db: sqlite3.Connection) -> str:
    found = db.execute("pragma user_version").fetchone()[0]
    if found == 0:
        for statement in filter(str.strip, _TABLES.split(";")):
            db.execute(statement)
        db.execute("insert into identity values (?)", (uuid4().hex,))
        db.execute(f"pragma user_version = {_LAYOUT}")
    elif found != _LAYOUT:
        raise sqlite3.DatabaseError(f"its layout is {found}, this program knows {_LAYOUT}")
    db.execute("create index if not exists submission_entity on submission (entity_id)")
    db.execute("create table if not exists retired (form_id text primary key)")
    return str(db.execute("select id from identity").fetchone()[0])


def _full(folder: Path) -> ServerError:
    return ServerUnavailableError(
        "SRV-111", str(folder), "The disk is full or cannot be written.", "Make room and send again: nothing was lost."
    )


@contextmanager
def _draft(folder: Path, attachment: str, content: BinaryIO) -> Iterator[Incoming]:
    handle, name = tempfile.mkstemp(dir=folder, prefix=".incoming.")
    draft = Path(name)
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as written:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
        yield Incoming(attachment, digest.hexdigest(), draft)
    finally:
        draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
