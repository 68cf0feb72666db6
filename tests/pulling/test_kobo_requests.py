"""What a pull asks KoboToolbox for: nothing twice, nothing that is here, nothing too long."""

import orjson
import pytest
import requests
from starlette.requests import Request
from starlette.responses import Response

from tests.pulling.kobo_witness import agree
from tests.pulling.test_kobo import OTHER, PHOTO, Desk, near, pulled
from tests.servers.conftest import TIMEOUT_S, Kobo
from tests.servers.fake_kobo import TOKEN
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError
from tpm_pipeline.pulling import rows
from tpm_pipeline.servers import kobo_rows

__all__ = ["near"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PATIENCE_S", (0.0,))


def test_a_pull_that_was_cut_goes_on_where_it_was(near: Desk, fake_kobo: Kobo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kobo_rows, "OVERLAP", 1)
    fake_kobo.kobo.page_limit = 2
    for _ in range(9):
        near.send(near.xml())
    asked: list[int] = []

    def cut(request: Request) -> Response | None:
        if not request.url.path.endswith("/data/"):
            return None
        asked.append(orjson.loads(request.query_params["query"])["_id"]["$gt"])
        return Response("", 500) if len(asked) == 5 else None

    fake_kobo.kobo.meddle = cut
    pulled(near.office)

    fake_kobo.kobo.meddle = lambda _: None
    assert asked.count(0) == 1
    assert len(asked) < 12
    agree(near.office, near.server)


def test_a_server_that_stumbles_over_its_versions_is_asked_again(near: Desk, fake_kobo: Kobo) -> None:
    stumbles = iter([Response("", 500)])
    fake_kobo.kobo.meddle = lambda request: next(stumbles, None) if "/versions/" in request.url.path else None

    assert pulled(near.office).written == 3


def test_an_edit_that_leaves_the_files_fetches_none(near: Desk, fake_kobo: Kobo) -> None:
    near.edit(("b.pdf", OTHER), photo="a.jpg", paper="b.pdf")
    pulled(near.office)
    fake_kobo.kobo.requests.clear()
    near.bulk_edit()

    pulled(near.office)

    assert [one for one in fake_kobo.kobo.requests if "/attachments/" in one] == []
    agree(near.office, near.server)


def test_many_edits_are_asked_for_in_addresses_that_every_server_takes(near: Desk) -> None:
    for _ in range(90):
        near.send(near.xml())
    pulled(near.office)
    near.server.review(sorted(row["_id"] for row in near.server.rows().values()), "approved")

    assert pulled(near.office).found_by_sweep == 93


@pytest.mark.parametrize("name", ["fiche.htm", "fiche.mht"])
def test_a_file_that_is_a_page_is_kept_as_any_other(near: Desk, name: str) -> None:
    root, later = new_id(), new_id()
    sent = near.xml(instance_id=root, paper=name)
    parts = {"xml_submission_file": ("sent.xml", sent, "text/xml"), name: (name, b"<html>", "text/html")}
    headers = {"Authorization": f"Token {TOKEN}"}
    assert requests.post(f"{near.server.url}/submission", files=parts, headers=headers, timeout=TIMEOUT_S).ok
    near.send(near.xml(instance_id=later, photo="z.jpg"), ("z.jpg", PHOTO))

    pulled(near.office)

    assert near.office.held()[root, name] == b"<html>"
    assert near.office.held()[later, "z.jpg"] == PHOTO


def test_a_page_in_the_place_of_a_file_is_none(near: Desk, fake_kobo: Kobo) -> None:
    page = Response("<html>", media_type="text/html")
    fake_kobo.kobo.meddle = lambda request: page if "/attachments/" in request.url.path else None

    with pytest.raises(ServerError, match="SRV-004"):
        pulled(near.office)

    assert near.office.on_disk() == []
