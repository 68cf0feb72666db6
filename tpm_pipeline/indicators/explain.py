"""What is behind a value: its definition, its numbers, and each submission that speaks in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators import calendar, logframe
from tpm_pipeline.indicators.declared import UNKNOWN
from tpm_pipeline.indicators.logframe import Indicator, Logframe
from tpm_pipeline.records import Period
from tpm_pipeline.warehouse.db import Connection, quoted, rows


@dataclass(frozen=True)
class Fact:
    """One fact that speaks in a value, and the submission it comes from.

    `counted` tells whether it counts above the line, None where every fact does; `value` and
    `weight` are what it adds above and below it.
    """

    day: date
    unit: str | None
    counted: bool | None
    value: float | None
    weight: float | None
    submission_id: str | None
    form_id: str | None
    server: str | None


@dataclass(frozen=True)
class Line:
    """The stored figure of an indicator for a period, or for one part of it."""

    value: float | None
    numerator: float | None
    denominator: float | None
    without_id: int
    target: float | None
    expected: float | None
    progress: float | None
    sites: int
    sites_expected: int


@dataclass(frozen=True)
class Explanation:
    """An indicator in a period: what it means, its stored figure, the facts behind it."""

    indicator: Indicator
    period: Period
    where: Mapping[str, str]
    line: Line | None
    facts: tuple[Fact, ...]


def explain(
    connection: Connection,
    framework: Logframe,
    code: str,
    *,
    period: str | None,
    where: Mapping[str, str],
    today: date,
) -> Explanation:
    """Find the figure of an indicator and every fact behind it; by default in the reporting year under way."""
    _require(connection)
    indicator = _indicator(framework, code)
    _check(connection, indicator, where)
    found = _period(framework, period, today)
    return Explanation(
        indicator,
        found,
        where,
        _line(connection, indicator, found, where),
        tuple(_facts(connection, framework, indicator, period=found, where=where, today=today)),
    )


def _require(connection: Connection) -> None:
    if not rows(connection, "from duckdb_tables() where (schema_name, table_name) = ('indicators', 'valeur')"):
        raise IndicatorError("IND-043", "indicators", "No indicator was computed yet.", "Run `tpm refresh` first.")


def _indicator(framework: Logframe, code: str) -> Indicator:
    for one in framework.indicators:
        if one.code.lower() == code.lower():
            return one
    known = ", ".join(one.code for one in framework.indicators)
    raise IndicatorError("IND-040", code, "There is no such indicator.", f"The indicators are: {known}.")


def _period(framework: Logframe, wanted: str | None, today: date) -> Period:
    begun = calendar.periods(framework, today)
    if wanted is None:
        return next(one for one in reversed(begun) if one.kind == "annee")
    for one in begun:
        if one.code.lower() == wanted.lower():
            return one
    raise IndicatorError(
        "IND-041",
        wanted,
        "There is no such period, or it has not begun.",
        "Write a month (2021-03), a quarter (2021-T1), a semester (2021-S1), a year (A1) or projet.",
    )


def _check(connection: Connection, indicator: Indicator, where: Mapping[str, str]) -> None:
    dimensions = indicator.disaggregation.dimensions
    if unknown := sorted(set(where) - set(dimensions)):
        raise IndicatorError(
            "IND-042",
            ", ".join(unknown),
            f"{indicator.code} is not told apart by this.",
            f"Its parts are by: {', '.join(dimensions) or 'nothing'}.",
        )
    for name, part in where.items():
        known = _parts(connection, indicator, name)
        if part not in known:
            raise IndicatorError(
                "IND-045", f"{name}={part}", f"{indicator.code} has no such part.", f"Its parts: {', '.join(known)}."
            )


def _parts(connection: Connection, indicator: Indicator, name: str) -> list[str]:
    found = connection.execute(
        "select distinct part from indicators.valeur where code = ? and dimension = ? order by part",
        [indicator.code, name],
    )
    return [part for (part,) in found.fetchall()]


def _line(connection: Connection, indicator: Indicator, period: Period, where: Mapping[str, str]) -> Line | None:
    """Read the stored figure: the total, one part, or one cell of an allowed cross."""
    dimension, part = _cell(indicator, where)
    found = rows(
        connection,
        """
        select valeur as value, numerateur as numerator, denominateur as denominator, nb_sans_identifiant as without_id,
            cible as target, cible_a_date as expected, progres as progress,
            nb_sites_saisis as sites, nb_sites_attendus as sites_expected
        from indicators.valeur join indicators.indicateur using (code)
        where valeur.cumul = indicateur.cumul and code = ? and periode = ? and dimension = ?
            and part is not distinct from ?
        """,
        [indicator.code, period.code, dimension, part],
    )
    return Line(**found[0]) if found else None


def _cell(indicator: Indicator, where: Mapping[str, str]) -> tuple[str, str | None]:
    if not where:
        return "total", None
    names = next((cross for cross in indicator.disaggregation.crosses if set(cross) == set(where)), tuple(where))
    return "*".join(names), "*".join(where[name] for name in names)


def _facts(
    connection: Connection,
    framework: Logframe,
    indicator: Indicator,
    *,
    period: Period,
    where: Mapping[str, str],
    today: date,
) -> Iterator[Fact]:
    """Run the facts' query again for one window, without the engine: the two must agree."""
    columns = {
        row[0] for row in connection.execute(f"describe select * from ({logframe.query(indicator)}\n)").fetchall()
    }
    own = {name: name if name in columns else "null" for name in ("in_numerator", "value", "weight", "recorded")}
    speaking = "" if indicator.as_of == "event" else _speaking(indicator, own["recorded"])
    parts = " and ".join(_part(indicator, name) for name in where) or "true"
    result = connection.execute(
        f"""
        with facts as ({logframe.query(indicator)}
        ),
        speaking as (
            select * from facts where event_date >= $since and event_date < $until {speaking}
        )
        select event_date as day, unit_id::varchar as unit, {own["in_numerator"]} as counted,
            {own["value"]}::double as value, {own["weight"]}::double as weight,
            submission_id, form_id, server
        from speaking left join raw.current on current.submission_id = speaking.source_id
        where {parts} order by all
        """,
        {
            "since": _since(framework, indicator, period),
            "until": min(period.end, today + timedelta(days=1)),
            **{f"part_{name}": part for name, part in where.items()},
        },
    )
    return (Fact(*row) for row in result.fetchall())


def _since(framework: Logframe, indicator: Indicator, period: Period) -> date:
    match indicator.accumulation:
        case "period":
            return period.start
        case "year_to_date":
            return next(year.start for year in reversed(framework.years) if year.start < period.end)
        case _:
            return framework.project.start


def _speaking(indicator: Indicator, recorded: str) -> str:
    way = "desc" if indicator.as_of == "latest" else "asc"
    return f"""qualify unit_id is null
        or row_number() over (partition by unit_id order by event_date {way}, {recorded} {way}) = 1"""


def _part(indicator: Indicator, name: str) -> str:
    column, wanted = f"speaking.{quoted(name)}", f"$part_{name}"
    if name in indicator.disaggregation.multiple:
        return f"if(len(coalesce({column}, [])) = 0, {wanted} = '{UNKNOWN}', list_contains({column}, {wanted}))"
    return f"coalesce({column}, '{UNKNOWN}') = {wanted}"
