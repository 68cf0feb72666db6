"""Entity lists read from Central: which entities changed, and the history of each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from tpm_pipeline.records import EntityVersion, Page
from tpm_pipeline.servers import central_page
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_rows import OVERLAP
from tpm_pipeline.servers.http import expect, kept

_MISSING = "404.1"
_STAMPS = ("createdAt", "updatedAt", "deletedAt")
_EPOCH = "1970-01-01T00:00:00.000Z"
_MORE = {
    "dataReceived": "received",
    "conflictingProperties": "conflicting",
    "branchId": "branch_id",
    "trunkVersion": "trunk_version",
    "branchBaseVersion": "branch_base_version",
    "userAgent": "user_agent",
}


class Entities:
    """The entity lists of a project."""

    def __init__(self, api: CentralApi, project: int) -> None:
        self._api, self._project = api, project

    def lists(self) -> list[str]:
        """The lists, by name."""
        return sorted(str(found["name"]) for found in self._api.get(address("projects", self._project, "datasets")))

    def changed(self, name: str, since: str | None, folder: Path) -> Iterator[Page]:
        """Yield one page of what was created, changed, deleted or restored since a cursor; nothing when nothing was.

        Without a cursor the page holds every entity, deleted ones too, even when there is none.
        """
        query = {"$select": "__id,__system", "$count": "true", "$filter": _changed(since)}
        target, count, latest = folder / f"entities-{uuid4().hex}.json", 0, since or ""
        here = address("projects", self._project, "datasets", f"{name}.svc", "Entities")
        with kept(target), target.open("wb") as file, self._api.stream(here, query) as answer:
            expect(answer.where, answer.media_type, "application/json")
            for content, rows in central_page.pieces(answer.where, answer.chunks):
                file.write((b"," if count else b"[") + content[1:-1])
                count += len(rows)
                latest = max([latest, *map(_latest, rows)])
            file.write(b"]" if count else b"[]")
        if count or since is None:
            yield Page(target, count, latest)
        else:
            target.unlink()

    def versions(self, name: str, entity_id: str) -> list[EntityVersion]:
        """Every version, oldest first; of a deleted entity only the last, as Central shows no more of it."""
        here = address("projects", self._project, "datasets", name, "entities", entity_id)
        found = self._read(here + "/versions", {})
        if found is not None:
            return [_version(one, _source(one.get("source") or {})) for one in found]
        deleted = self._read(here, {"deleted": "true"})
        return [] if deleted is None else [_version(deleted["currentVersion"], None)]

    def _read(self, here: str, query: dict[str, str]) -> Any:
        headers = {"X-Extended-Metadata": "true"}
        with self._api.stream(here, query, headers=headers, tolerate=(_MISSING,)) as answer:
            return answer.read().json() if answer.status == 200 else None  # noqa: PLR2004 - else it is the 404


def _changed(since: str | None) -> str:
    # A restored entity has a new updatedAt, unlike a restored submission.
    start = _EPOCH
    if since:
        moved = datetime.fromisoformat(since) - OVERLAP
        start = moved.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return " or ".join(f"__system/{stamp} ge {start}" for stamp in _STAMPS)


def _latest(row: dict[str, Any]) -> str:
    return max(str(row["__system"][stamp] or "") for stamp in _STAMPS)


def _version(found: dict[str, Any], source: str | None) -> EntityVersion:
    more = {ours: found[theirs] for theirs, ours in _MORE.items() if found.get(theirs) is not None}
    return EntityVersion(
        version=found["version"],
        label=found["label"],
        data=found["data"],
        source=source,
        creator=(found.get("creator") or {}).get("displayName"),
        created_at=found["createdAt"],
        base_version=found["baseVersion"],
        conflict=found.get("conflict"),
        more=more,
    )


def _source(found: dict[str, Any]) -> str:
    """The instance that wrote a version, the name of the file it came with, or `api`."""
    written = ((found.get("event") or {}).get("details") or {}).get("instanceId")
    return str(written or (found.get("submission") or {}).get("instanceId") or found.get("name") or "api")
