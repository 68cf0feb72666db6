"""A whole deployment to KoboToolbox: forms, offices, accounts; finished after any interruption."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.conftest import Kobo
from tests.servers.fake_kobo import FakeKobo
from tests.servers.kobo_hands import BOB, CAROL, Hands, lost
from tests.servers.site import Site
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, MediaFile

_COUNTRIES = MediaFile("pays.csv", b"name,label\nml,Mali\n")
_CASES = MediaFile("dossiers.csv", b"name,label\n")
OPENS = replace(visit_form(creates="dossiers", files=[_COUNTRIES]), media=(_COUNTRIES, _CASES))
FOLLOWS = replace(visit_form(form_id="suivis", reads=["dossiers"]), media=(_CASES,), entity_lists=("dossiers",))
PARTNERS, OLD = visit_form(form_id="osc"), visit_form(form_id="ancien")
ACCESS = Access(
    accounts={"AGA01": (BOB,), "TIZ01": (CAROL,)},
    own_cases=("dossiers",),
    retired=("ancien",),
    anonymous=("osc",),
)
FORMS = [FOLLOWS, OPENS, PARTNERS, OLD]


def test_everything_is_planned_in_words_then_done_then_nothing(kobo: Site) -> None:
    kobo.server.deploy([OLD], Access(accounts={"AGA01": (BOB,)}))

    planned = kobo.server.plan(FORMS, ACCESS)

    assert [f"{change.action}: {change.what}" for change in planned] == [
        "create: suivis · AGA01 1",
        "create: suivis · TIZ01 1",
        "create: visites · AGA01 1",
        "create: visites · TIZ01 1",
        "create: osc 1",
        "update: ancien is retired: phones get it no more, and can no more send it",
        "create: suivis · AGA01: account bob may send it and see what AGA01 sent",
        "create: suivis · TIZ01: account carol may send it and see what TIZ01 sent",
        "create: visites · AGA01: account bob may send it and see what AGA01 sent",
        "create: visites · TIZ01: account carol may send it and see what TIZ01 sent",
        "create: osc: account bob may send it and see what AGA01 sent",
        "create: osc: account carol may send it and see what TIZ01 sent",
        "create: osc: anybody may send it, without an account",
    ]
    assert kobo.server.deploy(FORMS, ACCESS) == planned
    assert {change.action for change in kobo.server.plan(FORMS, ACCESS)} == {"none"}


def test_a_second_deployment_only_reads(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy(FORMS, ACCESS)
    fake_kobo.kobo.requests.clear()

    fake_kobo.site.server.deploy(FORMS, ACCESS)

    assert {request.partition(" ")[0] for request in fake_kobo.kobo.requests} == {"GET"}


def test_planning_only_reads(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.plan(FORMS, ACCESS)

    assert {request.partition(" ")[0] for request in fake_kobo.kobo.requests} == {"GET"}


def test_progress_names_each_step(fake_kobo: Kobo) -> None:
    told: list[str] = []

    changes = fake_kobo.site.server.deploy(FORMS, ACCESS, progress=told.append)

    assert told == [change.what for change in changes]


def test_a_retired_form_leaves_the_phones_and_what_was_sent_is_pulled(kobo: Site) -> None:
    kobo.server.deploy([OLD, PARTNERS])
    hands = Hands(kobo)
    kobo.submit(visit(form_id="ancien"))

    changes = kobo.server.deploy([OLD, PARTNERS], Access(retired=("ancien",)))

    assert [change.action for change in changes] == ["none", "update"]
    assert {name: asset.is_active for name, asset in hands.assets().items()} == {"ancien": False, "osc": True}
    with pytest.raises(ServerError, match="405"):
        kobo.submit(visit(form_id="ancien"))
    assert len(kobo.pull(form_id="ancien")[0]) == 1
    assert [version.form_id for version in kobo.server.versions("ancien")] == ["ancien"]


def test_a_form_that_comes_back_is_sent_again(kobo: Site) -> None:
    kobo.server.deploy([OLD])
    kobo.server.deploy([OLD], Access(retired=("ancien",)))

    (change,) = kobo.server.deploy([OLD])

    assert (change.action, change.what) == ("update", "ancien 1: phones may send it again")
    kobo.submit(visit(form_id="ancien"))


def test_what_is_not_spoken_of_is_left_alone(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy([OLD, PARTNERS])
    other = fake_kobo.kobo.new_asset("alice", "Un autre projet", "survey")
    fake_kobo.kobo.new_version(other, {"survey": [], "settings": {}})

    fake_kobo.site.server.deploy([PARTNERS])

    assert {name: asset.is_active for name, asset in Hands(fake_kobo.site).assets().items()} == {
        "ancien": True,
        "osc": True,
    }
    assert other.deployment is None


def test_every_change_by_hand_is_named_before_anything_is_sent(kobo: Site) -> None:
    forms = [visit_form(), OLD]
    kobo.server.deploy(forms)
    hands = Hands(kobo)
    hands.edit("visites")
    hands.edit("ancien")
    before = hands.assets()

    with pytest.raises(ServerError, match="SRV-040") as error:
        kobo.server.deploy([visit_form("2"), OLD, PARTNERS])

    assert error.value.cause == (
        "It was changed by hand. visites: its questions were changed in KoboToolbox, and would be those of 2."
        " ancien: its questions were changed in KoboToolbox, and would be those of 1."
    )
    assert hands.assets() == before


@pytest.mark.parametrize("how", ["request", "answer", "half an answer"])
def test_interrupted_at_any_request_a_second_deployment_finishes(fake_kobo: Kobo, how: str) -> None:
    access, forms = replace(ACCESS, accounts={"AGA01": (BOB,)}), [OPENS, PARTNERS, OLD]
    server, step, is_cut = fake_kobo.site.server, 0, True
    server.deploy([OLD], Access(accounts={"TIZ01": (CAROL,)}))
    before = deepcopy(fake_kobo.kobo.assets)
    while is_cut:
        fake_kobo.kobo.assets = deepcopy(before)
        with interrupted(fake_kobo.kobo, how, step):
            is_cut = lost(lambda: server.deploy(forms, access))
        step += 1

        server.deploy(forms, access)

        assert {change.action for change in server.plan(forms, access)} == {"none"}
        _is_whole(fake_kobo)
    assert step > 30


def _is_whole(fake: Kobo) -> None:
    """Nothing is missing and nothing is there twice."""
    hands, held = Hands(fake.site), fake.kobo.assets
    known = {name: held[asset.uid] for name, asset in hands.assets().items()}
    assert {*known} == {"visites · AGA01", "osc", "ancien"}
    assert len(held) == 3
    assert {name: asset.deployment and asset.deployment.active for name, asset in known.items()} == {
        "visites · AGA01": True,
        "osc": True,
        "ancien": False,
    }
    visits = known["visites · AGA01"].deployment
    assert visits
    assert sorted(file.name for file in visits.files.values()) == ["dossiers.csv", "pays.csv"]
    others = {name: {grant.user for grant in asset.grants} - {"alice"} for name, asset in known.items()}
    assert others == {"visites · AGA01": {BOB}, "osc": {BOB, "AnonymousUser"}, "ancien": set()}


@contextmanager
def interrupted(kobo: FakeKobo, how: str, step: int) -> Iterator[None]:
    """Lose a request before it is seen, its answer or half of it after a success, once `step` went well."""
    well = iter(range(step))
    half = Response(b'{"uid": "a', media_type="application/json")
    failure = half if how == "half an answer" else JSONResponse({"detail": "Internal Server Error"}, 500)

    def fail(_: Request) -> Response | None:
        return None if next(well, None) is not None else failure

    kobo.meddle, kobo.lose = (fail, None) if how == "request" else (lambda _: None, fail)
    yield
    kobo.meddle, kobo.lose = lambda _: None, None
