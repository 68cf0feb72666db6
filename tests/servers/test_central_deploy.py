"""A whole deployment to Central: forms, lists, phones, desks, people; finished after any interruption."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.conftest import Fake
from tests.servers.fake_central import FakeCentral
from tests.servers.site import Site
from tests.servers.test_central_access import users
from tests.servers.test_central_forms import api_of
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, CompiledForm, MediaFile

_ROW = f"{uuid4()},Amina,TIZ01\n".encode()
_CASES = MediaFile("dossiers.csv", b"name,label,code_bureau\n" + _ROW)
_COUNTRIES = MediaFile("pays.csv", b"name,label\nml,Mali\n")
OPENS = replace(visit_form(creates="dossiers", files=[_COUNTRIES]), media=(_COUNTRIES, _CASES))
FOLLOWS = visit_form(form_id="suivis", reads=["dossiers"])
OLD = visit_form(form_id="ancien")
ACCESS = Access(
    phones={"TIZ01": ("téléphone 1", "tablette")},
    web_users={"amina@example.org": "viewer"},
    desk_links={"visites": ("TIZ01",)},
    retired=("ancien",),
    own_cases=("dossiers",),
)


def test_everything_is_planned_in_words_then_done_then_nothing(fake: Fake) -> None:
    server = fake.site.server
    server.deploy([OLD], Access({"TIZ01": ("perdu",)}))

    planned = server.plan([FOLLOWS, OPENS, OLD], ACCESS)

    assert [f"{change.action}: {change.what}" for change in planned] == [
        "revoke: phone TIZ01 · perdu",
        "create: list dossiers: 1 row",
        "update: list dossiers: each office receives its own rows only",
        "create: visites 1",
        "create: suivis 1",
        "update: ancien is retired: phones get it no more, what they hold can still be sent",
        "create: phone TIZ01 · téléphone 1",
        "create: phone TIZ01 · tablette",
        "create: link to visites TIZ01 · accueil",
        "create: web user amina@example.org: project viewer, invited by e-mail",
    ]
    assert server.deploy([FOLLOWS, OPENS, OLD], ACCESS) == planned
    assert {change.action for change in server.deploy([FOLLOWS, OPENS, OLD], ACCESS)} == {"none"}


def test_a_deployment_that_does_nothing_sends_nothing(fake: Fake) -> None:
    fake.site.server.deploy([OPENS, FOLLOWS], ACCESS)
    fake.central.requests.clear()

    fake.site.server.deploy([OPENS, FOLLOWS], ACCESS)

    assert {request.partition(" ")[0] for request in fake.central.requests} == {"GET"}


def test_every_change_by_hand_is_named_before_anything_is_sent(central: Site) -> None:
    declared = replace(ACCESS, web_users={})
    central.server.deploy([OPENS, FOLLOWS], declared)
    api, project = api_of(central)
    api.patch(f"{project}/forms/visites", {"state": "closed"})
    api.patch(f"{project}/datasets/dossiers", {"approvalRequired": True})
    user = users(central)["TIZ01 · tablette"]["id"]
    api.patch(f"{project}/app-users/{user}", {"properties": {"code_bureau": "AGD01"}})

    with pytest.raises(ServerError) as error:
        central.server.deploy([OPENS, visit_form("2", form_id="suivis", reads=["dossiers"])], Access())
    with pytest.raises(ServerError) as with_phones:
        central.server.deploy([OPENS, FOLLOWS], declared)

    assert error.value.code == "SRV-040"
    assert with_phones.value.cause == (
        "It was changed by hand. list dossiers: submissions would make rows at once again, without waiting for an"
        " approval. visites: it is closed, and would be open again. phone TIZ01 · tablette: its office is AGD01, and"
        " would be TIZ01."
    )
    assert [version.version for version in central.server.versions("suivis")] == ["1"]
    assert users(central)["TIZ01 · téléphone 1"]["token"]


def test_progress_names_each_step(fake: Fake) -> None:
    told: list[str] = []

    changes = fake.site.server.deploy([OPENS], ACCESS, progress=told.append)

    assert told == [change.what for change in changes[1:]]


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_interrupted_at_any_request_a_second_deployment_finishes(fake: Fake, lost: str) -> None:
    forms, step, whole = [OPENS, FOLLOWS, OLD], 0, False
    while not whole:
        fake.central.projects.clear()
        fake.central.people = {5: "pipeline@example.org"}
        fake.site.server.deploy([OLD], Access({"TIZ01": ("perdu",)}))
        with interrupted(fake.central, lost, step):
            whole = _deployed(fake, forms)
        step += 1

        fake.site.server.deploy(forms, ACCESS)

        assert {change.action for change in fake.site.server.plan(forms, ACCESS)} == {"none"}
        assert fake.site.server.versions("visites")[0].xform == OPENS.xform
        _is_whole(fake)
    assert step > 30


def _deployed(fake: Fake, forms: list[CompiledForm]) -> bool:
    try:
        fake.site.server.deploy(forms, ACCESS)
    except ServerError:
        return False
    return True


def _is_whole(fake: Fake) -> None:
    """Nothing is missing and nothing is there twice."""
    (project,) = fake.central.projects.values()
    names = sorted(user["displayName"] for user in project.users.values() if user["token"])
    assert names == ["TIZ01 · tablette", "TIZ01 · téléphone 1"]
    living = {number for number, user in project.users.items() if user["token"]}
    assert all(living <= project.forms[form_id].allowed for form_id in ("visites", "suivis"))
    assert [len(form.versions) for form in project.forms.values()] == [1, 1, 1]
    assert len([one for one in project.forms["visites"].links.values() if one["token"]]) == 1
    assert len(project.entities["dossiers"]) == len(project.roles) == 1
    assert sorted(fake.central.people.values()) == ["amina@example.org", "pipeline@example.org"]


@contextmanager
def interrupted(central: FakeCentral, lost: str, step: int) -> Iterator[None]:
    """Lose a request before Central sees it, or its answer after a success, once `step` went well."""
    well = iter(range(step))

    def fail(_: Request) -> Response | None:
        return None if next(well, None) is not None else JSONResponse({"message": "Internal Server Error"}, 500)

    central.meddle, central.lose = (fail, None) if lost == "request" else (lambda _: None, fail)
    yield
    central.meddle, central.lose = lambda _: None, None
