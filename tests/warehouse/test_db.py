"""The only door to DuckDB."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from tpm_pipeline.errors import DatabaseLockedError, WarehouseError
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

HOLD = """
import sys
from pathlib import Path
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db
with db.warehouse(Settings(data=Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.read()
"""

FILL = """
import resource, sys
from pathlib import Path
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db
if sys.argv[2] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    with db.warehouse(Settings(data=Path(sys.argv[1]))) as connection, db.transaction(connection):
        connection.execute("create table second as select sha256(i::varchar) as x from range(300000) t(i)")
except WarehouseError as error:
    print(error.code)
"""


def encrypted(settings: Settings, key: str) -> Settings:
    return settings.model_copy(update={"warehouse_key": SecretStr(key)})


def test_only_one_process_writes_and_the_other_is_told_to_wait(settings: Settings) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(settings.data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseLockedError, match=r"WH-001 · warehouse.duckdb") as caught, db.warehouse(settings):
            pass
        assert caught.value.retryable
        holder.stdin.close()
    with db.warehouse(settings) as connection:
        assert db.scalar(connection, "select 1") == 1


def test_a_file_that_is_no_database_is_named(settings: Settings) -> None:
    settings.private.mkdir(parents=True)
    settings.private_db.write_bytes(b"Ceci n'est pas une base." * 1000)
    with pytest.raises(WarehouseError, match=r"WH-002 · warehouse.duckdb.*pulled again"), db.warehouse(settings):
        pass


def first_table(settings: Settings) -> None:
    with db.warehouse(settings) as connection:
        connection.execute("create table first as select 42 as x")


@pytest.mark.parametrize("limit", [300_000, 5_000_000])
def test_a_file_that_may_not_grow_loses_nothing_stored_before(settings: Settings, limit: int) -> None:
    first_table(settings)
    filled = subprocess.run(
        [sys.executable, "-c", FILL, str(settings.data), str(limit)], capture_output=True, text=True, check=False
    )
    assert (filled.stdout, filled.stderr) == ("WH-003\n", "")
    with db.warehouse(settings) as connection:
        assert db.rows(connection, "select table_name, x from duckdb_tables(), first") == [
            {"table_name": "first", "x": 42}
        ]


def test_with_a_key_nothing_is_readable_on_disk(settings: Settings) -> None:
    for key, readable in (("", True), ("une clé", False)):
        chosen = encrypted(settings.model_copy(update={"data": settings.data / (key or "plain")}), key)
        with db.warehouse(chosen) as connection:
            connection.execute("create table person as select '+212600000042' as telephone")
        written = b"".join(path.read_bytes() for path in chosen.private.rglob("*") if path.is_file())
        assert (b"+212600000042" in written) is readable
        with db.warehouse(chosen) as connection:
            assert db.scalar(connection, "select telephone from person") == "+212600000042"


@pytest.mark.parametrize(("first", "second"), [("une clé", "une autre"), ("une clé", ""), ("", "une clé")])
def test_the_wrong_key_is_refused_without_being_shown(settings: Settings, first: str, second: str) -> None:
    first_table(encrypted(settings, first))
    with pytest.raises(WarehouseError, match="WH-004") as caught, db.warehouse(encrypted(settings, second)):
        pass
    assert "une autre" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_private_folder_is_closed_to_others(settings: Settings) -> None:
    first_table(settings)
    assert settings.private.stat().st_mode & 0o777 == 0o700


def test_an_error_that_is_not_the_files_comes_through(settings: Settings) -> None:
    with pytest.raises(db.QueryError, match="no_such_table"), db.warehouse(settings) as connection:
        connection.execute("from no_such_table")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T12:00:00.000Z", "2026-11-20 12:00:00"),
        ("2026-11-20T12:00:00.250+01:00", "2026-11-20 11:00:00.25"),
        ("2026-11-20T12:00:00.000+01", "2026-11-20 11:00:00"),
        ("2026-11-20T00:30:00+01:00", "2026-11-19 23:30:00"),
        ("2026-11-20T12:00:00-0530", "2026-11-20 17:30:00"),
        ("2026-11-20T12:00:00-00:30", "2026-11-20 12:30:00"),
        ("2026-11-20T12:00", "2026-11-20 12:00:00"),
        ("2026-11-20T12:00:00.000-05:30", "2026-11-20 17:30:00"),
        ("2026-02-31T12:00:00.000+01:00", None),
        ("2026-11-20T25:00:00.000+01:00", None),
        ("2026-11-20T12:00:00.000+ab:cd", None),
        ("2026-11-20T 2:00:00.000+01:00", None),
        (" 026-11-20T12:00:00.000+01:00", None),
        ("2026-02-31T12:00:00Z", None),
        ("2026-11-20T25:00:00Z", None),
        ("2026-11-20T12:00:00Z demain", None),
        ("2026-11-20", None),
        ("hier", None),
        ("", None),
        (None, None),
    ],
)
def test_an_instant_is_read_with_the_offset_it_carries(text: str | None, expected: str | None) -> None:
    with db.memory() as connection:
        assert db.scalar(connection, "select utc(?)::varchar", [text]) == expected


@pytest.mark.parametrize("text", ["2026-11-20T12:00:00+01:00", "2026-11-20T12:00:00.000+01:00", "2026-11-20T11:00"])
@pytest.mark.parametrize("zone", ["Africa/Casablanca", "Asia/Kathmandu"])
def test_instants_do_not_depend_on_the_time_zone_of_the_session(text: str, zone: str) -> None:
    with db.memory() as connection:
        connection.execute(f"set TimeZone = {db.literal(zone)}")
        assert str(db.scalar(connection, "select utc(?)", [text])) == "2026-11-20 11:00:00"


def test_a_warehouse_made_with_duckdbs_oldest_format_is_kept_and_written_on(settings: Settings) -> None:
    settings.private.mkdir(parents=True)
    with db.memory() as connection:
        db.attach(connection, settings.private_db, "former")
        connection.execute("create table former.first as select 42 as x")
    with db.warehouse(settings) as connection:
        connection.execute("create table second as from first")
    with db.warehouse(settings) as connection:
        assert db.rows(connection, "from second") == [{"x": 42}]


def test_no_extension_is_fetched_from_the_network() -> None:
    with db.memory() as connection:
        wanted = ["autoinstall_known_extensions", "autoload_known_extensions"]
        assert [db.scalar(connection, "select current_setting(?)", [name]) for name in wanted] == [False, False]


def spoilt(connection: db.Connection, interruption: type[BaseException] | None) -> None:
    with db.transaction(connection):
        connection.execute("insert into kept values (2)")
        if interruption is not None:
            raise interruption
        connection.execute("from no_such_table")


@pytest.mark.parametrize(("interruption", "seen"), [(KeyboardInterrupt, KeyboardInterrupt), (None, db.QueryError)])
def test_a_transaction_keeps_all_or_nothing(
    interruption: type[BaseException] | None, seen: type[BaseException]
) -> None:
    with db.memory() as connection:
        with db.transaction(connection):
            connection.execute("create table kept as select 1 as x")
        with pytest.raises(seen):
            spoilt(connection, interruption)
        assert db.rows(connection, "from kept") == [{"x": 1}]


@pytest.mark.parametrize("name", ["simple", 'avec "guillemets"', "l'apostrophe", "عربي"])
def test_names_and_texts_are_quoted(name: str) -> None:
    with db.memory() as connection:
        found = db.rows(connection, f"select {db.literal(name)} as {db.quoted(name)}")
        assert found == [{name: name}]


def test_rows_are_written_as_they_are() -> None:
    row: tuple[object, ...] = ("l’été d'Agadir", date(2021, 1, 31), ("a", "b"), [], True, 1.5, None)
    with db.memory() as connection:
        connection.execute(
            "create table kept (a varchar, b date, c varchar[], d varchar[], e boolean, f double, g integer)"
        )
        db.insert(connection, "kept", [row, row])
        db.insert(connection, "kept", [])
        written: tuple[object, ...] = ("l’été d'Agadir", date(2021, 1, 31), ["a", "b"], [], True, 1.5, None)
        assert connection.execute("from kept").fetchall() == [written, written]
        assert db.values([]) == ""


def test_writing_rows_imports_no_pandas() -> None:
    code = (
        "import sys; from tpm_pipeline.warehouse import db\n"
        "with db.memory() as here: here.execute('create table t (x integer)'); db.insert(here, 't', [(1,)])\n"
        "print('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"


def test_a_failing_query_never_quotes_the_answer_that_made_it_fail(settings: Settings) -> None:
    with pytest.raises(WarehouseError, match=r"WH-005 .*ConversionException") as caught, db.warehouse(settings) as here:
        here.execute("select 'Mme Amina 0612345678'::integer")
    assert "Amina" not in str(caught.value)


def test_a_query_without_rows_has_no_value() -> None:
    with db.memory() as connection:
        assert db.scalar(connection, "select 1 where false") is None


def test_readers_do_not_shut_each_other_out(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, data=tmp_path)
    with db.warehouse(settings) as connection:
        connection.execute("create table t as select 1 as a")
    with db.reading(settings) as one, db.reading(settings) as other:
        assert db.scalar(one, "select a from t") == db.scalar(other, "select a from t") == 1
        with pytest.raises(db.QueryError):
            one.execute("insert into t values (2)")


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with db.reading(Settings(_env_file=None, data=tmp_path / "none")) as connection:
        assert db.scalar(connection, "select count(*) from duckdb_tables()") == 0
    assert not (tmp_path / "none").exists()
