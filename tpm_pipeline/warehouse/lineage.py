"""Which questions each mart's column and each indicator reads: asked of DuckDB's own plans.

Marts are views over empty staging tables, and of the optimizer only what drops unused columns is left on:
what a plan still scans is what the query needs, be it shown, joined, sorted or filtered by.
What a mart only shows is asked of the same query without its filters, its join conditions and its order.
"""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tpm_pipeline.warehouse import graph
from tpm_pipeline.warehouse.db import Connection, QueryError, literal, quoted, scalar
from tpm_pipeline.warehouse.graph import Model

Column = tuple[str, str]
"""A staging table and one of its columns."""

_LEFT_ON: Final = "('unused_columns', 'cte_inlining', 'deliminator')"
_ROWS_ONLY: Final[Mapping[str, Any]] = {
    "where_clause": None,
    "having": None,
    "qualify": None,
    "modifiers": [],
    "setop_all": True,
    "materialized": "CTE_MATERIALIZE_NEVER",
}
_PRESENCE: Final = ("OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL")


@dataclass(frozen=True)
class Reach:
    """What a question ends up in: marts' columns as `table.column`, and whole queries by name."""

    marts: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lineage:
    """What each staging column reaches, and the queries that do not bind, of which nothing can be said."""

    reach: Mapping[Column, Reach]
    unbound: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A mart's column, its type, and a staging column that its values are made of."""

    mart: str
    column: str
    kind: str
    source: Column


def shown(connection: Connection, marts: Iterable[Model], sources: Container[Column]) -> Iterator[Shown]:
    """Follow some staging columns into the values of the marts, given in order; one that does not bind is left out.

    To know whether there is an answer is not to know the answer: what `is null` asks about is not shown.
    """
    _only_needed_columns(connection)
    for mart in marts:
        try:
            columns = _as_view_of_values(connection, mart)
        except QueryError:
            continue
        if not any(source in sources for source in _needed(connection, f"from {_named(mart)}")):
            continue
        for name, kind in columns.items():
            for source in _needed(connection, f"select {quoted(name)} from {_named(mart)}"):
                if source in sources:
                    yield Shown(mart.name, name, kind, source)


def _as_view_of_values(connection: Connection, mart: Model) -> dict[str, str]:
    """Make a mart a view that chooses no rows, or as it is when it cannot be had so."""
    true = graph.parsed(connection, "", "select true")["select_list"][0]
    statement = {"node": _unfiltered(graph.parsed(connection, mart.path.name, mart.sql), true), "named_param_map": []}
    tree = json.dumps({"error": False, "statements": [statement]})
    try:
        sql = str(scalar(connection, f"select json_deserialize_sql({literal(tree)})"))
        return _as_view(connection, replace(mart, sql=sql))
    except QueryError:
        return _as_view(connection, mart)


def _unfiltered(tree: Any, true: Mapping[str, Any]) -> Any:
    """A syntax tree without what only chooses, joins or sorts rows, and where every `is null` is true."""
    if isinstance(tree, list):
        return [_unfiltered(branch, true) for branch in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("type") in _PRESENCE:
        return {**true, "alias": tree["alias"]}
    bare = {key: _ROWS_ONLY[key] if key in _ROWS_ONLY else _unfiltered(branch, true) for key, branch in tree.items()}
    if tree.get("type") == "JOIN" and tree["condition"] and tree["ref_type"] == "REGULAR":
        bare["condition"] = true
    return bare


def reached(connection: Connection, marts: Iterable[Model], queries: Mapping[str, str]) -> Lineage:
    """Follow each staging column into the marts, given in order, and into queries on marts, given by name."""
    _only_needed_columns(connection)
    into_marts: dict[Column, list[str]] = {}
    into_queries: dict[Column, list[str]] = {}
    unbound = []
    for mart in marts:
        try:
            for name in _as_view(connection, mart):
                _note(connection, into_marts, f"{mart.name}.{name}", f"select {quoted(name)} from {_named(mart)}")
        except QueryError:
            unbound.append(mart.full_name)
    for name, sql in queries.items():
        try:
            _note(connection, into_queries, name, sql)
        except QueryError:
            unbound.append(name)
    columns = {**into_marts, **into_queries}
    found = {one: Reach(tuple(into_marts.get(one, ())), tuple(into_queries.get(one, ()))) for one in columns}
    return Lineage(found, tuple(unbound))


def _only_needed_columns(connection: Connection) -> None:
    others = f"select string_agg(name, ',') from duckdb_optimizers() where name not in {_LEFT_ON}"
    connection.execute(f"set disabled_optimizers = {literal(scalar(connection, others))}")


def _as_view(connection: Connection, mart: Model) -> dict[str, str]:
    """Make a mart a view, and return its columns with their types."""
    connection.execute(f"create view {_named(mart)} as {mart.sql}")
    return {name: kind for name, kind, *_ in connection.execute(f"describe {_named(mart)}").fetchall()}


def _named(mart: Model) -> str:
    return f"{mart.schema}.{quoted(mart.name)}"


def _note(connection: Connection, into: dict[Column, list[str]], name: str, sql: str) -> None:
    for column in _needed(connection, sql):
        into.setdefault(column, []).append(name)


def _needed(connection: Connection, sql: str) -> list[Column]:
    plan = json.loads(connection.execute(f"explain (format json) {sql}").fetchall()[0][1])
    return list(dict.fromkeys(_scanned(plan)))


def _scanned(nodes: list[dict[str, Any]]) -> Iterator[Column]:
    for node in nodes:
        table = node["extra_info"].get("Table")
        if table:
            columns = node["extra_info"].get("Projections", [])
            _, _, name = table.partition(".staging.")
            # Of a struct only the fields that are needed are read, as `column.field`.
            read = (column.partition(".")[0] for column in ([columns] if isinstance(columns, str) else columns))
            yield from ((name, column) for column in read if name)
        yield from _scanned(node["children"])
