"""Submissions read from KoboToolbox: what is new, what a listing shows, and single rows again."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Page, Sweep
from tpm_pipeline.servers.http import cut, kept
from tpm_pipeline.servers.kobo_api import KoboApi
from tpm_pipeline.servers.kobo_assets import Asset

Row = dict[str, Any]

SUBMISSION, INSTANCE, CORRECTED = "meta/rootUuid", "meta/instanceID", "meta/deprecatedID"
FILES, REVIEW, SENT = "_attachments", "_validation_status", "_submission_time"
# The most it gives: a larger limit is cut to this without a word.
TOGETHER = 1000
# A row takes its `_id` before its files are stored, and shows when they are: behind rows already seen.
OVERLAP = 100
# Named together they make an address of 3 kB: some servers take no more than 4, and answer 414.
_NAMED = 50
_LISTED = ("_id", INSTANCE, CORRECTED, SENT, REVIEW, FILES)


@dataclass(frozen=True)
class Mark:
    """Where the last pull of an asset ended: the row behind which it begins again, and the facts of that time."""

    after: int
    facts: tuple[int, str | None]


_UNREAD = (-1, None)


@dataclass(frozen=True)
class Reader:
    """Reads the submissions of one form's assets into a folder."""

    api: KoboApi
    assets: Sequence[Asset]
    folder: Path

    def pull(self, since: str | None) -> Iterator[Page]:
        """Yield what came since a cursor, a page at a time; nothing when nothing did."""
        marks = _read(since)
        for asset in self.assets:
            mark = marks.get(asset.uid)
            if mark is None or mark.facts != asset.facts:
                yield from self._new(asset, mark.after if mark else 0, marks)

    def fetch(self, ids: Sequence[str]) -> Iterator[Page]:
        """Yield these submissions, as they are now; those that are gone do not come."""
        left = list(ids)
        # Of what two assets hold, a listing believes the last.
        for asset in reversed(self.assets):
            found: set[str] = set()
            for start in range(0, len(left), _NAMED):
                named = {SUBMISSION: {"$in": left[start : start + _NAMED]}}
                for rows, _ in self._after(asset, 0, among=named):
                    found.update(row[SUBMISSION] for row in rows)
                    yield self._written(rows, None)
            left = [one for one in left if one not in found]

    def sweep(self, seen: str | None) -> Sweep:
        """List every submission with its state, without its answers; `seen` are the assets of the last listing."""
        paths: list[Path] = []
        try:
            for asset in self.assets:
                for rows, _ in self._after(asset, 0, _LISTED):
                    paths.append(self._written(rows, None).path)
        except BaseException:
            for path in paths:
                path.unlink(missing_ok=True)
            raise
        now = [asset.uid for asset in self.assets]
        is_narrower = not {*(seen or "").split()} <= {*now}
        return Sweep(tuple(paths) or (self._written([], None).path,), " ".join(sorted(now)), is_narrower)

    def _new(self, asset: Asset, after: int, marks: dict[str, Mark]) -> Iterator[Page]:
        window = [after]
        for rows, is_last in self._after(asset, after):
            window = [*window, *(int(row["_id"]) for row in rows)][-OVERLAP - 1 :]
            # Only at its end is an asset read as far as its facts tell.
            marks[asset.uid] = Mark(window[0], asset.facts if is_last else _UNREAD)
            yield self._written(rows, _write(marks))
        if len(window) == 1:
            marks[asset.uid] = Mark(window[0], asset.facts)
            yield self._written([], _write(marks))

    def _after(
        self, asset: Asset, after: int, fields: Sequence[str] = (), among: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[list[Row], bool]]:
        """Yield pages by the rows' own order, the last one told: what is deleted meanwhile shifts none of them.

        While one is stored, the next is asked for: never more than one request at a time.
        """
        is_last = False
        with ThreadPoolExecutor(1) as ahead:
            asked = ahead.submit(self._page, asset, after, fields, among)
            while not is_last:
                rows, count = asked.result()
                # The server may give fewer rows than asked for: only the count tells whether these were all.
                is_last = count <= len(rows)
                if not is_last:
                    if not rows:
                        raise cut(self.api.where)
                    asked = ahead.submit(self._page, asset, int(rows[-1]["_id"]), fields, among)
                if rows:
                    yield rows, is_last

    def _page(
        self, asset: Asset, after: int, fields: Sequence[str], among: Mapping[str, Any] | None
    ) -> tuple[list[Row], int]:
        wanted = {**(among or {}), "_id": {"$gt": after}}
        query = {"query": _json(wanted), "sort": '{"_id":1}', "limit": str(TOGETHER)}
        if fields:
            query["fields"] = _json(fields)
        answer = self.api.get(asset.path + "data/", query)
        try:
            rows, count = list(answer["results"]), int(answer["count"])
        except (KeyError, TypeError):
            raise cut(self.api.where) from None
        if any(SUBMISSION not in row for row in rows):
            cause = f"A submission of {asset.form_id} comes without its identifier ({SUBMISSION})."
            raise ServerError("SRV-065", self.api.where, cause, "Update KoboToolbox: versions since 2024 give it.")
        return rows, count

    def _written(self, rows: Sequence[Row], cursor: str | None) -> Page:
        target = self.folder / f"kobo-{uuid4().hex}.json"
        with kept(target):
            target.write_bytes(orjson.dumps(rows))
        return Page(target, len(rows), cursor)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _write(marks: Mapping[str, Mark]) -> str:
    return _json({uid: [mark.after, *mark.facts] for uid, mark in sorted(marks.items())})


def _read(cursor: str | None) -> dict[str, Mark]:
    try:
        found = orjson.loads(cursor) if cursor else {}
        return {uid: Mark(int(after), (int(count), last)) for uid, (after, count, last) in found.items()}
    except (ValueError, TypeError, AttributeError):
        cause = "The place where the last pull ended is not one that KoboToolbox gave."
        raise ServerError("SRV-070", "kobo", cause, "Rebuild the warehouse's raw tables.") from None
