"""What changed, what a listing shows, and single rows again. On the fake and on the real Central."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.responses import Response

from tests.servers.conftest import Fake
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerUnavailableError
from tpm_pipeline.records import Sweep
from tpm_pipeline.servers import central_rows


def sent(site: Site, count: int) -> list[str]:
    site.server.deploy([visit_form()])
    ids = [new_id() for _ in range(count)]
    site.submit(*(visit(instance_id=one) for one in ids))
    return ids


def row_path(site: Site, row: str) -> str:
    return f"{api_of(site)[1]}/forms/visites/submissions/{row}"


def fetched(site: Site, *ids: str) -> list[dict[str, Any]]:
    rows = []
    for page in site.server.fetch("visites", ids, site.folder):
        assert page.cursor is None
        rows += orjson.loads(page.path.read_bytes())
        page.path.unlink()
    return rows


def listed(sweep: Sweep | None) -> dict[str, bool]:
    """Whether each submission of a sweep is deleted."""
    assert sweep is not None
    rows = [row for path in sweep.paths for row in orjson.loads(path.read_bytes())]
    for path in sweep.paths:
        path.unlink()
    return {row["instanceId"]: bool(row["deletedAt"]) for row in rows}


def test_nothing_changed_costs_one_request_that_brings_nothing(fake: Fake) -> None:
    sent(fake.site, 3)
    _, cursor = fake.site.pull()
    fake.central.requests.clear()

    assert fake.site.pull(cursor) == ([], cursor)
    assert fake.central.requests == ["GET /v1/projects/1/forms/visites.svc/Submissions"]


def test_nothing_changed_brings_no_page(central: Site) -> None:
    sent(central, 3)
    _, cursor = central.pull()

    assert list(central.server.pull("visites", cursor, central.folder)) == []


def test_a_restored_row_of_a_small_form_is_seen_at_once(central: Site) -> None:
    (row,) = sent(central, 1)
    api, _ = api_of(central)
    api.delete(row_path(central, row))
    _, cursor = central.pull()

    api.post(row_path(central, row) + "/restore")

    (found,), _ = central.pull(cursor)
    assert found["__system"]["deletedAt"] is None


def test_a_large_window_moves_on_and_a_small_one_stays(central: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(central, 3)
    _, first = central.pull()
    assert central_rows._read(first).since == central_rows._EPOCH

    monkeypatch.setattr(central_rows, "WINDOW", 2)
    central.submit(visit())
    rows, moved = central.pull(first)

    assert len(rows) == 4
    later = central_rows._read(moved)
    assert (later.since > central_rows._EPOCH, later.etag) == (True, None)
    monkeypatch.setattr(central_rows, "WINDOW", 1000)
    rows, kept = central.pull(moved)
    assert len(rows) == 4
    assert central_rows._read(kept).since == later.since
    assert central.pull(kept) == ([], kept)


def test_many_rows_at_once_are_not_read_again_and_again(central: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central_rows, "WINDOW", 2)
    sent(central, 4)
    _, first = central.pull()
    rows, second = central.pull(first)

    assert len(rows) == 4
    assert central.pull(second) == ([], second)


def test_a_sweep_lists_what_lives_and_what_is_deleted(central: Site) -> None:
    kept, deleted = sent(central, 2)
    api, _ = api_of(central)
    api.delete(row_path(central, deleted))

    assert listed(central.server.sweep("visites", None, central.folder)) == {kept: False, deleted: True}


def test_a_sweep_that_would_say_the_same_brings_nothing(central: Site) -> None:
    kept, restored = sent(central, 2)
    api, _ = api_of(central)
    api.delete(row_path(central, restored))
    first = central.server.sweep("visites", None, central.folder)
    listed(first)
    assert first is not None
    assert central.server.sweep("visites", first.cursor, central.folder) is None

    api.post(row_path(central, restored) + "/restore")

    assert listed(central.server.sweep("visites", first.cursor, central.folder)) == {kept: False, restored: False}
    assert list(central.folder.iterdir()) == []


def test_single_rows_are_fetched_alive_or_deleted(central: Site) -> None:
    kept, deleted, _ = sent(central, 3)
    api, _ = api_of(central)
    api.delete(row_path(central, deleted))

    found = {row["__id"]: bool(row["__system"]["deletedAt"]) for row in fetched(central, kept, deleted, new_id())}

    assert found == {kept: False, deleted: True}


def test_more_rows_than_an_address_holds_are_fetched(central: Site) -> None:
    ids = sent(central, 45)

    assert {row["__id"] for row in fetched(central, *ids)} == set(ids)


def test_an_identifier_with_a_quote_is_fetched_among_all(central: Site) -> None:
    central.server.deploy([visit_form()])
    central.submit(visit(instance_id="it's é/1"), visit())

    assert "it's é/1" in {row["__id"] for row in fetched(central, "it's é/1")}


def test_an_edited_row_is_listed_with_its_instance_and_fetched_by_its_first(central: Site) -> None:
    (first,) = sent(central, 1)
    second = new_id()
    central.submit(visit(instance_id=second, replaces=first))
    sweep = central.server.sweep("visites", None, central.folder)
    assert sweep is not None
    (row,) = [row for path in sweep.paths for row in orjson.loads(path.read_bytes())]

    assert central.field(row, central.server.listing.submission_id) == first
    assert central.field(row, central.server.listing.instance_id) == second
    assert central.server.listing.review_states[central.field(row, central.server.listing.review_state)] == "edited"
    assert [found["meta"]["instanceID"] for found in fetched(central, first)] == [second]


def test_a_list_cut_off_leaves_no_file(fake: Fake, tmp_path: Path) -> None:
    sent(fake.site, 2)
    fake.central.meddle = lambda request: (
        Response(b'[{"instanceId":"a"}', media_type="application/json")
        if request.url.path.endswith("/submissions")
        else None
    )
    with pytest.raises(ServerUnavailableError, match="SRV-005"):
        fake.site.server.sweep("visites", None, tmp_path)
    assert list(tmp_path.glob("sweep-*")) == []
