"""The same submissions give the same figures, whichever server they came through."""

from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from tests.pulling.office import brought
from tests.servers.conftest import KINDS
from tests.servers.site import Site
from tpm_pipeline import jobs
from tpm_pipeline.demo.instances import generate
from tpm_pipeline.pulling import rows
from tpm_pipeline.records import PullReport
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db
from tpm_pipeline.warehouse.staging import SYSTEM_COLUMNS

Tables = dict[str, list[tuple[Any, ...]]]


@pytest.fixture(params=[kind for kind in KINDS if kind != "local"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "other").mkdir()
    with KINDS[request.param](tmp_path / "other") as site:
        yield site


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "local").mkdir()
    with KINDS["local"](tmp_path / "local") as site:
        yield site


def test_the_figures_do_not_depend_on_the_server(local: Site, other: Site, tmp_path: Path) -> None:
    expected = _refreshed(local, Settings(data=tmp_path / "one"))
    found = _refreshed(other, Settings(data=tmp_path / "two"))

    assert len(expected["staging.tpm_visite"]) == 60
    assert len(expected["indicators.valeur"]) > 1000
    # A few of the lines that differ: all of them would take minutes to compare.
    assert {
        table: differing for table, lines in expected.items() if (differing := _differing(lines, found[table]))
    } == {}


def _differing(lines: list[tuple[Any, ...]], found: list[tuple[Any, ...]]) -> list[tuple[str, str]]:
    pairs = zip_longest(map(str, lines), map(str, found), fillvalue="")
    return [(one, other) for one, other in pairs if one != other][:2]


def _refreshed(site: Site, settings: Settings) -> Tables:
    """Deploy the project's forms, fill them as phones do, pull, build: every table as sorted rows."""
    forms, _ = jobs.compile_forms("kobo" if site.server.dialect.flat else "central", validate=False)
    site.server.deploy(forms)
    versions = {form.form_id: site.server.versions(form.form_id)[-1] for form in forms}
    phone = site.phone()
    for submission in generate(1, 60, versions):
        phone.submit(submission.xml, submission.attachments)
    _pulled(site, settings)
    (settings.private / "pseudonym.key").write_text("the same for both")
    jobs.build(settings)
    with db.warehouse(settings) as connection:
        return {table: _rows(connection, table) for table in _tables(connection)}


def _pulled(site: Site, settings: Settings) -> list[PullReport]:
    with db.warehouse(settings) as connection, rows.opened(connection, settings, lambda _: None) as into:
        return brought(site.server, into, jobs.form_ids())


def _tables(connection: db.Connection) -> list[str]:
    found = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where schema_name in ('staging', 'marts', 'indicators') order by 1"
    ).fetchall()
    return [name for (name,) in found]


def _rows(connection: db.Connection, table: str) -> list[tuple[Any, ...]]:
    # When and where a submission was received is the server's own business.
    server_columns = {*SYSTEM_COLUMNS} - {"submission_id", "instance_id", "review_state"}
    columns = [row[0] for row in connection.execute(f"describe {table}").fetchall() if row[0] not in server_columns]
    return sorted(connection.execute(f"select {', '.join(map(db.quoted, columns))} from {table}").fetchall(), key=str)


def test_a_second_pull_of_the_same_server_changes_nothing(local: Site, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "one")
    before = _refreshed(local, settings)
    assert isinstance(local.server, LocalServer)

    reports = _pulled(local, settings)
    jobs.build(settings)

    assert [report.written for report in reports] == [0] * len(jobs.form_ids())
    with db.warehouse(settings) as connection:
        assert {table: _rows(connection, table) for table in before} == before
