"""Submissions read from Central: what changed, what a listing shows, and single rows again."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import orjson

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Page, Sweep
from tpm_pipeline.servers import central_page
from tpm_pipeline.servers.base import not_deployed
from tpm_pipeline.servers.central_api import NOT_MODIFIED, CentralApi, address
from tpm_pipeline.servers.http import Stream, cut, expect, kept

Row = dict[str, Any]


class Completer(Protocol):
    """Gives rows what the answer left out of them."""

    def complete(self, content: bytes, rows: list[Row]) -> bytes:
        """Return the rows, whole, as a JSON array."""
        ...

    def confirm(self) -> None:
        """Refuse all rows since the beginning when they cannot be believed."""
        ...


# Central stamps a row when its transaction writes it, and shows it when the transaction ends: with large
# attachments minutes later, behind rows already seen.
OVERLAP = timedelta(minutes=10)
# A window is asked for again while it holds fewer rows than this: unchanged, it costs one 304.
WINDOW = 1000
_STAMPS = ("submissionDate", "updatedAt", "deletedAt")
_EPOCH = "1970-01-01T00:00:00.000Z"
_ALL = "(__system/deletedAt eq null or __system/deletedAt ne null)"
_TOGETHER = 40
_TOKEN = re.compile(r'(?:W/)?"eventhash:[0-9a-f]{32}"')


@dataclass(frozen=True)
class Cursor:
    """Where the last pull ended: the beginning of its window, the latest stamp seen, and the window's ETag."""

    since: str
    latest: str
    etag: str | None = None


@dataclass(frozen=True)
class Reader:
    """Reads the submissions of one form into a folder."""

    api: CentralApi
    project: int
    form_id: str
    folder: Path

    def pull(self, since: str | None, completer: Completer) -> Iterator[Page]:
        """Yield what is new, edited, reviewed or deleted since a cursor, in parts; nothing when nothing is."""
        cursor = _read(since)
        headers = {"If-None-Match": cursor.etag} if cursor.etag else {}
        with self._rows(_changed(cursor.since), headers) as answer:
            if answer.status != NOT_MODIFIED:
                yield from _parts(answer, self.folder, completer, replace(cursor, etag=answer.etag))

    def fetch(self, ids: Sequence[str], completer: Completer) -> Iterator[Page]:
        """Yield at least these submissions, as they are now, deleted ones too; those that are gone do not come."""
        for wanted in _filters(ids):
            with self._rows(wanted, {}) as answer:
                yield from _parts(answer, self.folder, completer, None)

    def sweep(self, seen: str | None) -> Sweep | None:
        """List every submission with its state, cheaply; nothing when the last listing still holds.

        What is restored between the two lists is on neither: whoever believes it gone must fetch it first.
        """
        etags = dict(orjson.loads(seen)) if seen else {}
        lists = {name: self._list(name, etags.get(name)) for name in ("false", "true")}
        if all(path is None for _, path in lists.values()):
            return None
        lists = {name: found if found[1] else self._list(name, None) for name, found in lists.items()}
        cursor = orjson.dumps({name: etag for name, (etag, _) in lists.items()}).decode()
        return Sweep(tuple(path for _, path in lists.values() if path), cursor)

    @contextmanager
    def _rows(self, wanted: str, headers: Mapping[str, str]) -> Iterator[Stream]:
        here = address("projects", self.project, "forms", f"{self.form_id}.svc", "Submissions")
        # One answer without `$top`: Central reads it from one consistent query, and 20 pages cost half as much again.
        query = {"$expand": "*", "$count": "true", "$filter": wanted}
        with self.api.stream(here, query, headers=headers, tolerate=("404.1",)) as answer:
            if answer.status == 200:  # noqa: PLR2004
                expect(answer.where, answer.media_type, "application/json")
            elif answer.status != NOT_MODIFIED:
                raise not_deployed(self.api.where, f"There is no published form «{self.form_id}».")
            yield answer

    def _list(self, deleted: str, etag: str | None) -> tuple[str | None, Path | None]:
        """Write the list of what is deleted, or of what is not; no file when it is the one of this ETag."""
        here = address("projects", self.project, "forms", self.form_id, "submissions")
        headers = {"If-None-Match": etag} if etag else {}
        with self.api.stream(here, {"deleted": deleted}, headers=headers) as answer:
            if answer.status == NOT_MODIFIED:
                return etag, None
            expect(answer.where, answer.media_type, "application/json")
            target = self.folder / f"sweep-{uuid4().hex}.json"
            with kept(target), target.open("wb") as file:
                last = b""
                for chunk in answer.chunks:
                    file.write(chunk)
                    last = chunk or last
                if not last.endswith(b"]"):
                    raise cut(answer.where)
            return answer.etag, target


def _parts(answer: Stream, folder: Path, completer: Completer, cursor: Cursor | None) -> Iterator[Page]:
    """Yield one page in parts; the last has the cursor. A part waits until the next one has come."""
    held: Page | None = None
    rows, latest = 0, cursor.latest if cursor else ""
    try:
        for content, found in central_page.pieces(answer.where, answer.chunks):
            if held:
                yield held
            latest = max([latest, *map(_latest, found)])
            rows += len(found)
            held = _write(folder, completer.complete(content, found), len(found))
        if rows:
            completer.confirm()
        last = None if cursor is None else _write_cursor(_next(replace(cursor, latest=latest), rows))
        if held or last:
            yield replace(held or _write(folder, b"[]", 0), cursor=last)
    except BaseException:
        if held:
            held.path.unlink(missing_ok=True)
        raise


def _write(folder: Path, content: bytes, rows: int) -> Page:
    target = folder / f"central-{uuid4().hex}.json"
    with kept(target):
        target.write_bytes(content)
    return Page(target, rows, None)


def _latest(row: Row) -> str:
    return max(str(row["__system"].get(stamp) or "") for stamp in _STAMPS)


def _next(cursor: Cursor, rows: int) -> Cursor:
    """Keep a small window, whose ETag is known; move a large one on, unless all of it is as late as that."""
    if rows <= WINDOW:
        return cursor
    since = _stamp(datetime.fromisoformat(cursor.latest) - OVERLAP)
    return cursor if since == cursor.since else Cursor(since, cursor.latest)


def _changed(since: str) -> str:
    # Three clauses: updatedAt is null until the first edit, a deletion does not touch it, and naming deletedAt
    # is what makes Central show deleted rows at all.
    return " or ".join(f"__system/{name} ge {since}" for name in _STAMPS)


def _filters(ids: Sequence[str]) -> Iterator[str]:
    """Yield filters that find the rows of these identifiers, few enough for an address; all rows if they are many."""
    # Central reads no quote inside a quoted text.
    if len(ids) > WINDOW or any("'" in one for one in ids):
        yield _ALL
        return
    for start in range(0, len(ids), _TOGETHER):
        named = " or ".join(f"__id eq '{one}'" for one in ids[start : start + _TOGETHER])
        yield f"({named}) and {_ALL}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_cursor(cursor: Cursor) -> str:
    # The latest timestamp among the rows seen, not a clock of ours or of a proxy: it is the database's own, the one
    # the filter compares with, so no two clocks can disagree.
    return orjson.dumps(asdict(cursor)).decode()


def _read(cursor: str | None) -> Cursor:
    if cursor is None:
        return Cursor(_EPOCH, "")
    try:
        read = Cursor(**orjson.loads(cursor))
        for stamp in (read.since, read.latest or _EPOCH):
            datetime.fromisoformat(stamp)
        if read.etag is None or _TOKEN.fullmatch(read.etag):
            return read
    except (ValueError, TypeError):
        pass
    cause = "The place where the last pull ended is not one that Central gave."
    raise ServerError("SRV-019", "central", cause, "Rebuild the warehouse's raw tables.")
