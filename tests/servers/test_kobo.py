"""KoboToolbox as a server like the others: its name, its words, what it has not. On the fake and on the real one."""

import pytest
from starlette.responses import HTMLResponse

from tests.servers.conftest import TIMEOUT_S, Kobo
from tests.servers.fake_kobo import TOKEN
from tests.servers.kobo_hands import BOB, CAROL, Hands
from tests.servers.site import Site
from tests.servers.test_kobo_forms import TWO, follow_up
from tests.servers.test_kobo_rows import data_requests
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.kobo import KoboServer


def test_its_name_tells_the_project_and_no_secret() -> None:
    server = KoboServer("https://someone:s3cret@kobo.example.org/", TOKEN, "TPM", TIMEOUT_S)

    assert server.name == "kobo https://kobo.example.org «TPM»"


def test_a_name_that_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(ServerError, match="SRV-069 · TPM_KOBO_PROJECT"):
        KoboServer("https://kobo.example.org", TOKEN, 'Le "projet"', TIMEOUT_S)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("on_hold", "has_issues"), ("not_approved", "rejected"), ("approved", "approved")],
)
def test_a_review_is_told_in_our_words(kobo: Site, theirs: str, ours: str) -> None:
    kobo.server.deploy([visit_form()])
    sent = new_id()
    kobo.submit(visit(instance_id=sent))
    hands = Hands(kobo)
    here = f"{hands.assets()['visites'].path}data/{sent}/validation_status/"

    hands.api.patch(here, {"validation_status.uid": f"validation_status_{theirs}"})
    assert [kobo.review(row) for row in kobo.sweep()] == [ours]
    hands.api.delete(here)

    assert [kobo.review(row) for row in kobo.sweep()] == ["received"]


def test_a_bulk_edit_is_an_edit_and_the_submission_stays_the_same(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    first, second = new_id(), new_id()
    kobo.submit(visit(instance_id=first), visit(instance_id=second, replaces=first))
    (row,), _ = kobo.pull()
    hands = Hands(kobo)
    change = {"payload": {"submission_ids": [row["_id"]], "data": {"nb_personnes": "9"}}}
    hands.api.patch(f"{hands.assets()['visites'].path}data/bulk/", change)

    (after,), _ = kobo.pull()

    assert kobo.field(after, kobo.server.dialect.submission_id) == first
    assert kobo.field(after, kobo.server.dialect.instance_id) not in {first, second}
    assert (after["nb_personnes"], kobo.review(after)) == ("9", "edited")


def test_a_link_leads_to_the_form_of_the_office_that_sent_it(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)
    hands, ours, theirs = Hands(kobo), new_id(), new_id()
    hands.phone(BOB, "AGA01").submit(visit(form_id="suivis", instance_id=ours))
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis", instance_id=theirs))

    links = [kobo.server.link("suivis", one) for one in (ours, theirs, new_id())]

    uids = [hands.assets()[f"suivis · {office}"].uid for office in ("AGA01", "TIZ01", "AGA01")]
    assert links == [f"{hands.api.url}/#/forms/{uid}/data/table" for uid in uids]


def test_what_it_has_not_is_empty(fake_kobo: Kobo) -> None:
    server = fake_kobo.site.server
    server.deploy([visit_form()])
    fake_kobo.kobo.requests.clear()

    assert server.comments("visites", new_id()) == []
    assert server.entity_lists() == []
    assert [*server.entities("dossiers", None, fake_kobo.site.folder)] == []
    assert server.entity_versions("dossiers", "1") == []
    assert fake_kobo.kobo.requests == []


def test_the_forms_of_a_round_of_pulls_are_listed_once(fake_kobo: Kobo) -> None:
    forms = ["visites", "suivis", "osc"]
    fake_kobo.site.server.deploy([visit_form(form_id=form_id) for form_id in forms])
    fake_kobo.site.submit(*(visit(form_id=form_id) for form_id in forms))
    for _ in range(2):
        fake_kobo.kobo.requests.clear()
        found = [len(fake_kobo.site.pull(form_id=form_id)[0]) for form_id in forms]

        assert found == [1, 1, 1]
        assert len([one for one in fake_kobo.kobo.requests if one.startswith("GET /api/v2/assets/?")]) == 1
        assert len(data_requests(fake_kobo)) == 3


def test_a_form_that_was_begun_and_never_deployed_is_none_to_pull(fake_kobo: Kobo) -> None:
    page = HTMLResponse("<html>", 500)
    fake_kobo.kobo.meddle = lambda request: page if "/deployment/" in request.url.path else None
    with pytest.raises(ServerError, match="SRV-007"):
        fake_kobo.site.server.deploy([visit_form()])

    with pytest.raises(ServerError, match=r"SRV-014 .*visites"):
        fake_kobo.site.pull()
    assert fake_kobo.site.server.current() == {}
    assert fake_kobo.site.server.versions("visites") == []
