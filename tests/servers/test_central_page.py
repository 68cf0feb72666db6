"""Central's OData answer in pieces: whole rows, in constant memory, believed only when complete."""

import json
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.servers import central_page
from tpm_pipeline.servers.central_page import pieces

_NASTY = st.sampled_from(
    ['],"@odata.context":"x"}', '"__system":{"submissionDate":"9999"}', '{"value":[', "\\", '"', "}"]
)


def row(key: str, text: str = "", **system: str | None) -> dict[str, Any]:
    stamps = {"submissionDate": "2026-11-01T10:00:00.000Z", "updatedAt": None, "deletedAt": None}
    return {"note": text, "__id": key, "__system": {**stamps, "submitterName": text, **system}, "r": [{"__id": "x"}]}


def body(rows: list[dict[str, Any]], *, count: int | None = None, more: dict[str, str] | None = None) -> bytes:
    end = {
        "@odata.context": "http://a/$metadata#Submissions",
        **(more or {}),
        "@odata.count": len(rows) if count is None else count,
    }
    return json.dumps({"value": rows, **end}, separators=(",", ":"), ensure_ascii=False).encode()


def read(content: bytes, size: int = 1 << 18, least: int = 200) -> list[dict[str, Any]]:
    rows = []
    for piece, found in pieces("central", (content[n : n + size] for n in range(0, len(content), size)), least):
        assert json.loads(piece) == found
        rows += found
    return rows


def test_the_rows_come_whole() -> None:
    rows = [row("a"), row("b", "é")]

    assert read(body(rows)) == rows


def test_no_row_is_no_piece() -> None:
    assert list(pieces("central", [body([])])) == []


def test_many_rows_come_in_pieces() -> None:
    rows = [row(str(n), "x" * 2000) for n in range(100)]

    content = body(rows)
    chunks = (content[n : n + 1000] for n in range(0, len(content), 1000))
    sizes = [len(part) for _, part in pieces("central", chunks, 4000)]

    assert sum(sizes) == 100
    assert len(sizes) > 10


def test_a_row_larger_than_a_piece_is_waited_for() -> None:
    rows = [row("a", "x" * 100_000), row("b"), row("c", "y" * 60_000)]

    assert read(body(rows), size=1000, least=500) == rows


@pytest.fixture(autouse=True)
def _little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let short answers be cut too."""
    monkeypatch.setattr(central_page, "_FOOT_ROOM", 150)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(texts=st.lists(st.text() | _NASTY, max_size=12), size=st.integers(1, 900), least=st.integers(1, 900))
def test_whatever_people_wrote_and_however_it_arrives(texts: list[str], size: int, least: int) -> None:
    rows = [row(str(n), text) for n, text in enumerate(texts)]

    assert read(body(rows), size, least) == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(texts=st.lists(st.text() | _NASTY, max_size=6), data=st.data())
def test_cut_anywhere_it_is_not_believed(texts: list[str], data: st.DataObject) -> None:
    whole = body([row(str(n), text) for n, text in enumerate(texts)])
    end = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(ServerUnavailableError) as error:
        read(whole[:end])

    assert error.value.code == "SRV-005"


def test_fewer_rows_than_announced_are_not_believed() -> None:
    with pytest.raises(ServerUnavailableError) as error:
        read(body([row("a")], count=2))

    assert error.value.code == "SRV-015"
    assert "2 rows and sent 1" in error.value.cause


def test_more_rows_than_announced_arrived_in_the_meantime() -> None:
    assert len(read(body([row("a"), row("b")], count=1))) == 2


def test_a_first_part_is_not_taken_for_all() -> None:
    with pytest.raises(ServerUnavailableError, match="SRV-015"):
        read(body([row("a")], more={"@odata.nextLink": "http://elsewhere/"}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"value":[]}',
        b'{"value":[],"@odata.context":"x"}',
        b'{"other":[],"@odata.count":0}',
    ],
)
def test_other_json_is_not_a_page(content: bytes) -> None:
    with pytest.raises(ServerError, match="SRV-005"):
        read(content)


def test_a_row_may_contain_what_begins_a_row() -> None:
    inner = [{"note": str(n), "__id": "x"} for n in range(30)]
    rows = [{**row(str(n)), "r": inner} for n in range(20)]

    assert read(body(rows), size=700, least=300) == rows


def test_rows_that_central_cannot_decrypt_stand_between_others() -> None:
    hidden = [{key: row(str(n))[key] for key in ("__id", "__system")} for n in range(20)]
    rows = [one for n, other in enumerate(hidden) for one in (row(f"r{n}"), other)]

    assert read(body(rows), size=500, least=200) == rows


def test_memory_does_not_grow_with_the_rows() -> None:
    piece = body([row(str(n), "x" * 500) for n in range(500)])[len('{"value":[') :].partition(b'],"@odata.')[0]

    def chunks(times: int) -> Iterator[bytes]:
        yield b'{"value":[' + piece
        for _ in range(times - 1):
            yield b"," + piece
        yield b'],"@odata.context":"x","@odata.count":%d}' % (500 * times)

    def peak(times: int) -> int:
        tracemalloc.reset_peak()
        assert sum(len(rows) for _, rows in pieces("central", chunks(times))) == 500 * times
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    peaks = [peak(times) for times in (20, 20, 80)]
    tracemalloc.stop()
    assert all(later < 1.2 * earlier for earlier, later in pairwise(peaks))
