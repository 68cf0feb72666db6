"""The analysts' database: marts, indicators and reference in a new file that takes the old one's place."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from tpm_pipeline.paths import PACKAGE, WAREHOUSE, replacing
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.warehouse.build import Description, descriptions
from tpm_pipeline.warehouse.db import Connection, QueryError, attach, literal, quoted, rows

# Raw and staging hold what identifies people: they are never named here.
SCHEMAS = ("marts", "indicators", "reference")
DRAFT = "analystes"
WARNING = "Réservé aux analystes du projet, ne pas publier : microdonnées pseudonymes, petits effectifs non masqués."

_CATALOGUE = f"""
create schema {DRAFT}.catalogue;
create table {DRAFT}.catalogue.colonnes (
    schema varchar, table_nom varchar, colonne varchar, rang integer, type varchar,
    description_fr varchar, description_ar varchar, description_en varchar);
create table {DRAFT}.catalogue.publication (
    refreshed_at timestamp, debut_date date, fin_date date, est_synthetique boolean, avertissement varchar);
"""


def write(connection: Connection, target: Path, context: PublicationContext) -> None:
    """Copy the publishable schemas into `target`; readers keep the old file until the new one is whole."""
    with replacing(target) as draft:
        # DuckDB refuses an empty file.
        draft.unlink()
        with _filling(connection, draft):
            known = _known()
            _copy(connection, known)
            _describe(connection, known)
            _catalogue(connection, context)
        # A log left beside the old file by a program that died would make the new one unopenable.
        _log(target).unlink(missing_ok=True)


@contextmanager
def _filling(connection: Connection, draft: Path) -> Iterator[None]:
    """Attach a new file for one transaction, and leave nothing beside it."""
    attach(connection, draft, DRAFT)
    try:
        # Before the first row: nobody outside the analysts' group opens the file, nor its log.
        draft.chmod(0o640)
        _log(draft).touch(0o640)
        connection.execute("begin")
        yield
        connection.execute(f"commit; checkpoint {DRAFT}")
    except BaseException:
        # A commit that failed has rolled back already.
        with suppress(QueryError):
            connection.execute("rollback")
        raise
    finally:
        try:
            connection.execute(f"detach {DRAFT}")
        finally:
            _log(draft).unlink(missing_ok=True)


def _log(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _known() -> Mapping[str, str]:
    known: Mapping[str, str] = yaml.safe_load((PACKAGE / "publications" / "descriptions.yml").read_text("utf-8"))
    return known


def _copy(connection: Connection, known: Mapping[str, str]) -> None:
    found = connection.execute(f"""
        select schema_name, table_name from duckdb_tables() where database_name = current_database()
            and schema_name in {SCHEMAS} order by all
    """).fetchall()
    # Any list for the phones becomes a table of reference, and could name persons: only the declared ones leave.
    tables = [(schema, table) for schema, table in found if schema != "reference" or f"{schema}.{table}" in known]
    for schema in SCHEMAS:
        connection.execute(f"create schema {DRAFT}.{schema}")
    for schema, table in tables:
        connection.execute(f"create table {DRAFT}.{schema}.{quoted(table)} as from {schema}.{quoted(table)}")


def _describe(connection: Connection, known: Mapping[str, str]) -> None:
    """Carry every comment over; what the warehouse leaves without one is in descriptions.yml."""
    tables = rows(connection, _commented("duckdb_tables()", "schema_name, table_name"))
    columns = rows(connection, _commented("duckdb_columns()", "schema_name, table_name, column_name"))
    statements = []
    for row in tables + columns:
        schema, table, column = row["schema_name"], row["table_name"], row.get("column_name")
        plain = f"{schema}.{table}.{column}" if column else f"{schema}.{table}"
        if text := row["comment"] or known.get(plain) or known.get(f"{schema}.*.{column}"):
            name = f"{DRAFT}.{schema}.{quoted(table)}" + (f".{quoted(column)}" if column else "")
            statements.append(f"comment on {'column' if column else 'table'} {name} is {literal(text)}")
    connection.execute(";\n".join(statements))


def _commented(objects: str, names: str) -> str:
    """The tables or columns of the draft, with the comment they have in the warehouse."""
    return f"""
        select {names}, source.comment from {objects} as source
        semi join (select schema_name, table_name from duckdb_tables() where database_name = {literal(DRAFT)}) as copied
            using (schema_name, table_name)
        where source.database_name = current_database() order by all
    """


def _catalogue(connection: Connection, context: PublicationContext) -> None:
    connection.execute(_CATALOGUE)
    texts = descriptions(WAREHOUSE / "columns.yml")
    listed = connection.execute(f"""
        select schema_name, table_name, column_name, column_index, data_type, comment from duckdb_columns()
        where database_name = {literal(DRAFT)} and schema_name in {SCHEMAS} order by 1, 2, 4
    """).fetchall()
    spoken = [_in_three_languages(texts if column[0] == "marts" else {}, column[2], column[-1]) for column in listed]
    connection.executemany(
        f"insert into {DRAFT}.catalogue.colonnes values (?, ?, ?, ?, ?, ?, ?, ?)",
        [[*column[:-1], *text] for column, text in zip(listed, spoken, strict=True)],
    )
    connection.execute(
        f"insert into {DRAFT}.catalogue.publication"
        " select ?, min(saisie_date), max(saisie_date), ?, ? from marts.fct_saisie",
        [
            context.refreshed_at.replace(tzinfo=None),
            context.synthetic,
            f"Données synthétiques de démonstration. {WARNING}" if context.synthetic else WARNING,
        ],
    )


def _in_three_languages(texts: Mapping[str, Description], name: str, comment: str | None) -> Sequence[str | None]:
    text = texts.get(name)
    return (text.fr, text.ar, text.en) if text else (comment, None, None)
