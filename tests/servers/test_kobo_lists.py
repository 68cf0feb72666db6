"""Lists that phones of KoboToolbox look into, as the warehouse knows them. On the fake and on the real one."""

from copy import deepcopy
from dataclasses import replace

import pytest
from starlette.responses import JSONResponse

from tests.servers.conftest import Kobo
from tests.servers.kobo_hands import ALICE, BOB, CAROL, EVERYBODY, Hands, lost, shared
from tests.servers.site import Site
from tests.servers.test_kobo_deploy import interrupted
from tests.servers.test_kobo_forms import CASES, MALI, TWO, follow_up, lines
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import content
from tpm_pipeline.records import MediaFile, SharedList
from tpm_pipeline.servers import kobo_media

HEADER = b"name,label\n"
DOSSIERS = shared("dossiers", "1,Amina", "2,Binta", AGA01="1,Amina", TIZ01="2,Binta")
OFFICES = MediaFile("bureaux.csv", b"name,label\na,Agadir\n")
BUREAUX = SharedList("bureaux", b"name,label\na,Agadir\nt,Tiznit\n")


def given(site: Site, user: str, name: str = "suivis", file: str = "dossiers.csv") -> bytes:
    """What an account's phone downloads."""
    hands = Hands(site)
    return hands.view(user).files(hands.assets()[name].uid)[file]


def share(site: Site, *lists: SharedList) -> list[str]:
    return lines(site.server.share(lambda: lists))


def test_each_offices_phones_get_its_own_cases_and_nobody_elses(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)

    assert share(kobo, DOSSIERS) == ["update: suivis · AGA01: dossiers.csv", "update: suivis · TIZ01: dossiers.csv"]

    assert given(kobo, BOB, "suivis · AGA01") == HEADER + b"1,Amina\n"
    assert given(kobo, CAROL, "suivis · TIZ01") == HEADER + b"2,Binta\n"
    assert share(kobo, DOSSIERS) == []
    assert lines(kobo.server.plan([follow_up()], TWO)) == ["none: suivis · AGA01 1", "none: suivis · TIZ01 1"]


def test_a_form_that_a_hand_opened_to_everybody_is_given_no_cases(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)
    Hands(kobo).allow(EVERYBODY, "add_submissions", "suivis · AGA01")

    with pytest.raises(ServerError, match=r"SRV-077 · suivis · AGA01.*without an account.*tpm deploy"):
        share(kobo, DOSSIERS)

    assert given(kobo, BOB, "suivis · AGA01") == HEADER
    assert given(kobo, CAROL, "suivis · TIZ01") == HEADER + b"2,Binta\n"
    kobo.server.deploy([follow_up()], TWO)
    assert share(kobo, DOSSIERS) == ["update: suivis · AGA01: dossiers.csv"]


def test_only_the_office_whose_cases_changed_is_given_them_anew(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)
    share(kobo, DOSSIERS)
    before = Hands(kobo).assets()
    later = shared("dossiers", "1,Amina", "2,Binta", "3,Coumba", AGA01="1,Amina", TIZ01="3,Coumba")

    assert share(kobo, later) == ["update: suivis · TIZ01: dossiers.csv"]

    assert given(kobo, CAROL, "suivis · TIZ01") == HEADER + b"3,Coumba\n"
    assert Hands(kobo).assets()["suivis · AGA01"] == before["suivis · AGA01"]
    assert Hands(kobo).files("suivis · TIZ01") == ["dossiers.csv"]


def test_an_office_without_cases_gets_the_header_and_never_the_whole(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)

    share(kobo, shared("dossiers", "1,Amina", AGA01="1,Amina"))

    assert given(kobo, CAROL, "suivis · TIZ01") == HEADER


def test_everybodys_form_gets_the_whole_list(kobo: Site) -> None:
    kobo.server.deploy([follow_up()])

    assert share(kobo, DOSSIERS) == ["update: suivis: dossiers.csv"]

    assert given(kobo, ALICE) == DOSSIERS.whole


def test_a_list_that_a_form_only_reads_stays_as_shared_whatever_is_deployed(kobo: Site) -> None:
    reads = follow_up("1", CASES, OFFICES)
    kobo.server.deploy([reads])
    assert given(kobo, ALICE, file="bureaux.csv") == OFFICES.content

    assert share(kobo, BUREAUX) == ["update: suivis: bureaux.csv"]
    assert lines(kobo.server.deploy([reads])) == ["none: suivis 1"]
    kobo.server.deploy([follow_up("2", CASES, OFFICES)])

    assert given(kobo, ALICE, file="bureaux.csv") == BUREAUX.whole
    assert share(kobo, BUREAUX) == []


def test_a_form_that_several_offices_fill_never_gets_their_cases(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], replace(TWO, own_cases=()))

    share(kobo, DOSSIERS)

    assert given(kobo, BOB) == given(kobo, CAROL) == HEADER


def test_a_form_that_shows_cases_no_more_has_their_list_no_more(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], replace(TWO, accounts={}))
    share(kobo, DOSSIERS)
    reads_none = visit_form("2", form_id="suivis")

    kobo.server.deploy([reads_none], TWO)
    share(kobo, DOSSIERS)

    hands = Hands(kobo)
    assert hands.files("suivis") == []
    assert hands.view(BOB).files(hands.assets()["suivis"].uid) == {}
    assert lines(kobo.server.plan([reads_none], TWO)) == ["none: suivis 2"]


def test_a_file_that_a_hand_gave_a_form_is_none_of_our_lists_and_stays(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], TWO)
    hands = Hands(kobo)
    kobo_media.replace(hands.api, hands.assets()["visites"].uid, CASES, None)
    hands.deploy()

    assert share(kobo, DOSSIERS) == []
    kobo.server.deploy([visit_form("2")], TWO)

    assert given(kobo, BOB, "visites") == CASES.content


def test_an_office_that_comes_back_gets_no_list_of_long_ago(kobo: Site) -> None:
    one = replace(TWO, accounts={"AGA01": (BOB,)})
    kobo.server.deploy([follow_up()], TWO)
    share(kobo, DOSSIERS)
    kobo.server.deploy([follow_up()], one)

    assert lines(kobo.server.deploy([follow_up()], TWO)) == [
        "none: suivis · AGA01 1",
        "update: suivis · TIZ01 1: phones may send it again",
        "create: suivis · TIZ01: account carol may send it and see what TIZ01 sent",
        "update: suivis: run `tpm refresh` next, to give phones the lists",
    ]

    assert (given(kobo, BOB, "suivis · AGA01"), given(kobo, CAROL, "suivis · TIZ01")) == (HEADER + b"1,Amina\n", HEADER)
    assert share(kobo, DOSSIERS) == ["update: suivis · TIZ01: dossiers.csv"]


def test_a_list_no_form_has_goes_nowhere(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[MALI])])

    assert share(kobo, DOSSIERS, BUREAUX) == []
    assert Hands(kobo).files() == ["pays.csv"]


def test_a_form_that_phones_get_no_more_is_given_nothing(kobo: Site) -> None:
    kobo.server.deploy([follow_up()])
    kobo.server.deploy([follow_up()], replace(TWO, accounts={}, retired=("suivis",)))

    assert share(kobo, DOSSIERS) == []


def test_a_list_waits_while_a_hand_is_changing_the_form(kobo: Site) -> None:
    kobo.server.deploy([follow_up(), visit_form(form_id="visites")])
    hands = Hands(kobo)
    hands.edit("suivis")

    with pytest.raises(ServerError, match=r"SRV-074 · suivis · .*dossiers\.csv must wait"):
        share(kobo, DOSSIERS)

    assert given(kobo, ALICE) == HEADER
    hands.deploy("suivis")
    assert share(kobo, DOSSIERS) == ["update: suivis: dossiers.csv"]
    assert given(kobo, ALICE) == DOSSIERS.whole
    assert not content.is_ours(hands.shown("suivis")["content"])


def test_a_form_that_waits_does_not_hold_up_the_others(fake_kobo: Kobo) -> None:
    site = fake_kobo.site
    site.server.deploy([follow_up(), replace(follow_up(), form_id="autres")])
    Hands(site).edit("autres")

    with pytest.raises(ServerError, match=r"SRV-074 · autres · .*dossiers\.csv must wait"):
        share(site, DOSSIERS)

    assert given(site, ALICE) == DOSSIERS.whole


def test_a_form_that_cannot_have_its_list_does_not_hold_up_the_others(fake_kobo: Kobo) -> None:
    site = fake_kobo.site
    site.server.deploy([follow_up(), *(replace(follow_up(), form_id=form_id) for form_id in ("autres", "derniers"))])
    broken = Hands(site).assets()["autres"].uid
    refusal = JSONResponse({"detail": "Refused."}, 400)
    fake_kobo.kobo.meddle = lambda request: refusal if f"{broken}/deployment/" in request.url.path else None

    with pytest.raises(ServerError, match=r"SRV-063 · autres · .*Refused"):
        share(site, DOSSIERS)

    assert given(site, ALICE) == given(site, ALICE, "derniers") == DOSSIERS.whole


@pytest.mark.parametrize("when", ["while the lists are made", "while they are given"])
def test_what_a_hand_begins_meanwhile_does_not_reach_phones_with_the_list(kobo: Site, when: str) -> None:
    kobo.server.deploy([follow_up()])
    hands = Hands(kobo)

    def made() -> list[SharedList]:
        if when == "while the lists are made":
            hands.edit("suivis")
        return [DOSSIERS]

    def told(_: str) -> None:
        if when == "while they are given":
            hands.edit("suivis")

    with pytest.raises(ServerError, match="SRV-074"):
        kobo.server.share(made, progress=told)

    assert "ajoutee" not in hands.view(ALICE).questions(hands.assets()["suivis"].uid)


def test_a_form_that_a_hand_archives_meanwhile_is_not_opened_by_its_list(kobo: Site) -> None:
    kobo.server.deploy([follow_up()])
    hands = Hands(kobo)

    with pytest.raises(ServerError, match="SRV-074"):
        kobo.server.share(lambda: [DOSSIERS], progress=lambda _: hands.archive("suivis"))

    assert not hands.assets()["suivis"].is_active


def test_a_deployment_that_was_interrupted_is_not_finished_without_its_files(fake_kobo: Kobo) -> None:
    site = fake_kobo.site
    site.server.deploy([follow_up()])
    newer = follow_up("2", CASES, MALI)
    uid = Hands(site).assets()["suivis"].uid
    failure = JSONResponse({}, 500)
    fake_kobo.kobo.meddle = lambda one: failure if one.method == "POST" and one.url.path.endswith("/files/") else None
    assert lost(lambda: site.server.deploy([newer]))
    fake_kobo.kobo.meddle = lambda _: None

    with pytest.raises(ServerError, match="SRV-074"):
        share(site, DOSSIERS)

    assert Hands(site).view(ALICE).files(uid) == {"dossiers.csv": HEADER}
    site.server.deploy([newer])
    share(site, DOSSIERS)
    assert Hands(site).view(ALICE).files(uid) == {"dossiers.csv": DOSSIERS.whole, "pays.csv": MALI.content}


def test_an_account_that_is_let_in_while_lists_are_made_can_be_shut_out_again(kobo: Site) -> None:
    nobody, bob = (replace(TWO, accounts={"AGA01": names}) for names in ((), (BOB,)))
    kobo.server.deploy([follow_up()], nobody)
    hands = Hands(kobo)

    def made() -> list[SharedList]:
        hands.colleague().deploy([follow_up()], bob)
        return [DOSSIERS]

    kobo.server.share(made)

    assert given(kobo, BOB, "suivis · AGA01") == HEADER + b"1,Amina\n"
    kobo.server.deploy([follow_up()], nobody)
    assert hands.allowed(BOB, "suivis · AGA01") == set()


def test_nothing_is_sent_when_nothing_changed(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy([follow_up()], TWO)
    share(fake_kobo.site, DOSSIERS)
    fake_kobo.kobo.requests.clear()

    assert share(fake_kobo.site, DOSSIERS) == []

    assert {request.partition(" ")[0] for request in fake_kobo.kobo.requests} == {"GET"}


def test_progress_names_each_form(fake_kobo: Kobo) -> None:
    told: list[str] = []
    fake_kobo.site.server.deploy([follow_up()], TWO)

    fake_kobo.site.server.share(lambda: [DOSSIERS], progress=told.append)

    assert told == ["suivis · AGA01: dossiers.csv", "suivis · TIZ01: dossiers.csv"]


@pytest.mark.parametrize("how", ["request", "answer", "half an answer"])
def test_interrupted_at_any_request_the_next_call_finishes(fake_kobo: Kobo, how: str) -> None:
    site, step, is_cut = fake_kobo.site, 0, True
    site.server.deploy([follow_up()], TWO)
    before = deepcopy(fake_kobo.kobo.assets)
    while is_cut:
        fake_kobo.kobo.assets = deepcopy(before)
        with interrupted(fake_kobo.kobo, how, step):
            is_cut = lost(lambda: share(site, DOSSIERS))
        step += 1

        share(site, DOSSIERS)

        assert given(site, BOB, "suivis · AGA01") == HEADER + b"1,Amina\n"
        assert given(site, CAROL, "suivis · TIZ01") == HEADER + b"2,Binta\n"
        assert share(site, DOSSIERS) == []
        assert {change.action for change in site.server.plan([follow_up()], TWO)} == {"none"}
    assert step > 10


def test_interrupted_at_any_request_a_deployment_does_not_undo_what_was_shared(fake_kobo: Kobo) -> None:
    site, step, is_cut = fake_kobo.site, 0, True
    forms = [follow_up("1", CASES, OFFICES)]
    site.server.deploy(forms)
    before = deepcopy(fake_kobo.kobo.assets)
    while is_cut:
        fake_kobo.kobo.assets = deepcopy(before)
        with interrupted(fake_kobo.kobo, "answer", step):
            is_cut = lost(lambda: share(site, BUREAUX, DOSSIERS))
        step += 1

        site.server.deploy(forms)
        share(site, BUREAUX, DOSSIERS)

        assert (given(site, ALICE, file="bureaux.csv"), given(site, ALICE)) == (BUREAUX.whole, DOSSIERS.whole)
        assert lines(site.server.deploy(forms)) == ["none: suivis 1"]
    assert step > 8


def test_a_deployment_leaves_phones_the_list_that_an_interrupted_call_took_away(fake_kobo: Kobo) -> None:
    site = fake_kobo.site
    site.server.deploy([follow_up()], TWO)
    share(site, DOSSIERS)
    later = shared("dossiers", "3,Coumba", AGA01="3,Coumba")
    failure = JSONResponse({}, 500)
    fake_kobo.kobo.meddle = lambda one: failure if one.method == "POST" and one.url.path.endswith("/files/") else None
    assert lost(lambda: share(site, later))
    fake_kobo.kobo.meddle = lambda _: None

    assert {change.action for change in site.server.deploy([follow_up()], TWO)} == {"none"}

    assert given(site, BOB, "suivis · AGA01") == HEADER + b"1,Amina\n"
    share(site, later)
    assert given(site, BOB, "suivis · AGA01") == HEADER + b"3,Coumba\n"


def test_interrupted_at_any_request_a_deployment_that_is_finished_later_is_given_its_list(fake_kobo: Kobo) -> None:
    site, step, is_cut = fake_kobo.site, 0, True
    one = replace(TWO, accounts={"AGA01": (BOB,)})
    while is_cut:
        fake_kobo.kobo.assets.clear()
        with interrupted(fake_kobo.kobo, "answer", step):
            is_cut = lost(lambda: site.server.deploy([follow_up()], one))
        step += 1

        site.server.deploy([follow_up()], one)
        share(site, DOSSIERS)

        assert given(site, BOB, "suivis · AGA01") == HEADER + b"1,Amina\n"
    assert step > 10
