"""The only door to DuckDB."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from tpm_pipeline.errors import DatabaseLockedError, WarehouseError
from tpm_pipeline.settings import Settings

Connection = duckdb.DuckDBPyConnection
QueryError = duckdb.Error
OutOfMemoryError = duckdb.OutOfMemoryException
Room = Callable[[int], None]
"""Makes room for something of so many bytes."""
# These name columns and tables; the others may quote an answer.
_ABOUT_QUERIES = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)

# Where a parameter stands, or what may only look like it.
_PLACE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\$(\w+)|\?""")

# DuckDB 1.5's own time zones are out of date for Morocco, and a plain cast to TIMESTAMP drops the offset:
# the offset each text carries is applied by arithmetic, and no time-zone table is ever read.
# Older phones write an offset of whole hours without minutes: +01.
_UTC = r"""
create or replace temp macro instant(t) as regexp_extract(
    t,
    '^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(?:Z|([+-])(\d{2}):?(\d{2})?)?$',
    ['day', 'clock', 'side', 'hours', 'minutes']);
create or replace temp macro utc(t) as case
    when t is null then null
    -- As phones and servers write it: with its own offset, the cast reads no time zone and costs a fifth of the
    -- pattern.
    when (t like '____-__-__T__:__:__.___Z' or t like '____-__-__T__:__:__.___+__:__')
        and t between '1' and '3' and not contains(t, ' ')
        and try_cast(t as timestamptz) is not null then make_timestamp(epoch_us(try_cast(t as timestamptz)))
    else try_cast(instant(t).day || ' ' || instant(t).clock as timestamp) - to_minutes(
        if(instant(t).side = '-', -1, 1)
        * (60 * coalesce(try_cast(instant(t).hours as integer), 0)
           + coalesce(try_cast(instant(t).minutes as integer), 0)))
    end
"""


# A table is read by one core per row group, and a raw row weighs kilobytes: small groups use every core.
_LAYOUT = "ROW_GROUP_SIZE 8192, STORAGE_VERSION 'v1.5.0'"
# Each column of a group takes at least one block while it is written: small blocks take little memory.
# A file keeps those it was made with.
_BLOCKS = "BLOCK_SIZE 65536"
# What a pull needs, however many rows there are; DuckDB would keep what it wrote in all the memory it may use.
_SPARING = {
    "threads": "1",
    "memory_limit": "80MB",
    "allocator_flush_threshold": "1MB",
    "allocator_bulk_deallocation_flush_threshold": "1MB",
}
_LARGE = 3 << 19
_PER_CORE = 128 << 20


@contextmanager
def warehouse(settings: Settings) -> Iterator[Connection]:
    """Open the private database for writing, encrypted when a key is set; one process at a time."""
    settings.private.mkdir(parents=True, exist_ok=True)
    settings.private.chmod(0o700)
    with _translated(settings.private_db), memory(settings) as connection:
        key = settings.warehouse_key.get_secret_value()
        wishes = [_LAYOUT] if settings.private_db.exists() else [_LAYOUT, _BLOCKS]
        attach(connection, settings.private_db, "warehouse", key=key, wishes=wishes)
        connection.execute("use warehouse")
        yield connection
        connection.execute("checkpoint warehouse")


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """Open the private database to read it; nothing when there is none."""
    with _translated(settings.private_db), memory(settings) as connection:
        if settings.private_db.exists():
            key = settings.warehouse_key.get_secret_value()
            attach(connection, settings.private_db, "warehouse", key=key, wishes=["READ_ONLY"])
            connection.execute("use warehouse")
        yield connection


@contextmanager
def memory(settings: Settings | None = None) -> Iterator[Connection]:
    """Open an empty in-memory database that never reaches for the network."""
    config: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    if settings is not None:
        config |= {"memory_limit": settings.memory_limit, "temp_directory": str(settings.private / "spill")}
    connection = duckdb.connect(":memory:", config=config)
    try:
        _fit(connection)
        connection.execute(_UTC)
        yield connection
    finally:
        connection.close()


@contextmanager
def sparing(connection: Connection) -> Iterator[Room]:
    """Work on one core in little memory while the block runs; who brings something large says its size first."""
    before = {name: str(scalar(connection, f"select current_setting('{name}')")) for name in _SPARING}
    _set(connection, _SPARING)

    def room(size: int) -> None:
        if size > _LARGE:
            _set(connection, {"memory_limit": before["memory_limit"]})

    try:
        yield room
    finally:
        _set(connection, before)


def _fit(connection: Connection) -> None:
    """Use no more cores than the memory feeds."""
    if scalar(connection, f"select parse_formatted_bytes(current_setting('memory_limit')) < {_PER_CORE}"):
        _set(connection, {name: value for name, value in _SPARING.items() if name != "memory_limit"})


def _set(connection: Connection, values: Mapping[str, str]) -> None:
    connection.execute("; ".join(f"set {name} = {literal(value)}" for name, value in values.items()))


def attach(connection: Connection, path: Path, name: str, *, key: str = "", wishes: Sequence[str] = ()) -> None:
    """Attach a database file under a name with DuckDB's options; with a key, it is encrypted at rest."""
    wishes = [*wishes]
    if key:
        _load_encryption(connection)
        # Byte by byte: DuckDB reads the key as a BLOB, and would show one with an accent or a backslash in its refusal.
        wishes.append(f"ENCRYPTION_KEY {literal(_escaped(key.encode()))}")
    options = f" ({', '.join(wishes)})" if wishes else ""
    connection.execute(f"attach {literal(str(path))} as {quoted(name)}{options}")


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Keep all that the block writes, or nothing."""
    connection.execute("begin")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):  # a full disk has undone it already
            connection.execute("rollback")
        raise


def _load_encryption(connection: Connection) -> None:
    build = f"v{duckdb.__version__}"
    extension = files("duckdb_extension_httpfs") / "extensions" / build / "httpfs.duckdb_extension"
    connection.execute(f"load {literal(str(extension))}")
    connection.execute("set temp_file_encryption = true")


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        known = _known_error(path, str(error))
        if known is None and isinstance(error, _ABOUT_QUERIES):
            raise
        raise known or WarehouseError("WH-005", path.name, cause(error), "Report it with this line.") from None


def _known_error(path: Path, message: str) -> WarehouseError | None:
    lowered = message.lower()
    if "could not set lock" in lowered or "conflicting lock" in lowered:
        return DatabaseLockedError(
            "WH-001", path.name, "Another process is using the warehouse.", "Wait for it to end, then try again."
        )
    if "no space left" in lowered or "out of disk" in lowered or "could not write" in lowered:
        return WarehouseError(
            "WH-003", path.name, "The disk is full; what was stored before is intact.", "Free space, then run it again."
        )
    if "encryption key" in lowered or "encrypted" in lowered or "cannot open encrypted" in lowered:
        return WarehouseError(
            "WH-004",
            path.name,
            "TPM_WAREHOUSE_KEY is not the key it was made with.",
            "Set that key; none if it was made without.",
        )
    if "not a valid duckdb" in lowered or "corrupt" in lowered or "checksum" in lowered:
        return WarehouseError(
            "WH-002",
            path.name,
            "The file is not a readable DuckDB database.",
            "Move it aside and run `tpm refresh`: everything is pulled again from the server.",
        )
    return None


def cause(error: duckdb.Error) -> str:
    """What DuckDB says of a query that it cannot bind; of a value that fails, only its kind, never the value."""
    if isinstance(error, _ABOUT_QUERIES):
        return str(error).partition("\n")[0].rstrip(".") + "."
    return f"A value made it fail ({type(error).__name__})."


def quoted(name: str) -> str:
    """Quote an identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text."""
    return "'" + text.replace("'", "''") + "'"


def insert(connection: Connection, table: str, rows: Iterable[Iterable[Any]]) -> None:
    """Write rows in one statement: a hundred times faster than one for each."""
    if listed := values(rows):
        connection.execute(f"insert into {table} {listed}")


def values(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as SQL; empty without any."""
    found = ", ".join(f"({', '.join(map(written, row))})" for row in rows)
    return f"values {found}" if found else ""


def written(value: Any) -> str:
    """Write a value as SQL."""
    match value:
        case None | bool():
            return "null" if value is None else str(value).lower()
        case str():
            return literal(value)
        case bytes():
            return f"{literal(_escaped(value))}::blob"
        case date():
            return f"{'timestamp' if isinstance(value, datetime) else 'date'} '{value}'"
        case tuple() | list():
            return f"[{', '.join(map(written, value))}]"
        case _:
            return str(value)


def _escaped(content: bytes) -> str:
    return "".join(f"\\x{byte:02X}" for byte in content)


def run(
    connection: Connection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
) -> duckdb.DuckDBPyConnection:
    """Run a query with its parameters (`?` or `$name`) written in: to bind one, the client first imports pandas."""
    positions = iter(parameters)

    def fill(place: re.Match[str]) -> str:
        if place[0] == "?":
            return written(next(positions))
        return written(parameters[place[1]]) if isinstance(parameters, Mapping) and place[1] else place[0]

    return connection.execute(_PLACE.sub(fill, sql) if parameters else sql)


def scalar(connection: Connection, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
    """Run a query of one value; None when there is no row."""
    row = run(connection, sql, parameters).fetchone()
    return None if row is None else row[0]


def rows(connection: Connection, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Run a query and return its rows by column name."""
    result = run(connection, sql, parameters)
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
