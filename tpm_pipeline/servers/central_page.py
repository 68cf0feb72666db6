"""Central's OData answer in pieces of whole rows: one stream, believed only when complete."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from tpm_pipeline.errors import ServerUnavailableError
from tpm_pipeline.servers.http import cut

Row = dict[str, Any]

_HEAD = b'{"value":['
_FOOT = b'],"@odata.'
_FOOT_ROOM = 1 << 14
_PIECE = 1 << 20
# Every row of an answer begins with the same key, but for those that Central cannot decrypt.
_FIRST_KEY = re.compile(rb'\{"(?:[^"\\]|\\.)*":')
_ENCRYPTED = b'{"__id":'


def pieces(where: str, chunks: Iterable[bytes], least: int = _PIECE) -> Iterator[tuple[bytes, list[Row]]]:
    """Yield the rows in pieces of at least so many bytes: each as a JSON array, and read.

    Only when the iteration ends well were they all. Raises `ServerUnavailableError` (SRV-005, SRV-015) when rows
    are missing: those that came are then worthless.
    """
    held, begun, count, wanted = bytearray(), False, 0, least
    for chunk in chunks:
        held += chunk
        if not begun and len(held) >= len(_HEAD):
            begun = _behead(where, held)
        if begun and len(held) > wanted + _FOOT_ROOM:
            piece, rows = _whole_rows(held)
            # A row may be larger than a piece: look again only when there is twice as much.
            wanted = least if rows else 2 * wanted
            count += len(rows)
            if rows:
                yield piece, rows
    end, footer = _footer(where, held, begun)
    rows = _parsed(where, b"[" + held[:end] + b"]")
    if rows:
        yield b"[" + held[:end] + b"]", rows
    _check(where, footer, count + len(rows))


def _behead(where: str, held: bytearray) -> bool:
    if not held.startswith(_HEAD):
        raise cut(where)
    del held[: len(_HEAD)]
    return True


def _whole_rows(held: bytearray) -> tuple[bytes, list[Row]]:
    """Take the whole rows off the beginning; none when no end of a row is found."""
    first = _FIRST_KEY.match(held)
    starts = {b"}," + first[0], b"}," + _ENCRYPTED} if first else set()
    limit = len(held) - _FOOT_ROOM
    for _ in range(3):
        end = max((held.rfind(start, 0, limit) for start in starts), default=-1)
        if end < 0:
            break
        piece = b"[" + held[: end + 1] + b"]"
        try:
            rows = orjson.loads(piece)
        except orjson.JSONDecodeError:
            # The same key begins the rows of a repeat, or stands in an answer: only a row's end leaves whole JSON.
            limit = end
            continue
        del held[: end + 2]
        return piece, rows
    return b"", []


def _footer(where: str, held: bytearray, begun: bool) -> tuple[int, Row]:
    end = held.rfind(_FOOT)
    try:
        footer = orjson.loads(b"{" + held[end + 2 :])
    except orjson.JSONDecodeError:
        raise cut(where) from None
    if not (begun and end >= 0 and "@odata.context" in footer and isinstance(footer.get("@odata.count"), int)):
        raise cut(where)
    return end, footer


def _parsed(where: str, content: bytes) -> list[Row]:
    try:
        return list(orjson.loads(content))
    except orjson.JSONDecodeError:
        raise cut(where) from None


def _check(where: str, footer: Row, count: int) -> None:
    # Rows may arrive while the answer is written: more than the count is not an error.
    if count < footer["@odata.count"] or "@odata.nextLink" in footer:
        cause = f"It announced {footer['@odata.count']} rows and sent {count}."
        raise ServerUnavailableError("SRV-015", where, cause, "Nothing of them is kept; try again.")
