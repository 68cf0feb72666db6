"""The analysts' file: what it holds, what it never holds, and readers that are never disturbed."""

import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.publications import office
from tests.publications.office import reading
from tpm_pipeline.errors import PublicationError
from tpm_pipeline.publications import analysts, catalogue
from tpm_pipeline.publications.base import PublicationContext, intact_on_failure
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

SECRETS = ("0661-23-45-67", "Elle craint d’être retrouvée par son ancien employeur")
FOR_ANALYSTS = (
    "Réservé aux analystes du projet, ne pas publier : microdonnées pseudonymes, petits effectifs non masqués."
)
READER = """
import sys, duckdb
opened = 0
while True:
    with duckdb.connect(sys.argv[1], read_only=True) as tpm:
        generation, = tpm.execute("select refreshed_at from catalogue.publication").fetchone()
        assert tpm.execute("select count(*) from indicators.valeur_fr").fetchone()[0] == 5
    opened += 1
    print(opened, generation, flush=True)
"""


@pytest.fixture
def connection(settings: Settings) -> Iterator[db.Connection]:
    with db.warehouse(settings) as opened:
        opened.execute("create schema raw; create schema staging")
        office.fill(opened)
        yield opened


@pytest.fixture
def context() -> PublicationContext:
    return office.context()


@pytest.fixture
def published(connection: db.Connection, settings: Settings, context: PublicationContext) -> Path:
    analysts.write(connection, settings.analysts_db, context)
    return settings.analysts_db


def test_marts_indicators_and_reference_are_there_and_nothing_else(published: Path) -> None:
    with reading(published) as tpm:
        schemas = tpm.execute("select distinct schema_name from duckdb_tables() where database_name = 'tpm'").fetchall()
        assert {name for (name,) in schemas} == {"catalogue", "indicators", "marts", "reference"}
        assert db.scalar(tpm, "select count(*) from marts.fct_saisie") == 2
        assert db.scalar(tpm, "select valeur from indicators.valeur where dimension = 'total'") == 4


def test_the_file_says_when_it_was_made_of_what(published: Path) -> None:
    with reading(published) as tpm:
        row = tpm.execute(
            "select * replace (refreshed_at::varchar as refreshed_at) from catalogue.publication"
        ).fetchone()
    assert row is not None
    assert [str(value) for value in row] == [
        *("2026-11-23 21:05:00", "2021-01-05", "2021-02-10", "True"),
        f"Données synthétiques de démonstration. {FOR_ANALYSTS}",
    ]


def test_the_file_says_whom_it_is_for_and_only_they_can_open_it(
    connection: db.Connection, settings: Settings, context: PublicationContext
) -> None:
    analysts.write(connection, settings.analysts_db, replace(context, synthetic=False))
    with reading(settings.analysts_db) as tpm:
        assert db.scalar(tpm, "select avertissement from catalogue.publication") == FOR_ANALYSTS
    assert stat.filemode(settings.analysts_db.stat().st_mode) == "-rw-r-----"


def test_not_even_the_draft_is_open_to_others(
    connection: db.Connection, settings: Settings, context: PublicationContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at once its rows are written: the file and its log."""
    modes: list[str] = []

    def look(*_: object) -> None:
        connection.execute("commit; begin")
        modes.extend(stat.filemode(path.stat().st_mode) for path in settings.data.glob(".tpm.duckdb.*"))

    monkeypatch.setattr(catalogue, "create", look)
    analysts.write(connection, settings.analysts_db, context)
    assert modes == ["-rw-r-----"] * 2


def test_a_list_that_nobody_described_is_not_published(
    connection: db.Connection, settings: Settings, context: PublicationContext
) -> None:
    connection.execute("create table reference.agents as select 'A. Amazigh' as nom, '0661-23-45-67' as telephone")
    connection.execute("comment on table reference.agents is 'Agents des bureaux.'")
    analysts.write(connection, settings.analysts_db, context)
    with reading(settings.analysts_db) as tpm:
        tables = db.rows(tpm, "from catalogue.tables where schema = 'reference'")
    assert {"bureaux", "choix", "communes"} <= {row["table_nom"] for row in tables}
    assert not {"agents", "dossiers"} & {row["table_nom"] for row in tables}
    assert all(row["source"] and row["licence"] for row in tables)
    assert b"A. Amazigh" not in settings.analysts_db.read_bytes()


def test_no_private_answer_leaves(connection: db.Connection, settings: Settings, context: PublicationContext) -> None:
    """Not as a row, nor as a trace in a page of the file that DuckDB would have reused."""
    for schema in ("raw", "staging"):
        connection.execute(f"create table {schema}.secret as select unnest(?::varchar[]) as payload", [list(SECRETS)])
        connection.execute(f"comment on table {schema}.secret is {db.literal(SECRETS[0])}")
    connection.execute("create or replace table reference.dossiers as select ? as label", [SECRETS[1]])
    connection.execute("checkpoint warehouse")
    analysts.write(connection, settings.analysts_db, context)
    for secret in SECRETS:
        assert secret.encode() in settings.private_db.read_bytes()
        assert secret.encode() not in settings.analysts_db.read_bytes()


def test_publishing_again_replaces_the_file_whole(
    connection: db.Connection, settings: Settings, context: PublicationContext, published: Path
) -> None:
    connection.execute("drop table marts.fct_saisie; create table marts.fct_saisie (saisie_date date)")
    analysts.write(connection, published, context)
    with reading(published) as tpm:
        assert db.scalar(tpm, "select count(*) from marts.fct_saisie") == 0
    assert sorted(path.name for path in settings.data.iterdir()) == ["private", "tpm.duckdb"]


def test_a_log_left_by_a_program_that_died_does_no_harm(
    connection: db.Connection, context: PublicationContext, published: Path
) -> None:
    published.with_name("tpm.duckdb.wal").write_bytes(b"left behind")
    analysts.write(connection, published, context)
    with reading(published) as tpm:
        assert db.scalar(tpm, "select count(*) from catalogue.publication") == 1


def test_a_full_disk_leaves_the_old_file(
    connection: db.Connection, settings: Settings, context: PublicationContext, published: Path
) -> None:
    before = published.read_bytes()
    connection.execute("create table marts.fct_large as select sha256(i::varchar) as h from range(200000) as t(i)")
    connection.execute("checkpoint warehouse")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, limits[1]))
    try:
        with pytest.raises(PublicationError, match="PUB-002"), intact_on_failure(published):
            analysts.write(connection, published, context)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert published.read_bytes() == before
    assert sorted(path.name for path in settings.data.iterdir()) == ["private", "tpm.duckdb"]
    connection.execute("drop table marts.fct_large")
    analysts.write(connection, published, context)


def test_a_reader_is_never_locked_out_nor_sees_half_a_file(
    connection: db.Connection, context: PublicationContext, published: Path
) -> None:
    """Another process opens and queries while ten publications are made."""
    command = [sys.executable, "-c", READER, str(published)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        assert reader.stdout.readline().startswith("1 ")
        for _ in range(10):
            analysts.write(connection, published, context)
        assert reader.poll() is None
        reader.terminate()
        seen, errors = reader.communicate()
    assert errors == ""
    assert len(seen.splitlines()) > 10


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with (
        pytest.raises(PublicationError, match=r"PUB-001 · tpm\.duckdb: .* `tpm refresh`"),
        analysts.opened(tmp_path / "tpm.duckdb"),
    ):
        pass


def test_a_file_that_is_no_such_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "tpm.duckdb").write_bytes(b"something else")
    with pytest.raises(PublicationError, match=r"PUB-013 · tpm\.duckdb"), analysts.opened(tmp_path / "tpm.duckdb"):
        pass
