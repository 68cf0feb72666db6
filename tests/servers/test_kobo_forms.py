"""Forms on KoboToolbox: imported with files, deployed, changed by us and by hands. On the fake and on the real one."""

from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from tests.servers.conftest import Kobo
from tests.servers.kobo_hands import ALICE, BOB, CAROL, Hands
from tests.servers.site import Site
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import content
from tpm_pipeline.records import Access, Change, CompiledForm, MediaFile
from tpm_pipeline.servers import kobo_forms
from tpm_pipeline.servers.kobo_forms import Place, places

MALI, NIGER = (MediaFile("pays.csv", f"name,label\n{row}\n".encode()) for row in ("ml,Mali", "ne,Niger"))
CASES = MediaFile("dossiers.csv", b"name,label\n")
TWO = Access(accounts={"TIZ01": (CAROL,), "AGA01": (BOB,)}, own_cases=("dossiers",))


def follow_up(version: str = "1", cases: MediaFile = CASES, *files: MediaFile) -> CompiledForm:
    """A form that reads and writes the cases of an office."""
    form = visit_form(version, form_id="suivis", files=files, creates="dossiers")
    return replace(form, media=(*files, cases))


def lines(changes: list[Change]) -> list[str]:
    return [f"{change.action}: {change.what}" for change in changes]


def test_a_form_is_known_by_what_is_written_beside_it_and_open_to_phones(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[MALI])])

    hands = Hands(kobo)
    asset = hands.assets()["visites"]
    assert (asset.name, asset.is_active, asset.deployed) == ("Visites", True, asset.version)
    assert content.is_ours(hands.shown()["content"])
    phone = hands.view(ALICE)
    assert phone.files(asset.uid) == {"pays.csv": MALI.content}
    assert {"nb_personnes", "bureau", "delai"} <= phone.questions(asset.uid)


def test_a_new_version_reaches_phones_and_what_was_sent_before_is_read_as_before(kobo: Site) -> None:
    kobo.server.deploy([visit_form("1")])
    kobo.submit(visit(version="1", persons="4"))
    hands = Hands(kobo)
    before = hands.assets()["visites"]

    assert lines(kobo.server.plan([visit_form("2", extra="langue")])) == ["update: visites 2"]
    kobo.server.deploy([visit_form("2", extra="langue")])

    after = hands.assets()["visites"]
    assert (after.uid, after.deployed == before.deployed) == (before.uid, False)
    assert "langue" in hands.view(ALICE).questions(after.uid)
    kobo.submit(visit(version="2", more="<langue>fr</langue>"), visit(version="1"))
    rows, _ = kobo.pull()
    assert [(kobo.version(row), row.get("langue"), row["nb_personnes"]) for row in rows] == [
        ("1", None, "4"),
        ("2", "fr", "3"),
        ("1", None, "3"),
    ]


def test_a_phone_that_still_has_the_old_form_may_send_what_it_holds(kobo: Site) -> None:
    kobo.server.deploy([visit_form("1", extra="langue")])
    phone = kobo.phone()
    phone.submit(visit(more="<langue>fr</langue>"))
    kobo.server.deploy([visit_form("2")])

    phone.submit(visit(more="<langue>ar</langue>"))

    rows, _ = kobo.pull()
    assert [(kobo.version(row), row["langue"]) for row in rows] == [("1", "fr"), ("1", "ar")]


def test_a_file_that_changed_replaces_the_one_of_its_name_on_phones(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[MALI])])
    changed = visit_form(files=[NIGER])

    assert lines(kobo.server.plan([changed])) == ["update: visites 1: pays.csv"]
    kobo.server.deploy([changed])

    hands = Hands(kobo)
    assert hands.files() == ["pays.csv"]
    assert hands.view(ALICE).files(hands.assets()["visites"].uid) == {"pays.csv": NIGER.content}
    assert lines(kobo.server.plan([changed])) == ["none: visites 1"]


def test_a_file_that_a_hand_took_away_comes_back(kobo: Site) -> None:
    form = follow_up("1", CASES, MALI)
    kobo.server.deploy([form])
    hands = Hands(kobo)
    here = f"{hands.assets()['suivis'].path}files/"
    for row in hands.api.get(here)["results"]:
        hands.api.delete(f"{here}{row['uid']}/")

    assert lines(kobo.server.plan([form])) == ["update: suivis 1: pays.csv, dossiers.csv"]
    kobo.server.deploy([form])

    assert hands.files("suivis") == ["dossiers.csv", "pays.csv"]


def test_a_file_that_the_form_has_no_more_is_taken_away(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[MALI])])

    assert lines(kobo.server.deploy([visit_form()])) == ["update: visites 1: pays.csv"]

    assert Hands(kobo).files() == []
    assert lines(kobo.server.plan([visit_form()])) == ["none: visites 1"]


def test_a_list_is_only_begun_by_a_deployment(kobo: Site) -> None:
    begun = MediaFile("dossiers.csv", b"name,label\n1,Amina\n")
    kobo.server.deploy([follow_up("1", begun)])
    hands = Hands(kobo)

    assert lines(kobo.server.deploy([follow_up("1", CASES)])) == ["none: suivis 1"]
    assert lines(kobo.server.deploy([follow_up("2", CASES)])) == ["update: suivis 2"]

    assert hands.view(ALICE).files(hands.assets()["suivis"].uid) == {"dossiers.csv": begun.content}


def test_a_form_that_reads_cases_is_one_of_each_office(kobo: Site) -> None:
    kobo.server.deploy([visit_form(), follow_up()], TWO)

    hands = Hands(kobo)
    names = {name: asset.name for name, asset in hands.assets().items()}
    assert names == {
        "visites": "Visites",
        "suivis · AGA01": "Visites · AGA01",
        "suivis · TIZ01": "Visites · TIZ01",
    }
    listed = hands.view(BOB).forms().items()
    ours = {asset.uid for asset in hands.assets().values()}
    assert sorted(form["name"] for uid, form in listed if uid in ours) == ["Visites", "Visites · AGA01"]
    assert [one.form_id for one in kobo.server.versions("suivis")] == ["suivis", "suivis"]
    assert len(kobo.server.current()["suivis"]) == 2


def test_an_office_that_is_gone_leaves_its_form_archived_and_its_rows_to_be_pulled(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)
    hands = Hands(kobo)
    hands.phone(BOB, "AGA01").submit(visit(form_id="suivis", persons="1"))
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis", persons="2"))
    one = replace(TWO, accounts={"AGA01": (BOB,)})

    planned = kobo.server.plan([follow_up()], one)

    assert lines(planned) == [
        "revoke: suivis · TIZ01: account carol",
        "none: suivis · AGA01 1",
        "update: suivis · TIZ01 is retired: phones get it no more, and can no more send it",
    ]
    assert kobo.server.deploy([follow_up()], one) == planned
    assert {name: asset.is_active for name, asset in hands.assets().items()} == {
        "suivis · AGA01": True,
        "suivis · TIZ01": False,
    }
    assert hands.count(CAROL, "suivis · TIZ01") is None
    assert sorted(row["nb_personnes"] for row in kobo.pull(form_id="suivis")[0]) == ["1", "2"]
    assert {change.action for change in kobo.server.plan([follow_up()], one)} == {"none"}


def test_a_form_that_begins_to_read_cases_leaves_everybodys_for_the_offices_own(kobo: Site) -> None:
    kobo.server.deploy([visit_form(form_id="suivis")], TWO)
    hands = Hands(kobo)
    hands.phone(BOB).submit(visit(form_id="suivis"))

    kobo.server.deploy([follow_up("2")], TWO)
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis", version="2"))

    assert {name: asset.is_active for name, asset in hands.assets().items()} == {
        "suivis": False,
        "suivis · AGA01": True,
        "suivis · TIZ01": True,
    }
    assert len(kobo.pull(form_id="suivis")[0]) == 2
    assert {change.action for change in kobo.server.plan([follow_up("2")], TWO)} == {"none"}


def test_without_accounts_or_cases_of_its_own_a_form_is_everybodys() -> None:
    assert places(visit_form(), TWO) == [Place("visites")]
    assert places(follow_up(), Access(own_cases=("dossiers",))) == [Place("suivis")]
    assert places(follow_up(), replace(TWO, own_cases=())) == [Place("suivis")]
    assert places(follow_up(), TWO) == [Place("suivis", "AGA01"), Place("suivis", "TIZ01")]


@pytest.mark.parametrize("is_deployed", [False, True])
def test_questions_that_a_hand_changed_are_kept_until_forced(kobo: Site, is_deployed: bool) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    hands.edit()
    if is_deployed:
        hands.deploy()

    line = "drift: visites: its questions were changed in KoboToolbox, and would be those of 1"
    assert lines(kobo.server.plan([visit_form()])) == [line]
    with pytest.raises(ServerError, match="SRV-040"):
        kobo.server.deploy([visit_form()])
    assert not content.is_ours(hands.shown()["content"])
    kobo.server.deploy([visit_form()], force=True)

    assert content.is_ours(hands.shown()["content"])
    assert "ajoutee" not in hands.view(ALICE).questions(hands.assets()["visites"].uid)
    assert lines(kobo.server.plan([visit_form()])) == ["none: visites 1"]


def test_another_name_given_by_a_hand_is_no_change_of_its_questions(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    hands.api.patch(hands.assets()["visites"].path, {"name": "Visites du bureau"})

    assert lines(kobo.server.plan([visit_form()])) == ["update: visites 1"]
    assert lines(kobo.server.deploy([visit_form()])) == ["update: visites 1"]

    assert [asset.name for asset in hands.assets().values()] == ["Visites"]


def test_a_name_given_and_deployed_by_a_hand_stays(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    hands.api.patch(hands.assets()["visites"].path, {"name": "Visites du bureau"})
    hands.deploy()

    assert lines(kobo.server.deploy([visit_form()])) == ["none: visites 1"]
    assert [asset.name for asset in hands.assets().values()] == ["Visites du bureau"]


def test_a_form_that_a_hand_archived_is_opened_again(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    hands.archive()

    assert lines(kobo.server.deploy([visit_form()])) == ["update: visites 1: phones may send it again"]

    kobo.submit(visit())
    assert lines(kobo.server.deploy([visit_form()])) == ["none: visites 1"]


def test_a_form_it_cannot_import_is_named_with_its_words(kobo: Site) -> None:
    form = visit_form()
    twice = (*form.sheets["survey"], {"type": "text", "name": "nb_personnes", "label": "Encore"})

    with pytest.raises(ServerError, match=r"SRV-066 · visites: .*Duplicate.*nb_personnes"):
        kobo.server.deploy([replace(form, sheets={**form.sheets, "survey": twice})])

    kobo.server.deploy([form])
    assert [*Hands(kobo).assets()] == ["visites"]


def test_a_form_it_cannot_deploy_is_told_in_the_words_of_its_compiler(kobo: Site) -> None:
    form = visit_form()
    wrong = (*form.sheets["survey"], {"type": "text", "name": "x", "label": "X", "relevant": "${nulle_part} = 1"})

    with pytest.raises(ServerError, match=r"SRV-063 .*HTTP 400.*nulle_part"):
        kobo.server.deploy([replace(form, sheets={**form.sheets, "survey": wrong})])

    assert lines(kobo.server.plan([form])) == ["update: visites 1"]
    kobo.server.deploy([form])
    assert [*Hands(kobo).assets()] == ["visites"]


def test_a_form_that_is_read_for_too_long_may_be_tried_again(fake_kobo: Kobo, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([JSONResponse({"status": "processing"}), None])

    def slow(request: Request) -> JSONResponse | None:
        return next(waits) if "/imports/i" in request.url.path else None

    monkeypatch.setattr(kobo_forms, "_PAUSES_S", (0.0,))
    fake_kobo.kobo.meddle = slow

    with pytest.raises(ServerError, match="SRV-067") as error:
        fake_kobo.site.server.deploy([visit_form()])
    assert error.value.retryable
    assert lines(fake_kobo.site.server.deploy([visit_form()])) == ["update: visites 1"]
    assert len(fake_kobo.kobo.assets) == 1


def test_an_import_is_followed_by_its_own_address(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy([visit_form()])

    asked = [one.partition("/imports/") for one in fake_kobo.kobo.requests if "/imports/" in one]
    assert [(method, task[:1]) for method, _, task in asked] == [("POST /api/v2", ""), ("GET /api/v2", "i")]
    assert {asset.kind for asset in fake_kobo.kobo.assets.values()} == {"survey"}
