"""Accounts of offices on KoboToolbox: who sends and sees what. On the fake and on the real one."""

from dataclasses import replace

import pytest

from tests.servers.conftest import Kobo
from tests.servers.kobo_hands import ALICE, BOB, CAROL, EVERYBODY, STRANGER, Hands, lost, shared
from tests.servers.site import Site
from tests.servers.test_kobo_forms import TWO, follow_up, lines
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access
from tpm_pipeline.servers.openrosa import OpenRosaClient

BOTH = Access(accounts={"AGA01": (BOB,), "TIZ01": (CAROL,)})
OPEN = Access(anonymous=("visites",))
NOBODY = "personne_de_ce_nom"


def test_an_account_sends_and_sees_its_own_offices_form_and_no_others(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)
    hands = Hands(kobo)
    hands.phone(BOB, "AGA01").submit(visit(form_id="suivis"))
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis"))
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis"))

    assert [hands.count(user, "suivis · AGA01") for user in (ALICE, BOB, CAROL)] == [1, 1, None]
    assert [hands.count(user, "suivis · TIZ01") for user in (ALICE, BOB, CAROL)] == [2, None, 2]
    with pytest.raises(ServerError, match="403"):
        OpenRosaClient.submit(hands.phone(BOB), hands.phone(ALICE, "TIZ01").rewritten(visit(form_id="suivis")))
    assert hands.allowed(BOB, "suivis · AGA01") == {"view_asset", "add_submissions", "view_submissions"}


def test_in_everybodys_form_an_account_sees_what_its_own_office_sent(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], BOTH)
    hands = Hands(kobo)
    hands.phone(BOB).submit(visit())
    hands.phone(CAROL).submit(visit())
    hands.phone(CAROL).submit(visit())

    assert [hands.count(user) for user in (ALICE, BOB, CAROL)] == [3, 1, 2]
    assert hands.allowed(BOB) == {"view_asset", "add_submissions", "partial_submissions"}
    assert lines(kobo.server.plan([visit_form()], BOTH)) == ["none: visites 1"]


def test_accounts_of_one_office_see_what_each_other_sent(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], BOTH)
    hands = Hands(kobo)
    hands.phone(BOB).submit(visit())
    together = Access(accounts={"AGA01": (CAROL, BOB)})

    assert lines(kobo.server.deploy([visit_form()], together)) == [
        "none: visites 1",
        "create: visites: account carol may send it and see what AGA01 sent",
        "create: visites: account bob may send it and see what AGA01 sent",
    ]

    assert [hands.count(user) for user in (BOB, CAROL)] == [1, 1]
    assert lines(kobo.server.plan([visit_form()], Access(accounts={"AGA01": (BOB, CAROL)}))) == ["none: visites 1"]


def test_an_account_of_two_offices_sees_what_both_sent(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], Access(accounts={"AGA01": (BOB,), "TIZ01": (CAROL, BOB)}))
    hands = Hands(kobo)
    hands.phone(BOB).submit(visit())
    hands.phone(CAROL).submit(visit())

    assert [hands.count(user) for user in (BOB, CAROL)] == [2, 2]


def test_an_account_that_is_declared_no_more_is_shut_out(kobo: Site) -> None:
    kobo.server.deploy([visit_form(), follow_up()], TWO)
    hands = Hands(kobo)
    less = replace(TWO, accounts={"AGA01": (BOB,), "TIZ01": ()})

    assert lines(kobo.server.deploy([visit_form(), follow_up()], less))[:2] == [
        "revoke: visites: account carol",
        "revoke: suivis · TIZ01: account carol",
    ]

    assert hands.allowed(CAROL) == hands.allowed(CAROL, "suivis · TIZ01") == set()
    assert hands.allowed(BOB) == {"view_asset", "add_submissions", "partial_submissions"}
    ours = {asset.uid for asset in hands.assets().values()}
    assert not ours & hands.view(CAROL).forms().keys()
    assert {change.action for change in kobo.server.plan([visit_form(), follow_up()], less)} == {"none"}


def test_an_account_is_shut_out_of_a_form_that_is_retired_or_not_spoken_of(kobo: Site) -> None:
    kobo.server.deploy([visit_form(), visit_form(form_id="ancien")], Access(accounts={"AGA01": (BOB,)}))

    planned = kobo.server.plan([], Access(retired=("ancien",)))

    assert lines(planned) == [
        "revoke: ancien: account bob",
        "revoke: visites: account bob",
        "update: ancien is retired: phones get it no more, and can no more send it",
    ]
    assert kobo.server.deploy([], Access(retired=("ancien",))) == planned
    assert Hands(kobo).allowed(BOB) == Hands(kobo).allowed(BOB, "ancien") == set()


def test_an_account_that_goes_to_another_office_leaves_what_its_first_one_sent(kobo: Site) -> None:
    forms, retired = [visit_form(), visit_form(form_id="ancien")], ("ancien",)
    together, apart = Access(accounts={"AGA01": (BOB, CAROL)}), replace(BOTH, retired=retired)
    kobo.server.deploy(forms, together)
    hands = Hands(kobo)
    for form_id in ("visites", "ancien"):
        hands.phone(BOB).submit(visit(form_id=form_id))
    assert [hands.count(CAROL, name) for name in ("visites", "ancien")] == [1, 1]

    kobo.server.deploy(forms, apart)

    assert [hands.count(CAROL, name) for name in ("visites", "ancien")] == [0, 0]
    assert [hands.count(BOB, name) for name in ("visites", "ancien")] == [1, 1]
    assert {change.action for change in kobo.server.plan(forms, apart)} == {"none"}


def test_what_a_hand_gave_somebody_else_stays(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], Access(accounts={"AGA01": (BOB,)}))
    hands = Hands(kobo)
    hands.allow(CAROL, "validate_submissions")
    given = hands.allowed(CAROL)

    assert lines(kobo.server.deploy([visit_form()], Access(accounts={"AGA01": (BOB,)}))) == ["none: visites 1"]
    assert lines(kobo.server.deploy([visit_form()])) == ["revoke: visites: account bob", "none: visites 1"]

    assert hands.allowed(CAROL) == given == {"view_asset", "view_submissions", "validate_submissions"}
    assert hands.allowed(BOB) == set()


def test_who_was_let_in_by_a_hand_and_is_declared_later_is_shut_out_when_declared_no_more(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], replace(TWO, accounts={"AGA01": ()}))
    hands = Hands(kobo)
    hands.allow(BOB, "add_submissions", "suivis · AGA01")
    hands.allow(BOB, "view_submissions", "suivis · AGA01")
    declared = replace(TWO, accounts={"AGA01": (BOB,)})

    assert lines(kobo.server.deploy([follow_up()], declared))[1:] == [
        "create: suivis · AGA01: account bob may send it and see what AGA01 sent"
    ]
    assert lines(kobo.server.deploy([follow_up()], declared)) == ["none: suivis · AGA01 1"]
    kobo.server.deploy([follow_up()], replace(TWO, accounts={"AGA01": ()}))

    assert hands.allowed(BOB, "suivis · AGA01") == set()


def test_who_manages_a_form_loses_nothing_by_being_declared(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    hands.allow(BOB, "manage_asset")
    before = hands.allowed(BOB)

    kobo.server.deploy([visit_form()], Access(accounts={"AGA01": (BOB, ALICE)}))

    assert hands.allowed(BOB) == before
    assert "manage_asset" in before
    assert lines(kobo.server.plan([visit_form()], Access(accounts={"AGA01": (BOB, ALICE)}))) == ["none: visites 1"]


def test_a_permission_that_a_hand_took_away_comes_back(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], BOTH)
    hands = Hands(kobo)
    here = f"{hands.assets()['visites'].path}permission-assignments/"
    for row in hands.api.get(here):
        if row["user"].endswith(f"/{BOB}/") and row["permission"].endswith("/partial_submissions/"):
            hands.api.delete(f"{here}{row['url'].rstrip('/').rpartition('/')[2]}/")
    assert "partial_submissions" not in hands.allowed(BOB)

    assert lines(kobo.server.deploy([visit_form()], BOTH))[1:] == [
        "create: visites: account bob may send it and see what AGA01 sent"
    ]

    assert hands.allowed(BOB) == {"view_asset", "add_submissions", "partial_submissions"}


def test_an_account_nobody_has_is_named_by_the_plan_and_keeps_nobody_else_out(kobo: Site) -> None:
    access = Access(accounts={"AGA01": (NOBODY,), "TIZ01": (CAROL,)})
    missing = f"create: account {NOBODY} cannot be let in, as KoboToolbox has none of this name"

    assert lines(kobo.server.plan([visit_form()], access))[-1] == missing
    with pytest.raises(ServerError, match=rf"SRV-068 .*«{NOBODY}»"):
        kobo.server.deploy([visit_form()], access)

    assert "add_submissions" in Hands(kobo).allowed(CAROL)
    assert lines(kobo.server.plan([visit_form()], access)) == ["none: visites 1", missing]


def test_the_account_of_the_pipeline_is_declared_and_taken_out_again_without_a_trace(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], Access(accounts={"AGA01": (ALICE,), "TIZ01": (CAROL,)}))
    hands = Hands(kobo)
    before = hands.allowed(ALICE)

    kobo.server.deploy([visit_form()])

    assert (hands.allowed(ALICE), hands.allowed(CAROL)) == (before, set())
    assert lines(kobo.server.plan([visit_form()])) == ["none: visites 1"]


def test_the_account_of_the_pipeline_may_be_the_one_of_an_office_beside_others(kobo: Site) -> None:
    access = replace(TWO, accounts={"AGA01": (ALICE,), "TIZ01": (CAROL,)})
    kobo.server.deploy([follow_up()], access)

    assert {change.action for change in kobo.server.plan([follow_up()], access)} == {"none"}


def test_what_an_account_sent_for_one_office_is_never_shown_to_another(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], BOTH)
    hands = Hands(kobo)
    hands.phone(BOB).submit(visit())
    moved, away = ({"AGA01": (), "TIZ01": names} for names in ((CAROL, BOB), (CAROL,)))
    refused = r"SRV-075 · visites: TIZ01 would see what account bob sent for AGA01\."

    with pytest.raises(ServerError, match=refused):
        kobo.server.deploy([visit_form()], Access(accounts=moved))
    kobo.server.deploy([visit_form()], Access(accounts=away))
    with pytest.raises(ServerError, match=refused):
        kobo.server.deploy([visit_form()], Access(accounts=moved))

    assert (hands.allowed(BOB), hands.count(CAROL)) == (set(), 0)
    kobo.server.deploy([visit_form()], BOTH)
    assert [hands.count(user) for user in (BOB, CAROL)] == [1, 0]


def test_an_account_that_sent_nothing_goes_to_another_office_and_is_of_that_one_from_then_on(kobo: Site) -> None:
    moved = Access(accounts={"AGA01": (), "TIZ01": (BOB,)})
    kobo.server.deploy([visit_form()], Access(accounts={"AGA01": (BOB,), "TIZ01": ()}))

    assert lines(kobo.server.deploy([visit_form()], moved))[1:] == [
        "create: visites: account bob may send it and see what TIZ01 sent"
    ]

    Hands(kobo).phone(BOB).submit(visit())
    assert lines(kobo.server.plan([visit_form()], moved)) == ["none: visites 1"]
    assert lost(lambda: kobo.server.plan([visit_form()], BOTH))


def test_an_account_that_left_one_of_its_offices_does_not_come_back_with_what_it_sent_since(kobo: Site) -> None:
    both, one = ({"AGA01": names, "TIZ01": (CAROL, BOB)} for names in ((BOB,), ()))
    kobo.server.deploy([visit_form()], Access(accounts=both))
    kobo.server.deploy([visit_form()], Access(accounts=one))
    Hands(kobo).phone(BOB).submit(visit())

    with pytest.raises(ServerError, match=r"SRV-075 .*AGA01 would see what account bob sent for TIZ01"):
        kobo.server.plan([visit_form()], Access(accounts=both))


def test_an_account_of_another_office_that_a_hand_let_in_is_named_and_shut_out_when_forced(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)
    hands = Hands(kobo)
    hands.allow(BOB, "add_submissions", "suivis · TIZ01")

    drift = "drift: suivis · TIZ01: account bob of another office was let in, and would not be"
    assert lines(kobo.server.plan([follow_up()], TWO))[0] == drift
    with pytest.raises(ServerError, match="SRV-040"):
        kobo.server.deploy([follow_up()], TWO)
    assert hands.allowed(BOB, "suivis · TIZ01")
    kobo.server.deploy([follow_up()], TWO, force=True)

    assert hands.allowed(BOB, "suivis · TIZ01") == set()
    assert "add_submissions" in hands.allowed(BOB, "suivis · AGA01")
    assert {change.action for change in kobo.server.plan([follow_up()], TWO)} == {"none"}


def test_anybody_sends_a_form_while_it_is_declared_and_sees_nothing(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    with pytest.raises(ServerError, match="401"):
        hands.stranger(visit())

    line = "create: visites: anybody may send it, without an account"
    assert lines(kobo.server.deploy([visit_form()], OPEN)) == ["none: visites 1", line]
    hands.stranger(visit())
    assert lines(kobo.server.deploy([visit_form()], OPEN)) == ["none: visites 1"]
    kobo.server.deploy([visit_form("2")], OPEN)
    hands.stranger(visit())

    line = "revoke: visites: anybody could send it without an account"
    assert lines(kobo.server.deploy([visit_form("2")])) == [line, "none: visites 2"]
    with pytest.raises(ServerError, match="401"):
        hands.stranger(visit())
    assert [row["_submitted_by"] for row in kobo.pull()[0]] == [None, None]
    assert hands.allowed(EVERYBODY) == set()


def test_a_form_open_to_anybody_is_listed_to_strangers_and_not_to_the_phones_of_other_accounts(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], OPEN)
    hands = Hands(kobo)
    uid = hands.assets()["visites"].uid

    assert [hands.view(user).title(uid) for user in (STRANGER, ALICE, BOB)] == ["Visites", "Visites", None]


def test_the_forms_of_offices_are_opened_to_nobody_as_their_cases_would_be_too(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], replace(TWO, anonymous=("suivis",)))
    hands = Hands(kobo)
    kobo.server.share(lambda: [shared("dossiers", "1,Amina", AGA01="1,Amina")])

    ours = {asset.uid for asset in hands.assets().values()}
    assert not ours & hands.view(STRANGER).forms().keys()
    assert ours & hands.view(BOB).forms().keys()


def test_what_a_hand_showed_to_everybody_is_hidden_again(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], replace(BOTH, anonymous=("visites",)))
    hands = Hands(kobo)
    hands.phone(BOB).submit(visit())
    hands.allow(EVERYBODY, "view_submissions")
    assert hands.count(CAROL) == 0

    line = "revoke: visites: anybody could see its questions and see what was sent without an account"
    assert lines(kobo.server.deploy([visit_form()], replace(BOTH, anonymous=("visites",)))) == [line, "none: visites 1"]

    assert hands.allowed(EVERYBODY) == {"add_submissions"}
    hands.stranger(visit())


def test_a_form_that_a_hand_opened_to_anybody_is_closed(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    Hands(kobo).allow(EVERYBODY, "add_submissions")

    assert lines(kobo.server.deploy([visit_form()]))[0].startswith("revoke: visites: anybody")

    with pytest.raises(ServerError, match="401"):
        Hands(kobo).stranger(visit())


def test_permissions_are_given_one_by_one_and_never_all_at_once(fake_kobo: Kobo) -> None:
    server, form = fake_kobo.site.server, follow_up()
    for access in (TWO, BOTH, replace(BOTH, anonymous=("visites",)), Access(accounts={"AGA01": (CAROL,)}), Access()):
        server.deploy([form, visit_form()], access)
        server.share(lambda: [shared("dossiers", "1,Amina")])

    assert any(request.endswith("permission-assignments/") for request in fake_kobo.kobo.requests)
    assert not [request for request in fake_kobo.kobo.requests if "bulk" in request]


def test_an_account_does_not_show_in_a_printed_declaration() -> None:
    assert BOB not in repr(BOTH)
