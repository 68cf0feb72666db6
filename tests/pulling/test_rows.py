"""Submissions into raw, from every kind of server: what changes comes, what vanishes is asked about."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.conftest import Fake
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerError, WarehouseError
from tpm_pipeline.forms import schema
from tpm_pipeline.pulling import rows
from tpm_pipeline.pulling.rows import PLAIN, Wishes
from tpm_pipeline.records import PullReport
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import build, db, staging

SWEEP, ACCEPT = Wishes(sweep=True), Wishes(sweep=True, accept_deletions=True)
PADS = (b"\x36" * 64, b"\x5c" * 64)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PATIENCE_S", (0.0, 0.0))


def pulled(site: Site, settings: Settings, wishes: Wishes = PLAIN) -> PullReport:
    with (
        db.warehouse(settings) as connection,
        rows.opened(connection, settings, lambda _: None) as into,
    ):
        return rows.bring(site.server, into, "visites", site.server.current(), wishes)


def asked(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with db.warehouse(settings) as connection:
        return connection.execute(sql).fetchall()


def live(settings: Settings) -> set[str]:
    return {row[0] for row in asked(settings, "select submission_id from raw.current where deleted_at is null")}


def sent(site: Site, count: int) -> list[str]:
    site.server.deploy([visit_form()])
    ids = [new_id() for _ in range(count)]
    site.submit(*(visit(instance_id=one) for one in ids))
    return ids


def change(site: Site, action: str, row: str) -> None:
    api, project = api_of(site)
    here = f"{project}/forms/visites/submissions/{row}"
    api.delete(here) if action == "delete" else api.post(f"{here}/restore")


def test_a_pull_brings_rows_and_versions_once(site: Site, settings: Settings) -> None:
    ids = sent(site, 3)

    assert pulled(site, settings) == PullReport("visites", 3, 3, pending=True)
    assert pulled(site, settings).written == 0
    assert live(settings) == {*ids}
    held = asked(settings, "select xform from raw.form_version")
    assert [schema.read(xform.encode()).version for (xform,) in held] == ["1"]


def test_a_restored_submission_of_a_large_form_is_found_by_the_sweep(
    central: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tpm_pipeline.servers.central_rows.WINDOW", 2)
    monkeypatch.setattr("tpm_pipeline.servers.central_rows.OVERLAP", timedelta())
    kept, restored, other = sent(central, 3)
    change(central, "delete", restored)
    pulled(central, settings)
    time.sleep(0.05)
    central.submit(visit())
    pulled(central, settings)
    change(central, "restore", restored)

    assert pulled(central, settings).written == 0
    assert restored not in live(settings)

    assert pulled(central, settings, SWEEP).found_by_sweep == 1
    assert live(settings) >= {kept, restored, other}
    assert pulled(central, settings, SWEEP).found_by_sweep == 0


def test_a_sweep_is_made_when_the_last_is_old_and_not_before(central: Site, settings: Settings) -> None:
    sent(central, 1)
    for _ in range(2):
        pulled(central, settings)
    assert asked(settings, "select count(*) from raw.sweep") == [(1,)]

    pulled(central, settings.model_copy(update={"sweep_hours": 0.0}))
    assert asked(settings, "select count(*) from raw.sweep") == [(2,)]


def test_a_purged_submission_becomes_a_tombstone_if_few_are(fake: Fake, settings: Settings) -> None:
    ids = sent(fake.site, 40)
    pulled(fake.site, settings)
    change(fake.site, "delete", ids[0])
    fake.central.purge(fake.central.projects[1])

    assert pulled(fake.site, settings, SWEEP).found_by_sweep == 1
    assert live(settings) == {*ids[1:]}


def test_many_vanished_stop_the_pull_until_a_person_says_so(fake: Fake, settings: Settings) -> None:
    ids = sent(fake.site, 10)
    pulled(fake.site, settings)
    for one in ids[:5]:
        change(fake.site, "delete", one)
    fake.central.purge(fake.central.projects[1])

    for _ in range(2):
        with pytest.raises(WarehouseError, match="WH-040") as error:
            pulled(fake.site, settings, SWEEP)
        assert live(settings) == {*ids}
    assert all(one in error.value.cause for one in ids[:5])

    assert pulled(fake.site, settings, ACCEPT).found_by_sweep == 5
    assert live(settings) == {*ids[5:]}


def test_what_is_sent_again_after_a_purge_lives_again(fake: Fake, settings: Settings) -> None:
    ids = sent(fake.site, 40)
    pulled(fake.site, settings)
    change(fake.site, "delete", ids[0])
    fake.central.purge(fake.central.projects[1])
    pulled(fake.site, settings, SWEEP)
    fake.site.submit(visit(instance_id=ids[0]))

    pulled(fake.site, settings)
    assert live(settings) == {*ids}


def test_what_a_listing_misses_by_chance_is_asked_for_before_it_is_buried(fake: Fake, settings: Settings) -> None:
    ids = sent(fake.site, 2)
    pulled(fake.site, settings)
    empty = Response(b"[]", media_type="application/json")
    fake.central.meddle = lambda request: empty if request.url.path.endswith("/submissions") else None

    assert pulled(fake.site, settings, SWEEP).found_by_sweep == 0
    assert live(settings) == {*ids}


def test_publishing_a_version_makes_no_untouched_row_look_edited(site: Site, settings: Settings) -> None:
    site.server.deploy([visit_form("1", extra="langue")])
    site.submit(visit(more="<langue>fr</langue>"), visit())
    pulled(site, settings)
    site.server.deploy([visit_form("2", extra="quartier")])
    site.submit(visit(version="2"))

    assert pulled(site, settings, SWEEP).written == 1
    assert asked(settings, "select count(*) from raw.submission") == [(3,)]


@pytest.mark.parametrize("first", ["before", "after"])
def test_the_answers_to_a_dropped_question_stay_in_the_warehouse(site: Site, settings: Settings, first: str) -> None:
    site.server.deploy([visit_form("1", extra="langue")])
    site.submit(visit(more="<langue>fr</langue>"))
    if first == "before":
        pulled(site, settings)
    site.server.deploy([visit_form("2")])
    site.submit(visit(version="2"))
    pulled(site, settings, SWEEP)

    with db.warehouse(settings) as connection:
        staging.create(connection)
        (schema,) = build.schemas(connection, ["visites"])
        staging.build(connection, schema, PADS)
        found = connection.execute("select form_version, langue_pseudo is not null from staging.visites").fetchall()
    old, new = (version.version for version in site.server.versions("visites"))
    assert sorted(found) == sorted([(old, True), (new, False)])


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_server_that_stumbles_is_asked_again(fake: Fake, settings: Settings, lost: str) -> None:
    ids = sent(fake.site, 2)
    stumbles = iter([True, True])

    def stumble(request: Request) -> Response | None:
        rows_asked = request.url.path.endswith("/Submissions")
        return JSONResponse({"message": "Internal Server Error"}, 500) if rows_asked and next(stumbles, None) else None

    fake.central.meddle, fake.central.lose = (stumble, None) if lost == "request" else (lambda _: None, stumble)

    assert pulled(fake.site, settings).written == 2
    assert live(settings) == {*ids}


def test_too_little_memory_is_made_up_for(site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(db._SPARING, "memory_limit", "2MB")
    ids = sent(site, 3)

    assert pulled(site, settings).written == 3
    assert live(settings) == {*ids}


def test_a_refusal_is_not_repeated(fake: Fake, settings: Settings) -> None:
    sent(fake.site, 1)
    tried: list[str] = []

    def refuse(request: Request) -> Response | None:
        if not request.url.path.endswith("/Submissions"):
            return None
        tried.append(request.url.path)
        return JSONResponse({"message": "no", "code": 403.1}, 403)

    fake.central.meddle = refuse
    with pytest.raises(ServerError, match="SRV-011"):
        pulled(fake.site, settings)
    assert len(tried) == 1


def test_nothing_new_asks_once_for_each_form(fake: Fake, settings: Settings) -> None:
    sent(fake.site, 2)
    pulled(fake.site, settings)
    current = fake.site.server.current()
    fake.central.requests.clear()

    with db.warehouse(settings) as connection, rows.opened(connection, settings, lambda _: None) as into:
        assert rows.bring(fake.site.server, into, "visites", current, PLAIN).seen == 0

    assert fake.central.requests == ["GET /v1/projects/1/forms/visites.svc/Submissions"]
