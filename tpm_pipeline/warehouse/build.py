"""Build: raw becomes staging, staging becomes marts, every table with its description."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms import renames
from tpm_pipeline.forms import schema as form_schema
from tpm_pipeline.paths import FORMS, LISTS, WAREHOUSE
from tpm_pipeline.records import FormSchema, Privacy, Question
from tpm_pipeline.warehouse import client_audit, db, empty, graph, lineage, raw, reference, staging
from tpm_pipeline.warehouse.columns import is_hidden
from tpm_pipeline.warehouse.db import Connection, QueryError, cause, literal, quoted, rows, transaction

_CLASSES: Final[Mapping[Privacy | None, str]] = {
    "sensitive": "sensitive",
    "identifying": "identifying",
    "text": "free text",
}
HIDDEN_FROM_MARTS: Final = tuple(_CLASSES)


@dataclass(frozen=True)
class Description:
    """What a column means, in three languages; where its codes are explained, and what its numbers are in."""

    fr: str
    ar: str
    en: str
    liste: str | None = None
    reference: str | None = None
    unite: str | None = None


@dataclass(frozen=True)
class TableDescription:
    """What a row of a table is and what the table is for, in three languages; of a reference table, its source."""

    fr: str
    ar: str
    en: str
    source: str | None = None
    licence: str | None = None
    date: str | None = None


def schemas(connection: Connection, form_ids: list[str], folder: Path = FORMS) -> list[FormSchema]:
    """The forms as the warehouse sees them: every version ever deployed, united under the names of today."""
    found = []
    for form_id in form_ids:
        versions = raw.form_versions(connection, form_id)
        if not versions:
            raise WarehouseError(
                "WH-020", form_id, "No version of this form was ever deployed.", "Deploy the forms first: `tpm deploy`."
            )
        read = [form_schema.read(version.xform) for version in versions]
        found.append(staging.merge(read, renames.read(form_id, folder)))
    return found


def build(connection: Connection, forms: list[FormSchema], pads: tuple[bytes, bytes]) -> None:
    """Rebuild everything that follows from raw, in one transaction: whole, or as it was."""
    with transaction(connection):
        for layer in ("reference", "staging", "marts"):
            connection.execute(f"drop schema if exists {layer} cascade")
        reference.load(connection, forms)
        staging.create(connection)
        for form in forms:
            staging.build(connection, form, pads)
        client_audit.build(connection)
        marts = graph.ordered(graph.read(connection, "marts", WAREHOUSE / "marts"))
        _build_marts(connection, marts)
        check_privacy(connection, forms, marts)
        describe(connection, descriptions(WAREHOUSE / "columns.yml"), tables(WAREHOUSE / "tables.yml"))


def descriptions(path: Path) -> dict[str, Description]:
    """Read `columns.yml`: one description per column name."""
    return {name: Description(**texts) for name, texts in _yaml(path).items()}


def tables(path: Path) -> dict[str, TableDescription]:
    """Read `tables.yml`: one description per `schema.table`."""
    schemas = _yaml(path).items()
    return {f"{schema}.{name}": TableDescription(**texts) for schema, named in schemas for name, texts in named.items()}


def _yaml(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return content


def _build_marts(connection: Connection, marts: Iterable[graph.Model]) -> None:
    connection.execute("create schema if not exists marts")
    for model in marts:
        try:
            connection.execute(f"create or replace table {model.schema}.{quoted(model.name)} as {model.sql}")
        except QueryError as error:
            raise WarehouseError(
                "WH-021",
                f"warehouse/marts/{model.path.name}",
                cause(error),
                "Correct the query, or give the form back the question it names.",
            ) from None


def describe(
    connection: Connection, described: Mapping[str, Description], titles: Mapping[str, TableDescription]
) -> None:
    """Comment every mart and reference table in French; refuse what is not described, or described in vain."""
    columns = rows(connection, "select table_name, column_name from duckdb_columns() where schema_name = 'marts'")
    _check_columns([(row["table_name"], row["column_name"]) for row in columns], described)
    _check_explanations(connection, described)
    _check_tables(connection, titles)
    statements = [
        f"comment on column marts.{quoted(row['table_name'])}.{quoted(row['column_name'])}"
        f" is {literal(described[row['column_name']].fr)}"
        for row in columns
    ]
    for name, title in titles.items():
        schema, _, table = name.partition(".")
        statements.append(f"comment on table {schema}.{quoted(table)} is {literal(title.fr)}")
    connection.execute("; ".join(statements))


def _check_columns(columns: Sequence[tuple[str, str]], described: Mapping[str, Description]) -> None:
    """Refuse a column without its description, and a description without its column."""
    for table, column in columns:
        if column not in described:
            raise WarehouseError(
                "WH-022",
                f"warehouse/marts/{table}.sql",
                f"The column {column} is described nowhere.",
                "Describe it once in warehouse/columns.yml, in French, Arabic and English.",
            )
    for name in described.keys() - {column for _, column in columns}:
        raise WarehouseError(
            "WH-025",
            "warehouse/columns.yml",
            f"No mart has a column {name}.",
            "Take its description out, or give the mart its column back.",
        )


def _check_explanations(connection: Connection, described: Mapping[str, Description]) -> None:
    """Refuse a description that sends its reader to a list or a table that does not exist."""
    known = {row["liste"] for row in rows(connection, "select distinct liste from reference.choix")}
    known |= {f"reference.{name}" for name in _table_names(connection, "reference")}
    for name, description in described.items():
        table = description.reference and f"reference.{description.reference}"
        for explained in (description.liste, table):
            if explained and explained not in known:
                raise WarehouseError(
                    "WH-026",
                    f"warehouse/columns.yml, {name}",
                    f"Nothing is called {explained}.",
                    "Name a choice list of a form or of warehouse/reference/listes.csv, or a reference table.",
                )


def _check_tables(connection: Connection, titles: Mapping[str, TableDescription]) -> None:
    """Refuse a table without its description, and a description without its table."""
    marts = {f"marts.{name}" for name in _table_names(connection, "marts")}
    lists = {f"reference.{name}" for name in _table_names(connection, "reference")}
    kept = {f"reference.{path.stem}" for path in (WAREHOUSE / "reference").glob("*.csv")}
    for name in sorted((marts | kept) - titles.keys()):
        raise WarehouseError(
            "WH-027",
            name,
            "The table is described nowhere.",
            "Say in warehouse/tables.yml what a row is and what it is for; for a reference table, its source.",
        )
    for name in sorted(titles.keys() - marts - lists):
        raise WarehouseError(
            "WH-028",
            "warehouse/tables.yml",
            f"There is no table {name}.",
            "Take its description out, or give the table back.",
        )


def _table_names(connection: Connection, schema: str) -> list[str]:
    query = f"select table_name from duckdb_tables() where schema_name = {literal(schema)}"
    return [row["table_name"] for row in rows(connection, query)]


def check_privacy(
    connection: Connection,
    forms: list[FormSchema],
    marts: Iterable[graph.Model],
    lists: Path = LISTS,
    folder: Path = WAREHOUSE,
) -> None:
    """Refuse a mart that carries an answer which may only leave as an aggregate, or never, whatever it is called.

    `marts` are followed in order; `lists` and `folder` are what their reference tables are made of.
    """
    hidden = {
        (table.name, column): question
        for form in forms
        for table in staging.tables(form)
        for column, question in table.columns.items()
        if question.privacy in HIDDEN_FROM_MARTS
    }
    for where, what in (*_named_like(connection, hidden), *_made_of(forms, marts, hidden, lists, folder)):
        raise WarehouseError("WH-023", where, what, "Take it out of the mart; publish it only as an aggregate.")


def _named_like(connection: Connection, hidden: Mapping[lineage.Column, Question]) -> Iterator[tuple[str, str]]:
    names = {name.lower() for (_, column), question in hidden.items() for name in (question.name, column)}
    columns = rows(connection, "select table_name, column_name from duckdb_columns() where schema_name = 'marts'")
    for column in columns:
        if column["column_name"].lower() in names:
            what = f"The column {column['column_name']} holds sensitive, identifying or free-text answers."
            yield f"marts.{column['table_name']}", what


def _made_of(
    forms: list[FormSchema],
    marts: Iterable[graph.Model],
    hidden: Mapping[lineage.Column, Question],
    lists: Path,
    folder: Path,
) -> Iterator[tuple[str, str]]:
    """Yield the columns made of such answers; a pseudonym is none, nor is a yes or no about a text."""
    answers = {column: question for column, question in hidden.items() if not is_hidden(question)}
    with db.memory() as connection:
        empty.create(connection, forms, lists, folder)
        for shown in lineage.shown(connection, marts, answers):
            question = answers[shown.source]
            if shown.kind != "BOOLEAN" or question.privacy == "sensitive":
                what = f"The column {shown.column} is made of {shown.source[0]}.{question.name}, whose answers are"
                yield f"marts.{shown.mart}", f"{what} {_CLASSES[question.privacy]}."
