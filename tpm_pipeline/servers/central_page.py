"""Central's OData answer as a page: one stream, believed only when complete."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from tpm_pipeline.errors import ServerUnavailableError
from tpm_pipeline.servers.http import cut

_HEAD = b'{"value":'
_FOOT = b'],"@odata.'
_FOOT_ROOM = 1 << 14
_STAMPS = ("submissionDate", "updatedAt", "deletedAt")
# One per row, at any place: inside a JSON string the quotes would be escaped, so no answer can look like this.
_SYSTEM = re.compile(rb'"__system":(\{(?:[^"{}]|"(?:[^"\\]|\\.)*+")*+\})', re.DOTALL)
_SYSTEM_ROOM = 1 << 16


@dataclass
class Tally:
    """What went by: how many rows, and the latest of the server's own timestamps ("" before the first)."""

    rows: int = 0
    latest: str = ""


def save(where: str, chunks: Iterable[bytes], target: Path) -> Tally:
    """Write the rows as one JSON array, whatever their number in constant memory.

    Raises `ServerUnavailableError` (SRV-005, SRV-015) when rows are missing; what is in `target` is then worthless.
    """
    tally = Tally()
    with target.open("wb") as file:
        footer = _split(where, _counted(chunks, tally), file.write)
    # Rows may arrive while the answer is written: more than the count is not an error.
    if tally.rows < footer["@odata.count"] or "@odata.nextLink" in footer:
        cause = f"It announced {footer['@odata.count']} rows and sent {tally.rows}."
        raise ServerUnavailableError("SRV-015", where, cause, "Nothing of them is kept; try again.")
    return tally


def _split(where: str, chunks: Iterable[bytes], write: Any) -> dict[str, Any]:
    """Write what stands between the head and the footer; return the footer."""
    held, begun = b"", False
    for chunk in chunks:
        held += chunk
        if not begun and len(held) >= len(_HEAD):
            if not held.startswith(_HEAD):
                raise cut(where)
            held, begun = held[len(_HEAD) :], True
        if begun and len(held) > _FOOT_ROOM:
            write(held[:-_FOOT_ROOM])
            held = held[-_FOOT_ROOM:]
    end = held.rfind(_FOOT) + 1
    try:
        footer = orjson.loads(b"{" + held[end + 1 :])
    except orjson.JSONDecodeError:
        raise cut(where) from None
    if not (begun and end and "@odata.context" in footer and isinstance(footer.get("@odata.count"), int)):
        raise cut(where)
    write(held[:end])
    return dict(footer)


def _counted(chunks: Iterable[bytes], tally: Tally) -> Iterator[bytes]:
    pending = b""
    for chunk in chunks:
        pending += chunk
        end = 0
        for match in _SYSTEM.finditer(pending):
            system, end = orjson.loads(match[1]), match.end()
            if "submissionDate" in system:
                tally.rows += 1
                tally.latest = max(tally.latest, *(system.get(stamp) or "" for stamp in _STAMPS))
        pending = pending[max(end, len(pending) - _SYSTEM_ROOM) :]
        yield chunk
