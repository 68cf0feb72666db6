"""Rows of KoboToolbox: what is new, what a listing shows, single rows again. On the fake and on the real one."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.conftest import Kobo
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.kobo_hands import BOB, CAROL, Hands
from tests.servers.site import Site
from tests.servers.test_kobo_forms import TWO, follow_up
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers import kobo_rows

ROOT = kobo_rows.SUBMISSION
APPROVED = {"validation_status.uid": "validation_status_approved"}


def sent(site: Site, count: int) -> list[str]:
    site.server.deploy([visit_form()])
    ids = [new_id() for _ in range(count)]
    site.submit(*(visit(instance_id=one) for one in ids))
    return ids


def fetched(site: Site, *ids: str, form_id: str = "visites") -> list[dict[str, Any]]:
    rows = []
    for page in site.server.fetch(form_id, ids, site.folder):
        assert page.cursor is None
        rows += orjson.loads(page.path.read_bytes())
        page.path.unlink()
    return rows


def data_requests(fake: Kobo) -> list[str]:
    return [request for request in fake.kobo.requests if "/data/" in request]


def approve(site: Site, row: str, name: str = "visites") -> None:
    hands = Hands(site)
    hands.api.patch(f"{hands.assets()[name].path}data/{row}/validation_status/", APPROVED)


def test_nothing_changed_brings_no_page_and_asks_for_no_row(fake_kobo: Kobo) -> None:
    sent(fake_kobo.site, 3)
    _, cursor = fake_kobo.site.pull()
    fake_kobo.kobo.requests.clear()

    assert fake_kobo.site.pull(cursor) == ([], cursor)
    assert data_requests(fake_kobo) == []


def test_every_row_comes_once_in_pages_however_many_the_server_gives(
    fake_kobo: Kobo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kobo_rows, "OVERLAP", 0)
    ids = sent(fake_kobo.site, 7)
    fake_kobo.kobo.page_limit = 3

    rows, cursor = fake_kobo.site.pull()

    assert [row[ROOT] for row in rows] == ids
    asked = data_requests(fake_kobo)
    assert len(asked) == 3
    assert not [one for one in asked if any(word in one for word in ("start=", "offset=", "page="))]
    assert fake_kobo.site.pull(cursor) == ([], cursor)
    assert [row[ROOT] for row in fake_kobo.site.sweep()] == ids


def test_a_page_cut_between_its_rows_is_not_taken_for_the_end(fake_kobo: Kobo) -> None:
    sent(fake_kobo.site, 3)

    def empty(request: Request) -> Response | None:
        return JSONResponse({"count": 3, "results": []}) if request.url.path.endswith("/data/") else None

    fake_kobo.kobo.meddle = empty
    with pytest.raises(ServerError, match="SRV-005") as error:
        fake_kobo.site.pull()

    assert error.value.retryable


@pytest.mark.parametrize("said", [{"results": []}, {"count": 1}, {"count": None, "results": []}, ["count"]])
def test_an_answer_without_its_count_or_its_rows_is_not_believed(fake_kobo: Kobo, said: Any) -> None:
    sent(fake_kobo.site, 1)
    fake_kobo.kobo.meddle = lambda request: JSONResponse(said) if request.url.path.endswith("/data/") else None

    for ask in (fake_kobo.site.pull, fake_kobo.site.sweep):
        with pytest.raises(ServerError, match="SRV-005"):
            ask()
    assert list(fake_kobo.site.folder.iterdir()) == []


def test_a_row_without_its_identifier_is_refused(fake_kobo: Kobo) -> None:
    sent(fake_kobo.site, 1)
    old = {"count": 1, "results": [{"_id": 1, "meta/instanceID": new_id()}]}
    fake_kobo.kobo.meddle = lambda request: JSONResponse(old) if request.url.path.endswith("/data/") else None

    with pytest.raises(ServerError, match=r"SRV-065 .*meta/rootUuid"):
        fake_kobo.site.pull()


@pytest.mark.parametrize("cursor", ["2026-11-02", "[]", '{"a": 1}', '{"a": ["x", 1, null]}'])
def test_a_cursor_of_somebody_else_is_refused(kobo: Site, cursor: str) -> None:
    sent(kobo, 0)

    with pytest.raises(ServerError, match="SRV-070"):
        kobo.pull(cursor)


def test_an_edit_is_another_instance_of_the_same_submission(kobo: Site) -> None:
    (first,) = sent(kobo, 1)
    second, third = new_id(), new_id()
    (before,), _ = kobo.pull()
    kobo.submit(visit(instance_id=second, replaces=first), visit(instance_id=third, replaces=second))

    (after,), _ = kobo.pull()

    assert (after[ROOT], after["meta/instanceID"], after["meta/deprecatedID"]) == (first, third, second)
    assert (after["_id"], after["_submission_time"]) == (before["_id"], before["_submission_time"])
    assert after["_uuid"] == third.removeprefix("uuid:") != before["_uuid"]
    (listed,) = kobo.sweep()
    assert (listed[ROOT], listed["meta/instanceID"], kobo.review(listed)) == (first, third, "edited")


def test_an_edit_of_a_version_that_is_no_more_the_last_is_refused(kobo: Site) -> None:
    (first,) = sent(kobo, 1)
    kobo.submit(visit(replaces=first))

    with pytest.raises(ServerError, match=r"SRV-020 .*410"):
        kobo.submit(visit(replaces=first))


def test_a_listing_tells_the_review_that_a_list_without_it_denies(kobo: Site) -> None:
    first, second = sent(kobo, 2)
    approve(kobo, first)

    listed = {row[ROOT]: row for row in kobo.sweep()}

    assert {one: kobo.review(row) for one, row in listed.items()} == {first: "approved", second: "received"}
    assert "nb_personnes" not in listed[first]
    assert {kobo.review(row) for row in kobo.pull()[0]} == {"approved", "received"}


def test_a_listing_tells_of_files_and_not_always_where_they_were_asked_for(kobo: Site) -> None:
    kobo.server.deploy([dossier_form()])
    photo = MediaFile("photo.jpg", b"\xff\xd8")
    kobo.submit(dossier(photo=photo.name), files=(photo,))

    (row,), _ = kobo.pull(form_id=FORM)
    (listed,) = kobo.sweep(FORM)

    (there,), (told,) = row["_attachments"], listed["_attachments"]
    assert (there["uid"], there["is_deleted"]) == (told["uid"], told["is_deleted"])
    # What the listing says of the place is no change of the answers.
    assert (there["question_xpath"], told["question_xpath"]) == ("photo", "")
    assert not [path for path in kobo.server.dialect.content if "question_xpath" in path]


def test_what_was_deleted_is_listed_and_fetched_no_more(kobo: Site) -> None:
    first, second = sent(kobo, 2)
    hands = Hands(kobo)
    hands.api.delete(f"{hands.assets()['visites'].path}data/{first}/")

    assert [row[ROOT] for row in kobo.sweep()] == [second]
    assert [row[ROOT] for row in fetched(kobo, first, second)] == [second]


def test_single_rows_come_from_whichever_office_sent_them(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)
    hands, ids = Hands(kobo), [new_id() for _ in range(3)]
    for office, user, one in [("AGA01", BOB, ids[0]), ("TIZ01", CAROL, ids[1]), ("TIZ01", CAROL, ids[2])]:
        hands.phone(user, office).submit(visit(form_id="suivis", instance_id=one))

    assert {row[ROOT] for row in fetched(kobo, ids[2], ids[0], new_id(), form_id="suivis")} == {ids[0], ids[2]}
    assert sorted(row[ROOT] for row in kobo.sweep("suivis")) == sorted(ids)
    rows, cursor = kobo.pull(form_id="suivis")
    assert sorted(row[ROOT] for row in rows) == sorted(ids)
    assert kobo.pull(cursor, "suivis") == ([], cursor)


def test_many_single_rows_are_asked_for_in_several_addresses(fake_kobo: Kobo) -> None:
    ids = sent(fake_kobo.site, 3)
    fake_kobo.kobo.requests.clear()

    asked = [*ids[:2], *(new_id() for _ in range(250)), ids[2]]
    assert sorted(row[ROOT] for row in fetched(fake_kobo.site, *asked)) == sorted(ids)

    assert len(data_requests(fake_kobo)) == 6


def test_a_row_that_shows_late_comes_with_the_next_one(fake_kobo: Kobo) -> None:
    sent(fake_kobo.site, 1)
    fake_kobo.kobo.slow = True
    late = new_id()
    fake_kobo.site.submit(visit(instance_id=late))
    fake_kobo.kobo.slow = False
    fake_kobo.site.submit(visit())
    _, cursor = fake_kobo.site.pull()

    fake_kobo.kobo.arrive()
    fake_kobo.site.submit(visit())

    assert late in {row[ROOT] for row in fake_kobo.site.pull(cursor)[0]}


def test_a_row_that_is_dated_back_is_new_all_the_same(kobo: Site) -> None:
    sent(kobo, 1)
    _, cursor = kobo.pull()
    dated = new_id()
    xml = visit(instance_id=dated).replace(b"<data", b'<data submissionDate="2020-01-02T03:04:05+03:00"', 1)
    kobo.submit(xml)

    rows, _ = kobo.pull(cursor)

    assert dated in {row[ROOT] for row in rows}


def test_a_time_is_utc_to_the_second_and_does_not_say_so(kobo: Site) -> None:
    before = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    sent(kobo, 1)
    after = datetime.now(UTC).replace(tzinfo=None)

    (row,), _ = kobo.pull()

    assert len(row["_submission_time"]) == len("2026-11-02T08:00:00")
    assert before <= datetime.fromisoformat(row["_submission_time"]) <= after


def test_a_duplicate_is_a_submission_of_its_own(kobo: Site) -> None:
    (first,) = sent(kobo, 1)
    hands = Hands(kobo)
    hands.api.post(f"{hands.assets()['visites'].path}data/{first}/duplicate/", {})

    rows, _ = kobo.pull()

    assert len({row[ROOT] for row in rows}) == len(rows) == 2


def test_answers_are_texts_under_their_path_and_what_was_not_answered_is_not_there(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    kobo.submit(visit(persons="", services=[("sante", "2"), ("droit", "")]))

    (row,), _ = kobo.pull()

    assert row["g_bureau/bureau"] == 'Agadir é&"'
    assert row["besoins"] == "sante droit"
    assert row["orientations"] == [
        {"orientations/service": "sante", "orientations/delai": "2"},
        {"orientations/service": "droit"},
    ]
    assert "nb_personnes" not in row
    assert isinstance(row["_id"], int)


def test_the_history_is_not_asked_for(fake_kobo: Kobo) -> None:
    sent(fake_kobo.site, 1)
    fake_kobo.site.pull()
    fake_kobo.site.sweep()

    assert not [request for request in fake_kobo.kobo.requests if "/history/" in request or "/exports/" in request]


def test_a_row_of_a_repeat_without_answers_is_not_there(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    kobo.submit(visit(services=[("", ""), ("droit", " ")]))

    (row,), _ = kobo.pull()

    assert row["orientations"] == [{"orientations/service": "droit"}]
