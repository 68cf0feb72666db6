"""What no longer fits once a form has changed: marts, indicators and checks, and the indicators each one breaks."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tpm_pipeline.errors import TpmError
from tpm_pipeline.forms.check import as_finding
from tpm_pipeline.indicators import facts, logframe
from tpm_pipeline.indicators.facts import NUMBERS
from tpm_pipeline.indicators.logframe import Indicator
from tpm_pipeline.paths import LISTS, WAREHOUSE
from tpm_pipeline.records import Finding, FormSchema
from tpm_pipeline.warehouse import build, codes, db, empty, graph
from tpm_pipeline.warehouse.db import Connection, QueryError, cause, quoted

_BY_PREFIX: Final = {"date_": ("DATE",), "nb_": NUMBERS, "est_": ("BOOLEAN",), "a_": ("BOOLEAN",)}
_BY_SUFFIX: Final = {"_date": ("DATE",), "_at": ("TIMESTAMP",), "_pct": NUMBERS}

Types = Mapping[str, str]


def findings(
    forms: Sequence[FormSchema], missing: Collection[str] = (), lists: Path = LISTS, folder: Path = WAREHOUSE
) -> list[Finding]:
    """Bind every query against an empty warehouse made of these forms, and collect all that does not fit.

    What reads a form that is `missing`, because it does not compile, is left out; so is what reads a broken mart.
    """
    with db.memory() as connection:
        empty.create(connection, forms, lists, folder)
        project = _Project(connection, folder, codes.of_forms(forms))
        project.declare()
        project.leave_out(missing)
        project.bind_marts()
        project.bind_indicators()
        project.bind_checks()
        project.check_marts(forms, lists)
    return project.found


@dataclass
class _Project:
    """The queries of the warehouse, what each reads, and what was found wrong with them."""

    connection: Connection
    folder: Path
    catalog: dict[str, codes.Relation]
    marts: list[graph.Model] = field(default_factory=list)
    checks: list[graph.Model] = field(default_factory=list)
    indicators: list[Indicator] = field(default_factory=list)
    reads: dict[str, frozenset[str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    found: list[Finding] = field(default_factory=list)

    def declare(self) -> None:
        """Read every query and what it reads; one that cannot be read is a finding, and breaks what reads it."""
        self.marts, self.checks = self._models("marts"), self._models("checks")
        try:
            self.marts = graph.ordered(self.marts)
            self.indicators = [*logframe.read(self.folder).indicators]
        except TpmError as error:
            self.found.append(as_finding(error))
        self.reads |= {mart.full_name: mart.reads for mart in self.marts}
        for indicator in self.indicators:
            where, sql = f"{indicator.code}.sql", logframe.query(indicator, self.folder)
            try:
                self.reads[indicator.code] = graph.check_reads(self.connection, "indicators", where, sql)
            except TpmError as error:
                self._add(as_finding(error), indicator.code)

    def _models(self, schema: str) -> list[graph.Model]:
        models = []
        for path in sorted((self.folder / schema).glob("*.sql")):
            try:
                models.append(graph.read_file(self.connection, schema, path))
            except TpmError as error:
                self._add(as_finding(error), f"{schema}.{path.stem}")
        return models

    def leave_out(self, missing: Collection[str]) -> None:
        """Treat the tables of forms that are not there as broken, without a finding of their own."""
        tables = {table for reads in (*self.reads.values(), *(check.reads for check in self.checks)) for table in reads}
        self.broken |= {table for table in tables if table.partition("__")[0].removeprefix("staging.") in missing}

    def bind_marts(self) -> None:
        """Make each mart an empty table; say what does not bind, is not described, or changed its type or its codes."""
        described = build.descriptions(self.folder / "columns.yml")
        for mart in self.marts:
            if self._is_spared(mart.full_name, mart.reads):
                continue
            where, table = f"warehouse/marts/{mart.path.name}", f"marts.{quoted(mart.name)}"
            try:
                self.connection.execute(f"create table {table} as from ({mart.sql}\n) with no data")
            except QueryError as error:
                self._add(Finding("WH-021", where, cause(error)), mart.full_name)
                continue
            types = self._types(f"from {table}")
            if unknown := [name for name in types if name not in described]:
                self._add(Finding("WH-022", where, f"Described nowhere: {', '.join(unknown)}."), mart.full_name)
            for name, kind, wanted in _unfit(types, _by_name(types)):
                what = f"The column {name} is {kind}; its name promises {wanted}."
                self._add(Finding("WH-031", where, what), mart.full_name)
            self._follow(where, mart.full_name, mart.sql)

    def check_marts(self, forms: Sequence[FormSchema], lists: Path) -> None:
        """Hold the marts to what a build holds them to: privacy, and descriptions that fit when all of them bind."""
        try:
            build.check_privacy(self.connection, [*forms], self.marts, lists, self.folder)
            if not self.broken:
                described = build.descriptions(self.folder / "columns.yml")
                build.describe(self.connection, described, build.tables(self.folder / "tables.yml"))
        except TpmError as error:
            self.found.append(as_finding(error))

    def bind_indicators(self) -> None:
        """Bind each indicator's facts, and look for codes that no list has."""
        for indicator in self.indicators:
            if self._is_spared(indicator.code, self.reads.get(indicator.code, frozenset())):
                continue
            where, sql = f"warehouse/indicators/{indicator.code}.sql", logframe.query(indicator, self.folder)
            try:
                facts.bind(self.connection, indicator, self.folder)
            except TpmError as error:
                self._add(as_finding(error), indicator.code)
                continue
            self._follow(where, indicator.code, sql)

    def bind_checks(self) -> None:
        """Bind each check; those that look at computed values wait for a build."""
        for check in self.checks:
            computed = any(table.startswith("indicators.") for table in check.reads)
            if computed or self._is_spared(check.full_name, check.reads):
                continue
            where = f"warehouse/checks/{check.path.name}"
            try:
                self._types(f"select submission_id, detail from ({check.sql}\n)")
            except QueryError as error:
                self._add(Finding("WH-024", where, cause(error)), check.full_name)
                continue
            self._follow(where, check.full_name, check.sql)

    def _is_spared(self, name: str, reads: Iterable[str]) -> bool:
        """Tell whether a query is broken already, or only follows one that is: it is not blamed again."""
        if name in self.broken or not self.broken.isdisjoint(reads):
            self.broken.add(name)
        return name in self.broken

    def _types(self, sql: str) -> dict[str, str]:
        described = self.connection.execute(f"describe {sql}").fetchall()
        return {name: kind for name, kind, *_ in described}

    def _follow(self, where: str, name: str, sql: str) -> None:
        """Find the codes that no list has, and remember what the query's own columns may hold."""
        relation, uses = codes.follow(graph.parsed(self.connection, where, sql), self.catalog)
        self.catalog[name] = relation
        for use in codes.unlisted(uses):
            lists = ", ".join(f"«{one}»" for one in sorted(use.known.lists)) or "what the query writes"
            what = f"The code «{use.code}», compared with {use.column}, is not in {lists}."
            self._add(Finding("WH-030", where, what), name, broken=False)

    def _add(self, finding: Finding, name: str, *, broken: bool = True) -> None:
        """Keep a finding with the indicators that follow from the query it is about."""
        if broken:
            self.broken.add(name)
        breaks = sorted({name, *graph.downstream(self.reads, name)} & {one.code for one in self.indicators})
        suffix = f" Breaks {', '.join(breaks)}." if breaks else ""
        self.found.append(Finding(finding.code, finding.where, finding.what + suffix, finding.level))


def _by_name(types: Types) -> dict[str, tuple[str, ...]]:
    """What the name of a mart's column promises of its type."""
    wanted = {name: kinds for name in types for prefix, kinds in _BY_PREFIX.items() if name.startswith(prefix)}
    return wanted | {name: kinds for name in types for suffix, kinds in _BY_SUFFIX.items() if name.endswith(suffix)}


def _unfit(types: Types, wanted: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    """Yield the columns of another type than wanted, with both types; a column that is not there is no matter."""
    for name, kinds in wanted.items():
        kind = types.get(name)
        if kind is not None and kind.partition("(")[0] not in kinds:
            yield name, kind, "a number" if kinds == NUMBERS else kinds[0]
