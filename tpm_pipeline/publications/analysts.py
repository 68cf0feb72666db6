"""The analysts' database: marts, indicators and reference in a new file that takes the old one's place."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tpm_pipeline.errors import PublicationError
from tpm_pipeline.paths import replacing
from tpm_pipeline.publications import catalogue, labelled, labels, texts
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.warehouse.db import Connection, QueryError, attach, cause, literal, memory, quoted, scalar

# Raw and staging hold what identifies people: they are never named here.
SCHEMAS = ("marts", "indicators", "reference")
DRAFT = "analystes"


def write(connection: Connection, target: Path, context: PublicationContext) -> None:
    """Copy the publishable schemas into `target`; readers keep the old file until the new one is whole."""
    with replacing(target) as draft:
        # DuckDB refuses an empty file.
        draft.unlink()
        with _filling(connection, draft) as home:
            _fill(connection, home, context)
        # A log left beside the old file by a program that died would make the new one unopenable.
        _log(target).unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Iterator[Connection]:
    """Read the file, its schemas named without it: raises `PublicationError` for one that is not there or not whole."""
    if not path.exists():
        raise PublicationError("PUB-001", path.name, "Nothing was published yet.", "Run `tpm refresh` first.")
    with memory() as connection:
        try:
            attach(connection, path, "tpm", wishes=["READ_ONLY"])
            connection.execute("use tpm")
            yield connection
        except QueryError as error:
            raise PublicationError(
                "PUB-013", path.name, cause(error), "Run `tpm refresh`: the file is written anew."
            ) from None


@contextmanager
def _filling(connection: Connection, draft: Path) -> Iterator[str]:
    """Work in a new file for one transaction, and leave nothing beside it; the warehouse's name is given."""
    home: str = scalar(connection, "select current_database()")
    attach(connection, draft, DRAFT)
    try:
        # Before the first row: nobody outside the analysts' group opens the file, nor its log.
        draft.chmod(0o640)
        _log(draft).touch(0o640)
        connection.execute(f"use {DRAFT}; begin")
        yield home
        connection.execute(f"commit; checkpoint {DRAFT}")
    except BaseException:
        # A commit that failed has rolled back already.
        with suppress(QueryError):
            connection.execute("rollback")
        raise
    finally:
        try:
            connection.execute(f"use {quoted(home)}; detach {DRAFT}")
        finally:
            _log(draft).unlink(missing_ok=True)


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _fill(connection: Connection, home: str, context: PublicationContext) -> None:
    described, declared = texts.read(), texts.labels()
    _copy(connection, home, described)
    connection.execute("create schema catalogue")
    labels.create(connection, declared)
    columns = catalogue.columns(connection, described, ("marts", "indicators"))
    shown = [column for column in columns if column.schema == "marts" or column.table == "valeur"]
    views = labelled.create(connection, shown, declared)
    catalogue.create(connection, context, described, views, declared["view"])


def _copy(connection: Connection, home: str, described: texts.Texts) -> None:
    found = connection.execute(f"""
        select schema_name, table_name from duckdb_tables() where database_name = {literal(home)}
            and schema_name in {SCHEMAS} order by all
    """).fetchall()
    for schema in SCHEMAS:
        connection.execute(f"create schema {schema}")
    for schema, table in found:
        # Any list for the phones becomes a table of reference, and could name persons: only the declared ones leave.
        if schema != "reference" or described.of_table(schema, table):
            name = f"{schema}.{quoted(table)}"
            connection.execute(f"create table {name} as from {quoted(home)}.{name}")
