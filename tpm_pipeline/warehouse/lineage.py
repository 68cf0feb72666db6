"""Which questions each mart's column and each indicator reads: asked of DuckDB's own plans.

Marts are views over empty staging tables, and of the optimizer only what drops unused columns is left on:
what a plan still scans is what the query needs, be it shown, joined, sorted or filtered by.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tpm_pipeline.warehouse.db import Connection, QueryError, literal, quoted, scalar
from tpm_pipeline.warehouse.graph import Model

Column = tuple[str, str]
"""A staging table and one of its columns."""

_LEFT_ON: Final = "('unused_columns', 'cte_inlining', 'deliminator')"


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


def _as_view(connection: Connection, mart: Model) -> list[str]:
    """Make a mart a view, and return its columns."""
    connection.execute(f"create view {_named(mart)} as {mart.sql}")
    return [name for name, *_ in connection.execute(f"describe {_named(mart)}").fetchall()]


def _named(mart: Model) -> str:
    return f"{mart.schema}.{quoted(mart.name)}"


def _note(connection: Connection, into: dict[Column, list[str]], name: str, sql: str) -> None:
    plan = json.loads(connection.execute(f"explain (format json) {sql}").fetchall()[0][1])
    for column in dict.fromkeys(_scanned(plan)):
        into.setdefault(column, []).append(name)


def _scanned(nodes: list[dict[str, Any]]) -> Iterator[Column]:
    for node in nodes:
        table = node["extra_info"].get("Table")
        if table:
            columns = node["extra_info"].get("Projections", [])
            _, _, name = table.partition(".staging.")
            yield from ((name, column) for column in ([columns] if isinstance(columns, str) else columns) if name)
        yield from _scanned(node["children"])
