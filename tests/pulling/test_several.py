"""Several servers into one warehouse, of which one may be down, and a form may have moved to another."""

from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from tests.pulling.office import silent
from tests.servers.conftest import KINDS, Fake
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.fake_central import EMAIL, PASSWORD
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerError, ServerUnavailableError, TpmError, together
from tpm_pipeline.pulling import rows, several
from tpm_pipeline.pulling.rows import PLAIN, Wishes
from tpm_pipeline.records import Brought
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw

BOTH = [FORM, "visites"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Site]:
    """A local server that has the visits."""
    (tmp_path / "local").mkdir()
    with KINDS["local"](tmp_path / "local") as site:
        site.server.deploy([visit_form()])
        yield site


@pytest.fixture
def central(fake: Fake) -> Site:
    """A Central that has the cases."""
    fake.site.server.deploy([dossier_form()])
    return fake.site


@pytest.fixture
def down() -> Server:
    """A Central whose machine answers nothing."""
    return CentralServer("http://127.0.0.1:1", EMAIL, PASSWORD, "Essai", 1.0)


def pulled(settings: Settings, *shares: tuple[Server, Collection[str]], wishes: Wishes = PLAIN) -> Brought:
    forms = list(dict.fromkeys([*(one for _, share in shares for one in share if one not in BOTH), *BOTH]))
    with db.warehouse(settings) as connection, rows.opened(connection, settings, silent) as into:
        return several.bring(shares, into, forms, wishes)


def held(settings: Settings) -> list[tuple[str, str, int]]:
    with db.warehouse(settings) as connection:
        sql = "select server, form_id, count(*) from raw.current group by all order by server"
        return [(row[0].split()[0], row[1], row[2]) for row in connection.execute(sql).fetchall()]


def test_each_server_brings_its_own_into_one_warehouse(central: Site, local: Site, settings: Settings) -> None:
    central.submit(dossier())
    local.submit(visit(), visit())

    reports, errors = pulled(settings, (central.server, [FORM]), (local.server, ["visites"]))

    assert errors == []
    assert [(report.server, report.form_id, report.written) for report in reports] == [
        (central.server.name, FORM, 1),
        ("local", "visites", 2),
    ]
    assert held(settings) == [("central", FORM, 1), ("local", "visites", 2)]


def test_a_form_on_both_has_the_submissions_of_both(central: Site, local: Site, settings: Settings) -> None:
    central.server.deploy([dossier_form(), visit_form()])
    both = new_id()
    central.submit(visit(), visit(instance_id=both))
    local.submit(visit(), visit(instance_id=both))

    pulled(settings, (central.server, ["visites"]), (local.server, ["visites"]))

    assert sum(count for *_, count in held(settings)) == 3


@pytest.mark.parametrize("first", [True, False])
def test_what_one_brought_is_kept_when_the_other_is_down(
    local: Site, down: Server, settings: Settings, first: bool
) -> None:
    local.submit(visit())
    shares: list[tuple[Server, list[str]]] = [(down, [FORM]), (local.server, ["visites"])]

    reports, errors = pulled(settings, *(shares if first else shares[::-1]))

    assert [(report.server, report.written) for report in reports] == [("local", 1)]
    assert [(type(error), error.exit_code) for error in errors] == [(ServerUnavailableError, 12)]
    assert held(settings) == [("local", "visites", 1)]


def test_the_first_error_is_said_with_the_others_beside_it() -> None:
    one, two = ServerError("SRV-901", "a", "Down.", "Wait."), TpmError("WH-901", "b", "Full.", "Make room.")

    said = together([one, two])

    assert said is one
    assert said.__notes__ == ["WH-901 · b: Full. Make room."]


def test_a_form_that_moved_is_asked_for_where_it_was_too(central: Site, local: Site, settings: Settings) -> None:
    local.server.deploy([dossier_form()])
    central.submit(dossier())
    local.submit(dossier())

    reports, errors = pulled(settings, (central.server, []), (local.server, BOTH))

    assert errors == []
    assert [(report.server.split()[0], report.form_id, report.written) for report in reports] == [
        ("central", FORM, 1),
        ("local", FORM, 1),
        ("local", "visites", 0),
    ]


def test_a_form_that_moved_and_was_deleted_since_is_asked_for_no_more(
    fake: Fake, central: Site, local: Site, settings: Settings
) -> None:
    central.submit(dossier())
    pulled(settings, (central.server, [FORM]), (local.server, ["visites"]))
    fake.central.projects[1].forms.clear()

    reports, errors = pulled(settings, (central.server, []), (local.server, ["visites"]))

    assert errors == []
    assert [report.form_id for report in reports] == ["visites"]


@pytest.mark.parametrize("first", [True, False])
def test_what_one_server_deleted_and_another_still_holds_is_not_gone(
    central: Site, local: Site, settings: Settings, first: bool
) -> None:
    central.server.deploy([dossier_form(), visit_form()])
    both = new_id()
    central.submit(visit(instance_id=both), visit())
    local.submit(visit(instance_id=both))
    shares: list[tuple[Server, list[str]]] = [(central.server, ["visites"]), (local.server, ["visites"])]
    pulled(settings, *shares)
    api, project = api_of(central)
    api.delete(f"{project}/forms/visites/submissions/{both}")

    _, errors = pulled(settings, *(shares if first else shares[::-1]), wishes=Wishes(sweep=True, accept_deletions=True))
    assert errors == []

    with db.warehouse(settings) as connection:
        gone = "select count(*) from raw.submission where deleted_at is not null"
        assert connection.execute(gone).fetchall() == [(1,)]
        live = "select server from raw.current where submission_id = ? and deleted_at is null"
        assert connection.execute(live, [both]).fetchall() == [("local",)]


def test_a_form_that_moved_is_as_its_new_server_has_it(central: Site, local: Site, settings: Settings) -> None:
    for number in ("1", "2", "3"):
        local.server.deploy([visit_form(number)])
    pulled(settings, (local.server, ["visites"]))
    central.server.deploy([visit_form("4", extra="langue")])

    pulled(settings, (central.server, ["visites"]), (local.server, []))

    with db.warehouse(settings) as connection:
        assert [one.version for one in raw.form_versions(connection, "visites")] == ["1", "2", "3", "4"]


def test_a_form_that_fails_keeps_no_other_from_coming(central: Site, settings: Settings) -> None:
    central.server.deploy([dossier_form(), visit_form()])
    central.submit(visit())

    reports, errors = pulled(settings, (central.server, ["inconnu", *BOTH]))

    assert [str(error).split(" · ")[0] for error in errors] == ["SRV-014"]
    assert [(report.form_id, report.written) for report in reports] == [(FORM, 0), ("visites", 1)]
