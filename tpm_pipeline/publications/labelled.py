"""Labelled views: each table again in French, Arabic and English, the same columns with labels instead of codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tpm_pipeline.publications.texts import LANGUAGES, Spoken
from tpm_pipeline.warehouse.db import Connection, literal, quoted

# A part's meaning depends on its dimension.
_PART = ("indicators.valeur", "part")
_MANY = "[]"


@dataclass(frozen=True)
class Column:
    """A column of the file, and the list of catalogue.choix that explains its codes."""

    schema: str
    table: str
    name: str
    type: str
    list: str | None


@dataclass(frozen=True)
class View:
    """A labelled view, and the table it shows."""

    schema: str
    table: str
    language: Spoken

    @property
    def name(self) -> str:
        """The table's name with the language at its end."""
        return f"{self.table}_{self.language}"


def create(connection: Connection, columns: Sequence[Column], declared: Mapping[str, Any]) -> list[View]:
    """Make the views of these tables in every language."""
    tables: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        tables.setdefault((column.schema, column.table), []).append(column)
    views = {View(*table, language): found for table, found in tables.items() for language in LANGUAGES}
    connection.execute(";".join(_sql(view, found, declared) for view, found in views.items()))
    return list(views)


def _sql(view: View, columns: Sequence[Column], declared: Mapping[str, Any]) -> str:
    spoken, joins = [], []
    for rank, column in enumerate(columns):
        expression, join = _column(column, f"liste_{rank}", view.language, declared)
        spoken.append(f"{expression} as {quoted(column.name)}")
        joins.append(join)
    return (
        f"create view {view.schema}.{quoted(view.name)} as select {', '.join(spoken)}"
        f" from {view.schema}.{quoted(view.table)} as t {' '.join(joins)}"
    )


def _column(column: Column, alias: str, language: Spoken, declared: Mapping[str, Any]) -> tuple[str, str]:
    """The SQL of a column as people read it, and the join it needs. A number stays one, even a score's."""
    name, label = f"t.{quoted(column.name)}", f"label_{language}"
    if column.type == "BOOLEAN":
        yes, no = (literal(declared[word][language]) for word in ("yes", "no"))
        return f"case when {name} then {yes} when not {name} then {no} end", ""
    if (f"{column.schema}.{column.table}", column.name) == _PART:
        join = f"left join catalogue.parts as {alias} on {alias}.dimension = t.dimension and {alias}.part = {name}"
        return f"coalesce({alias}.part_{language}, {name})", join
    if column.list is None or column.type.removesuffix(_MANY) != "VARCHAR":
        return name, ""
    source = f"catalogue.choix where liste = {literal(column.list)}"
    if column.type.endswith(_MANY):
        join = f"cross join (select map_from_entries(list((code, {label}))) as labels from {source}) as {alias}"
        return f"list_transform({name}, lambda code: coalesce({alias}.labels[code], code))", join
    join = f"left join (select code, {label} from {source}) as {alias} on {alias}.code = {name}"
    return f"coalesce({alias}.{label}, {name})", join
