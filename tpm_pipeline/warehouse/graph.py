"""Which table needs which: read from the SQL itself, ordered, and held to the layers' law."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.warehouse.db import Connection, literal, scalar

MAY_READ = {
    "marts": {"staging", "marts", "reference"},
    "indicators": {"marts"},
    "checks": {"raw", "staging", "marts", "reference", "indicators"},
}
_WITHOUT_TABLE = {"unnest", "range", "generate_series"}


@dataclass(frozen=True)
class Model:
    """One SELECT in one file, and the tables it reads, as `schema.table`."""

    schema: str
    name: str
    path: Path
    sql: str
    grain: str
    reads: frozenset[str]

    @property
    def full_name(self) -> str:
        """`schema.table`."""
        return f"{self.schema}.{self.name}"


def read(connection: Connection, schema: str, folder: Path) -> list[Model]:
    """Read the models of a folder (`marts/*.sql`), each with its grain and what it reads."""
    return [read_file(connection, schema, path) for path in sorted(folder.glob("*.sql"))]


def read_file(connection: Connection, schema: str, path: Path) -> Model:
    """Read one model."""
    sql = path.read_text(encoding="utf-8").strip()
    first, _, _ = sql.partition("\n")
    if not first.startswith("-- "):
        raise WarehouseError(
            "WH-010",
            path.name,
            "The grain is missing.",
            "Begin the file with a comment such as «-- One row per visit.»",
        )
    reads = check_reads(connection, schema, path.name, sql)
    return Model(schema, path.stem, path, sql, first.removeprefix("-- ").strip(), reads)


def check_reads(connection: Connection, schema: str, where: str, sql: str) -> frozenset[str]:
    """The tables a query reads, as `schema.table`; refused when its layer may not read one of them."""
    reads = frozenset(_tables(connection, where, sql))
    for table in sorted(reads):
        layer = table.partition(".")[0]
        if layer not in MAY_READ[schema]:
            raise WarehouseError(
                "WH-012",
                where,
                f"It reads {table.lstrip('.')}, which {schema} may not read.",
                f"Read only from {', '.join(sorted(MAY_READ[schema]))}.",
            )
    return reads


def parsed(connection: Connection, where: str, sql: str) -> Mapping[str, Any]:
    """The syntax tree of a SELECT, as DuckDB's own parser writes it: nothing is bound."""
    # Written into the query: to bind a parameter DuckDB's client first imports pandas, for half a second.
    tree = json.loads(scalar(connection, f"select json_serialize_sql({literal(sql)})"))
    if tree.get("error"):
        raise WarehouseError(
            "WH-011", where, f"The SQL cannot be parsed: {tree.get('error_message')}.", "Correct it; one SELECT a file."
        )
    if len(tree["statements"]) != 1:
        raise WarehouseError("WH-014", where, "The file holds several statements.", "Keep one SELECT a file.")
    node: Mapping[str, Any] = tree["statements"][0]["node"]
    return node


def _tables(connection: Connection, where: str, sql: str) -> set[str]:
    nodes = list(_walk(parsed(connection, where, sql)))
    ctes = {key for node in nodes for key in _cte_names(node)}
    found = [node for node in nodes if node.get("type") == "BASE_TABLE"]
    called = [node["function"] for node in nodes if node.get("type") == "TABLE_FUNCTION"]
    return {
        f"{node['schema_name']}.{node['table_name']}"
        for node in found
        if node["schema_name"] or node["table_name"] not in ctes
    } | {f"{node['schema']}.{node['function_name']}" for node in called if node["function_name"] not in _WITHOUT_TABLE}


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for branch in tree.values():
            yield from _walk(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from _walk(branch)


def _cte_names(node: Mapping[str, Any]) -> list[str]:
    cte_map = node.get("cte_map")
    return [entry["key"] for entry in cte_map["map"]] if isinstance(cte_map, dict) else []


def ordered(models: list[Model]) -> list[Model]:
    """Order models so that each comes after those it reads."""
    by_name = {model.full_name: model for model in models}
    needs = {name: sorted(model.reads & by_name.keys()) for name, model in by_name.items()}
    try:
        return [by_name[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        circle = " → ".join(error.args[1])
        raise WarehouseError(
            "WH-013", circle, "These models read each other in a circle.", "Break the circle."
        ) from None


def downstream(reads: Mapping[str, frozenset[str]], name: str) -> set[str]:
    """Everything that reads a table, directly or through others; `reads` says what each name reads."""
    found: set[str] = set()
    front = {name}
    while front := {reader for reader, tables in reads.items() if tables & front} - found:
        found |= front
    return found
