"""A whole deployment to KoboToolbox: forms, offices, accounts; finished after any interruption."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.conftest import Kobo
from tests.servers.fake_kobo import FakeKobo
from tests.servers.fake_kobo_state import Asset
from tests.servers.kobo_hands import ALICE, BOB, CAROL, Hands, lost
from tests.servers.site import Site
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, CompiledForm, MediaFile

_COUNTRIES = MediaFile("pays.csv", b"name,label\nml,Mali\n")
_OTHERS = MediaFile("pays.csv", b"name,label\nne,Niger\n")
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
        "update: suivis, visites: run `tpm refresh` next, to give phones the lists",
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


def test_what_a_hand_changes_while_others_are_deployed_is_not_overwritten(kobo: Site) -> None:
    kobo.server.deploy([visit_form(), OLD])
    hands = Hands(kobo)

    def told(what: str) -> None:
        if what == "ancien 2":
            hands.edit("ancien")

    newer = [visit_form("2"), visit_form("2", form_id="ancien")]
    with pytest.raises(ServerError, match=r"SRV-073 · ancien: .*tpm deploy --plan"):
        kobo.server.deploy(newer, force=True, progress=told)

    assert "ajoutee" in str(hands.shown("ancien")["content"])
    assert [change.action for change in kobo.server.plan(newer)] == ["drift", "none"]


@pytest.mark.parametrize("how", ["request", "answer", "half an answer"])
def test_interrupted_at_any_request_a_second_deployment_finishes(fake_kobo: Kobo, how: str) -> None:
    access, forms = replace(ACCESS, accounts={"AGA01": (BOB,)}), [OPENS, PARTNERS, OLD]
    fake_kobo.site.server.deploy([OLD], Access(accounts={"TIZ01": (CAROL,)}))

    for _ in finished(fake_kobo, how, forms, access):
        assert _state(fake_kobo) == {
            "visites · AGA01": State("1", True, ("dossiers.csv", "pays.csv"), {BOB}),
            "osc": State("1", True, (), {BOB, "AnonymousUser"}),
            "ancien": State("1", False, (), set()),
        }


def test_interrupted_at_any_request_a_second_deployment_of_something_else_finishes(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy([OPENS, PARTNERS], ACCESS)
    newer = replace(OPENS, version="2", sheets=visit_form("2").sheets, media=(_CASES, _OTHERS))
    access = Access(accounts={"TIZ01": (BOB, CAROL)}, own_cases=("dossiers",))

    for _ in finished(fake_kobo, "answer", [newer, PARTNERS], access):
        assert _state(fake_kobo) == {
            "visites · AGA01": State("1", False, ("dossiers.csv", "pays.csv"), set()),
            "visites · TIZ01": State("2", True, ("dossiers.csv", "pays.csv"), {BOB, CAROL}),
            "osc": State("1", True, (), {BOB, CAROL}),
        }
        (asset,) = [one for one in fake_kobo.kobo.assets.values() if one.name.endswith("TIZ01")]
        assert asset.deployment
        assert _OTHERS.content in [file.content for file in asset.deployment.files.values()]


def finished(fake: Kobo, how: str, forms: Sequence[CompiledForm], access: Access) -> Iterator[None]:
    """A deployment that was interrupted, at each request in its turn, and then done once more."""
    server, step, is_cut = fake.site.server, 0, True
    before = deepcopy(fake.kobo.assets)
    while is_cut:
        fake.kobo.assets = deepcopy(before)
        with interrupted(fake.kobo, how, step):
            is_cut = lost(lambda: server.deploy(forms, access))
        step += 1

        server.deploy(forms, access)

        assert {change.action for change in server.plan(forms, access)} == {"none"}
        yield
    assert step > 30


@dataclass(frozen=True)
class State:
    """What phones get of an asset, and who was let in."""

    version: str
    is_active: bool
    files: tuple[str, ...]
    people: set[str]


def _state(fake: Kobo) -> dict[str, State]:
    """Every asset there is; nothing is there twice."""
    known = {asset.uid: name for name, asset in Hands(fake.site).assets().items()}
    assert len(known) == len(fake.kobo.assets)
    return {known[uid]: _of(asset) for uid, asset in fake.kobo.assets.items()}


def _of(asset: Asset) -> State:
    deployed = asset.deployment
    assert deployed
    return State(
        deployed.version.content["settings"]["version"],
        deployed.active,
        tuple(sorted(file.name for file in deployed.files.values())),
        {grant.user for grant in asset.grants} - {ALICE},
    )


ACCOUNTS: list[dict[str, tuple[str, ...]]] = [
    {},
    {"AGA01": (BOB,)},
    {"AGA01": (BOB, CAROL)},
    {"AGA01": (CAROL,), "TIZ01": (BOB,)},
    {"TIZ01": ()},
]
# A form that is retired is not declared as anybody's.
OPEN_OR_RETIRED = [Access(), Access(), Access(anonymous=("osc",)), Access(retired=("osc",))]


@st.composite
def declarations(draw: st.DrawFn) -> Access:
    own_cases = draw(st.sampled_from([(), ("dossiers",)]))
    return replace(
        draw(st.sampled_from(OPEN_OR_RETIRED)), accounts=draw(st.sampled_from(ACCOUNTS)), own_cases=own_cases
    )


def test_whatever_was_declared_before_only_the_last_declaration_counts(fake_kobo: Kobo) -> None:
    server, forms = fake_kobo.site.server, [FOLLOWS, PARTNERS]

    def after(*declared: Access) -> dict[str, State]:
        fake_kobo.kobo.assets.clear()
        for access in declared:
            server.deploy(forms, access)
        assert {change.action for change in server.plan(forms, declared[-1])} <= {"none"}
        return _state(fake_kobo)

    @settings(max_examples=10, deadline=None)
    @given(earlier=st.lists(declarations(), min_size=1, max_size=3), last=declarations())
    def holds(earlier: list[Access], last: Access) -> None:
        found = after(*earlier, last)

        assert {name: state for name, state in found.items() if state.is_active} == after(last)
        declared = {name for names in last.accounts.values() for name in names}
        assert all(state.people <= declared for state in found.values() if not state.is_active)

    holds()


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
