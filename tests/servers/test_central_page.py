"""Central's OData answer: kept in constant memory, believed only when complete."""

import json
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.servers.central_page import Tally, save

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


def saved(tmp_path: Path, content: bytes, size: int = 1 << 18) -> tuple[list[dict[str, Any]], Tally]:
    target = tmp_path / "page.json"
    tally = save("central", (content[n : n + size] for n in range(0, len(content), size)), target)
    return json.loads(target.read_bytes()), tally


def test_the_rows_are_kept_as_one_array(tmp_path: Path) -> None:
    rows = [row("a"), row("b", "é")]

    assert saved(tmp_path, body(rows)) == (rows, Tally(2, "2026-11-01T10:00:00.000Z"))


def test_no_row_is_an_empty_array(tmp_path: Path) -> None:
    assert saved(tmp_path, body([])) == ([], Tally(0, ""))


def test_the_latest_timestamp_is_the_latest_of_three_kinds(tmp_path: Path) -> None:
    rows = [row("a", updatedAt="2026-11-03T00:00:00.000Z"), row("b", deletedAt="2026-11-02T00:00:00.000Z"), row("c")]

    assert saved(tmp_path, body(rows))[1].latest == "2026-11-03T00:00:00.000Z"
    assert saved(tmp_path, body(rows[1:]))[1].latest == "2026-11-02T00:00:00.000Z"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(texts=st.lists(st.text() | _NASTY, max_size=6), size=st.integers(1, 300))
def test_whatever_people_wrote_and_however_it_arrives(tmp_path: Path, texts: list[str], size: int) -> None:
    rows = [row(str(n), text) for n, text in enumerate(texts)]

    kept, tally = saved(tmp_path, body(rows), size)

    assert kept == rows
    assert tally.rows == len(rows)
    assert tally.latest < "9999"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(texts=st.lists(st.text() | _NASTY, max_size=6), data=st.data())
def test_cut_anywhere_it_is_not_believed(tmp_path: Path, texts: list[str], data: st.DataObject) -> None:
    whole = body([row(str(n), text) for n, text in enumerate(texts)])
    end = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(ServerUnavailableError) as error:
        saved(tmp_path, whole[:end])

    assert error.value.code == "SRV-005"


def test_fewer_rows_than_announced_are_not_believed(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailableError) as error:
        saved(tmp_path, body([row("a")], count=2))

    assert error.value.code == "SRV-015"
    assert "2 rows and sent 1" in error.value.cause


def test_more_rows_than_announced_arrived_in_the_meantime(tmp_path: Path) -> None:
    assert saved(tmp_path, body([row("a"), row("b")], count=1))[1].rows == 2


def test_a_first_part_is_not_taken_for_all(tmp_path: Path) -> None:
    with pytest.raises(ServerUnavailableError, match="SRV-015"):
        saved(tmp_path, body([row("a")], more={"@odata.nextLink": "http://elsewhere/"}))


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
def test_other_json_is_not_a_page(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ServerError, match="SRV-005"):
        saved(tmp_path, content)


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    piece = body([row(str(n), "x" * 500) for n in range(500)])[len('{"value":[') :].partition(b'],"@odata.')[0]

    def chunks(times: int) -> Iterator[bytes]:
        yield b'{"value":[' + piece
        for _ in range(times - 1):
            yield b"," + piece
        yield b'],"@odata.context":"x","@odata.count":%d}' % (500 * times)

    def peak(times: int) -> int:
        tracemalloc.reset_peak()
        assert save("central", chunks(times), tmp_path / "page.json").rows == 500 * times
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    peaks = [peak(times) for times in (5, 5, 40)]
    tracemalloc.stop()
    assert all(later < 1.2 * earlier for earlier, later in pairwise(peaks))
