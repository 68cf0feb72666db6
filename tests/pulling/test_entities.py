"""Entity lists come with their whole history, whatever breaks on the way."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.pulling.office import Office
from tests.servers.conftest import Fake
from tests.servers.dossiers import LIST, creates, dossier, updates
from tests.servers.test_central_entities import Register
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError, WarehouseError

HISTORY = "select version, label, source from raw.entity_history where entity_id = '{}' order by 1"
CURRENT = "select label, version, deleted_at is not null, conflict from raw.current_entity order by label"


def current(office: Office) -> list[tuple[Any, ...]]:
    return office.all(CURRENT)


@pytest.fixture
def register(central_office: Office) -> Register:
    return Register(central_office.site)


def test_what_forms_and_people_wrote_comes_in_order_with_its_source(central_office: Office, register: Register) -> None:
    uuid, first, second = str(uuid4()), new_id(), new_id()
    register.submitted(uuid, dossier(instance_id=first, entity=creates(uuid)), 1)
    assert central_office.entities() == 2
    register.updated(uuid, 1, "Amina B", nom="Amina B")
    late = dossier(instance_id=second, name="Amina C", entity=updates(uuid, "Amina C", base=1))
    register.submitted(uuid, late, 3)

    assert central_office.entities() == 3
    assert central_office.entities() == central_office.entities(sweep=True) == 0

    assert central_office.all(HISTORY.format(uuid)) == [
        (1, "Amina", first),
        (2, "Amina B", "api"),
        (3, "Amina C", second),
    ]
    assert current(central_office) == [("Amina C", 3, False, "hard")]
    register.resolved(uuid, 3)
    assert central_office.entities() == 1
    assert current(central_office) == [("Amina C", 3, False, None)]


def test_a_deletion_and_a_restoration_come_without_a_sweep(central_office: Office, register: Register) -> None:
    kept, gone = register.added("Gardé", "Parti")
    central_office.entities()

    register.deleted(gone)
    assert central_office.entities() == 1
    assert current(central_office) == [("Gardé", 1, False, None), ("Parti", 1, True, None)]

    register.restored(gone)
    register.updated(kept, 1, "Gardé aussi")
    assert central_office.entities() == 3
    assert current(central_office) == [("Gardé aussi", 2, False, None), ("Parti", 1, False, None)]


def test_an_entity_deleted_before_the_first_pull_is_known_as_it_was(central_office: Office, register: Register) -> None:
    (uuid,) = register.added("Parti")
    register.updated(uuid, 1, "Parti loin")
    register.deleted(uuid)

    central_office.entities()
    assert central_office.all(HISTORY.format(uuid)) == [(2, "Parti loin", None)]
    assert central_office.entities() == 0

    register.restored(uuid)
    central_office.entities()
    assert central_office.all(HISTORY.format(uuid)) == [(1, "Parti", f"{LIST}.csv"), (2, "Parti loin", "api")]


def test_what_was_purged_is_found_by_a_sweep(fake: Fake, fake_office: Office) -> None:
    register = Register(fake_office.site)
    register.added(*(f"cas {n}" for n in range(30)))
    fake_office.entities()
    (project,) = fake.central.projects.values()
    project.entities[LIST].pop()

    assert fake_office.entities() == 0
    assert fake_office.entities(sweep=True) == 1
    assert sum(row[2] for row in current(fake_office)) == 1


def test_a_list_that_lost_much_at_once_stops_and_asks(fake: Fake, fake_office: Office) -> None:
    register = Register(fake_office.site)
    register.added("un", "deux")
    fake_office.entities()
    (project,) = fake.central.projects.values()
    project.entities[LIST].clear()

    with pytest.raises(WarehouseError, match="WH-041"):
        fake_office.entities(sweep=True)
    assert [row[2] for row in current(fake_office)] == [False, False]
    assert fake_office.entities(sweep=True, accept=True) == 2
    assert [row[2] for row in current(fake_office)] == [True, True]


def test_a_list_that_is_gone_stops_and_asks_too(fake: Fake, fake_office: Office) -> None:
    Register(fake_office.site).added("un")
    fake_office.entities()
    (project,) = fake.central.projects.values()
    project.lists.clear()

    assert fake_office.entities() == 0
    with pytest.raises(WarehouseError, match=rf"WH-041.*{LIST}"):
        fake_office.entities(sweep=True)
    assert fake_office.entities(sweep=True, accept=True) == 1


@pytest.mark.parametrize("lost", ["request", "answer"])
@pytest.mark.parametrize("step", range(4))
def test_interrupted_at_any_request_a_second_run_finishes(
    fake: Fake, fake_office: Office, lost: str, step: int
) -> None:
    register = Register(fake_office.site)
    uuid, _ = register.added("un", "deux")
    register.updated(uuid, 1, "un bis")
    well = iter(range(step))

    def fail(request: Request) -> Response | None:
        if "datasets" not in request.url.path or next(well, None) is not None:
            return None
        return JSONResponse({"message": "Internal Server Error"}, 500)

    setattr(fake.central, "meddle" if lost == "request" else "lose", fail)
    with pytest.raises(ServerError, match="SRV-007"):
        fake_office.entities()
    fake.central.meddle, fake.central.lose = lambda _: None, None

    fake_office.entities()

    assert fake_office.entities() == 0
    assert current(fake_office) == [("deux", 1, False, None), ("un bis", 2, False, None)]
    assert fake_office.all(HISTORY.format(uuid)) == [(1, "un", f"{LIST}.csv"), (2, "un bis", "api")]
    assert fake_office.all("select count(*) from raw.entity") == [(3,)]


def test_an_entity_that_shows_late_is_not_lost(fake: Fake, fake_office: Office) -> None:
    """Its stamp is that of its writing, and it shows when the transaction ends."""
    register = Register(fake_office.site)
    register.added("un")
    fake_office.entities()
    fake.central.ago = timedelta(minutes=9)
    (late,) = register.added("tard")
    register.versions(late)
    fake.central.ago = timedelta()

    fake_office.entities()

    assert [row[0] for row in current(fake_office)] == ["tard", "un"]


def test_no_answer_stays_beside_the_warehouse(central_office: Office, register: Register) -> None:
    register.added("Zoubida")
    central_office.entities(sweep=True)

    assert list(central_office.settings.private.glob("pull-*")) == []


@pytest.mark.parametrize("site", ["local"], indirect=True)
def test_the_local_server_tells_each_case_as_it_is_when_asked(office: Office) -> None:
    uuid, first, second = str(uuid4()), new_id(), new_id()
    office.submit(dossier(instance_id=first, entity=creates(uuid)))
    assert office.entities() == 2
    office.submit(dossier(instance_id=second, name="Amina B", entity=updates(uuid, "Amina B", base=1)))
    assert office.entities() == 2
    assert office.entities() == office.entities(sweep=True) == 0

    assert office.all(HISTORY.format(uuid)) == [(1, "Amina", first), (2, "Amina B", second)]
    assert current(office) == [("Amina B", 2, False, None)]
