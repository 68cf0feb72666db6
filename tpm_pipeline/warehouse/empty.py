"""A warehouse without a row, made from the forms alone: what binds here binds on real answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tpm_pipeline.paths import LISTS, WAREHOUSE
from tpm_pipeline.records import AnswerType, FormSchema, Question
from tpm_pipeline.warehouse import client_audit, raw, reference, staging
from tpm_pipeline.warehouse.columns import is_hidden
from tpm_pipeline.warehouse.db import Connection, quoted

_TYPES: Mapping[AnswerType, str] = {
    "integer": "bigint",
    "decimal": "double",
    "date": "date",
    "datetime": "timestamp",
    "time": "time",
    "select_multiple": "varchar[]",
    "geopoint": "struct(latitude double, longitude double, altitude double, accuracy double)",
}


def create(connection: Connection, forms: Sequence[FormSchema], lists: Path = LISTS, folder: Path = WAREHOUSE) -> None:
    """Make raw, reference and staging as a build would, from schemas instead of answers."""
    raw.create(connection)
    reference.load(connection, [*forms], lists, folder)
    staging.create(connection)
    client_audit.build(connection)
    connection.execute("create schema marts")
    tables = [staged for form in forms for staged in staging.tables(form)]
    connection.execute(
        ";".join(f"create table staging.{quoted(staged.name)} ({_columns(staged)})" for staged in tables)
    )


def _columns(staged: staging.StagingTable) -> str:
    types = {name: kind for name, (kind, _) in staging.SYSTEM_COLUMNS.items()}
    types |= dict.fromkeys(staging.position_columns(staged.table, staged.ancestors), "integer")
    types |= {name: _type(question) for name, question in staged.columns.items()}
    return ", ".join(f"{quoted(name)} {kind}" for name, kind in types.items())


def _type(question: Question) -> str:
    return "varchar" if is_hidden(question) else _TYPES.get(question.type, "varchar")
