"""Build: raw becomes staging, staging becomes marts, every table with its description."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms import schema as form_schema
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.records import FormSchema
from tpm_pipeline.warehouse import graph, raw, reference, staging
from tpm_pipeline.warehouse.db import Connection, QueryError, cause, literal, quoted, rows, transaction

HIDDEN_FROM_MARTS = ("sensitive", "identifying", "text")


@dataclass(frozen=True)
class Description:
    """What a column means, in three languages."""

    fr: str
    ar: str
    en: str


def schemas(connection: Connection, form_ids: list[str]) -> list[FormSchema]:
    """The forms as the warehouse sees them: every version ever deployed, united."""
    found = []
    for form_id in form_ids:
        versions = raw.form_versions(connection, form_id)
        if not versions:
            raise WarehouseError(
                "WH-020", form_id, "No version of this form was ever deployed.", "Deploy the forms first: `tpm deploy`."
            )
        found.append(staging.merge([form_schema.read(version.xform) for version in versions]))
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
        _build_marts(connection, descriptions(WAREHOUSE / "columns.yml"))
        check_privacy(connection, forms)


def descriptions(path: Path) -> dict[str, Description]:
    """Read `columns.yml`: one description per column name."""
    content: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: Description(**texts) for name, texts in content.items()}


def _build_marts(connection: Connection, described: dict[str, Description]) -> None:
    connection.execute("create schema if not exists marts")
    for model in graph.ordered(graph.read(connection, "marts", WAREHOUSE / "marts")):
        try:
            connection.execute(f"create or replace table {model.schema}.{quoted(model.name)} as {model.sql}")
        except QueryError as error:
            raise WarehouseError(
                "WH-021",
                f"warehouse/marts/{model.path.name}",
                cause(error),
                "Correct the query, or give the form back the question it names.",
            ) from None
        _describe(connection, model, described)


def _describe(connection: Connection, model: graph.Model, described: dict[str, Description]) -> None:
    table = f"{model.schema}.{quoted(model.name)}"
    statements = [f"comment on table {table} is {literal(model.grain)}"]
    for name in _column_names(connection, table):
        if name not in described:
            raise WarehouseError(
                "WH-022",
                f"warehouse/marts/{model.path.name}",
                f"The column {name} is described nowhere.",
                "Describe it once in warehouse/columns.yml, in French, Arabic and English.",
            )
        statements.append(f"comment on column {table}.{quoted(name)} is {literal(described[name].fr)}")
    connection.execute("; ".join(statements))


def _column_names(connection: Connection, table: str) -> list[str]:
    return [str(row["column_name"]) for row in rows(connection, f"describe {table}")]


def check_privacy(connection: Connection, forms: list[FormSchema]) -> None:
    """Refuse a mart that carries an answer which may only leave as an aggregate, or never."""
    hidden = {
        name.lower()
        for form in forms
        for table in staging.tables(form)
        for column, question in table.columns.items()
        if question.privacy in HIDDEN_FROM_MARTS
        for name in (question.name, column)
    }
    columns = rows(connection, "select table_name, column_name from duckdb_columns() where schema_name = 'marts'")
    for column in columns:
        if column["column_name"].lower() in hidden:
            raise WarehouseError(
                "WH-023",
                f"marts.{column['table_name']}",
                f"The column {column['column_name']} holds sensitive, identifying or free-text answers.",
                "Take it out of the mart; publish it only as an aggregate.",
            )
