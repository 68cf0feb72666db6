"""From facts to values: every period, every disaggregation, once."""

from collections.abc import Sequence
from datetime import date, timedelta

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators import logframe as declarations
from tpm_pipeline.indicators.calendar import periods
from tpm_pipeline.indicators.logframe import Accumulation, Indicator, Logframe
from tpm_pipeline.warehouse import graph
from tpm_pipeline.warehouse.db import Connection, QueryError, cause, literal, quoted, transaction

UNKNOWN = "non_renseigne"
CUMULS: dict[Accumulation, str] = {"period": "periode", "cumulative": "cumulatif", "latest": "dernier"}

_VALUES = """
create or replace table indicators.valeur (
    code varchar, type_periode varchar, periode varchar, debut_date date, fin_date date,
    cumul varchar, dimension varchar, part varchar,
    valeur double, numerateur double, denominateur double, nb_sans_identifiant bigint,
    cible double, progres double, nb_bureaux_saisis bigint, nb_bureaux_attendus bigint
)
"""

_MEASURES = {
    "count": ("count(*)", "count(*)", "null"),
    "distinct": ("count(unit_id)", "count(unit_id)", "null"),
    "percentage": (
        "100.0 * count(*) filter (in_numerator) / nullif(count(*), 0)",
        "count(*) filter (in_numerator)",
        "count(*)",
    ),
    "average": ("sum(value) / nullif(count(value), 0)", "sum(value)", "count(value)"),
}


def compute(connection: Connection, framework: Logframe, today: date) -> None:
    """Rebuild the `indicators` schema from the marts, for the periods begun by `today`."""
    with transaction(connection):
        connection.execute("create schema if not exists indicators")
        connection.execute(_VALUES)
        _load_periods(connection, framework, today)
        _load_declarations(connection, framework)
        for indicator in framework.indicators:
            graph.check_reads(connection, "indicators", f"{indicator.code}.sql", declarations.query(indicator))
            _load_facts(connection, indicator)
            for accumulation in indicator.accumulations:
                connection.execute(_insert(indicator, accumulation))
        connection.execute("drop table if exists facts; drop table period; drop table office; drop table target")


def _load_periods(connection: Connection, framework: Logframe, today: date) -> None:
    # A fact dated after today, such as the end of a delay still running, waits until its day.
    connection.execute(
        "create or replace temp table period (kind varchar, code varchar, first_day date, next_day date,"
        " until_day date, reporting bigint, ever_reporting bigint, expected bigint)"
    )
    tomorrow = today + timedelta(days=1)
    begun = [(p.kind, p.code, p.start, p.end, min(p.end, tomorrow)) for p in periods(framework, today)]
    if begun:
        connection.executemany("insert into period values (?, ?, ?, ?, ?, 0, 0, 0)", begun)
    connection.execute("""
        update period set
            reporting = (
                select count(distinct bureau_code) from marts.fct_saisie
                where saisie_date >= first_day and saisie_date < until_day),
            ever_reporting = (
                select count(distinct bureau_code) from marts.fct_saisie
                where saisie_date >= (select min(first_day) from period) and saisie_date < until_day),
            expected = (
                select count(*) from marts.dim_bureau where coalesce(attendu_depuis_date, first_day) < next_day);
        create or replace temp table office as
            select code as period, bureau_code as bureau,
                count(*) filter (saisie_date >= first_day) as reporting, count(*) as ever_reporting
            from period join marts.fct_saisie
                on saisie_date >= (select min(first_day) from period) and saisie_date < until_day
            group by all
    """)


def _load_declarations(connection: Connection, framework: Logframe) -> None:
    connection.execute("""
        create or replace temp table target (code varchar, period varchar, value double);
        create or replace table indicators.indicateur (
            code varchar, niveau varchar, resultat varchar, resultat_fr varchar, nom_fr varchar, nom_ar varchar,
            nom_en varchar, definition_fr varchar, definition_ar varchar, definition_en varchar,
            unite_fr varchar, unite_ar varchar, unite_en varchar, mesure varchar, cumul varchar, sens varchar,
            frequence varchar, nb_decimales integer, reference double, verification varchar, hypothese varchar,
            responsable varchar)
    """)
    for indicator in framework.indicators:
        for year, value in indicator.targets.items():
            connection.execute("insert into target values (?, ?, ?)", [indicator.code, year, value])
        marks = ", ".join("?" * len(_declaration(framework, indicator)))
        connection.execute(f"insert into indicators.indicateur values ({marks})", _declaration(framework, indicator))


def _declaration(framework: Logframe, indicator: Indicator) -> list[object]:
    names, defined, unit = indicator.names, indicator.definition, indicator.unit
    return [
        *(indicator.code, indicator.level, indicator.result, framework.results[indicator.result].fr),
        *(names.fr, names.ar, names.en, defined.fr, defined.ar, defined.en, unit.fr, unit.ar, unit.en),
        *(indicator.measure, CUMULS[indicator.accumulation], indicator.direction, indicator.frequency),
        *(indicator.decimals, indicator.baseline.value if indicator.baseline else None),
        *(indicator.verification, indicator.assumption, indicator.responsible),
    ]


def _load_facts(connection: Connection, indicator: Indicator) -> None:
    try:
        connection.execute(f"create or replace temp table facts as {declarations.query(indicator)}")
    except QueryError as error:
        raise IndicatorError(
            "IND-010", f"{indicator.code}.sql", cause(error), "Correct the query of its facts."
        ) from None
    described = connection.execute("describe facts").fetchall()
    needed = {"unit_id", "event_date", *indicator.disaggregation.dimensions}
    needed |= {"recorded"} if indicator.as_of != "event" else set()
    needed |= set(_measured(indicator))
    if missing := sorted(needed - {row[0] for row in described}):
        raise IndicatorError(
            "IND-011", f"{indicator.code}.sql", f"Columns are missing: {', '.join(missing)}.", "Add them to the facts."
        )


def _measured(indicator: Indicator) -> list[str]:
    return {"percentage": ["in_numerator"], "average": ["value"]}.get(indicator.measure, [])


def _insert(indicator: Indicator, accumulation: Accumulation) -> str:
    exclusive, multiple = indicator.disaggregation.exclusive, indicator.disaggregation.multiple
    branches = [_aggregate(indicator, exclusive, "kept", total=True)]
    branches += [_aggregate(indicator, (name,), _unnested(name), total=False) for name in multiple]
    return f"""
        insert into indicators.valeur
        with kept as ({_kept(indicator, accumulation)}),
        computed as ({" union all ".join(branches)}),
        cells as (select distinct dimension, part from computed union select 'total', null
                  union select unnest({_list(indicator.disaggregation.dimensions)}), '{UNKNOWN}'),
        complete as (
            select period.* exclude (reporting, ever_reporting), period.reporting as all_reporting,
                {_reporting("reporting")}, {_reporting("ever_reporting")},
                cells.*, computed.* exclude (period, dimension, part)
            from period cross join cells
            left join office
                on office.period = period.code and cells.dimension = 'bureau' and office.bureau = cells.part
            left join computed on computed.period = period.code
                and computed.dimension = cells.dimension and computed.part is not distinct from cells.part
        ),
        filled as (select * replace ({_filled(indicator, accumulation)}) from complete)
        select {literal(indicator.code)}, kind, filled.code, first_day, next_day, {literal(CUMULS[accumulation])},
            dimension, part, filled.value, numerator, denominator, coalesce(without_id, 0),
            {_target(indicator, accumulation)}, all_reporting, expected
        from filled left join target on target.code = {literal(indicator.code)} and target.period = filled.code
            and dimension = 'total'
    """


def _reporting(column: str) -> str:
    # What concerns one office is known only if that office was reporting.
    own = f"cells.dimension = 'bureau' and cells.part <> '{UNKNOWN}'"
    return f"if({own}, coalesce(office.{column}, 0), period.{column}) as {column}"


def _kept(indicator: Indicator, accumulation: Accumulation) -> str:
    first_day = "period.first_day" if accumulation == "period" else "(select min(first_day) from period)"
    scoped = f"""
        select period.code as period, facts.* from period
        join facts on facts.event_date >= {first_day} and facts.event_date < period.until_day
    """
    if indicator.as_of == "event":
        return scoped
    way = "desc" if indicator.as_of == "latest" else "asc"
    ties = "".join(f", {quoted(name)}" for name in [*_measured(indicator), *indicator.disaggregation.dimensions])
    # Every fact without an identifier is kept: it is counted apart, never merged into one person.
    return f"""{scoped} qualify unit_id is null
        or row_number() over (partition by period.code, unit_id order by event_date {way}, recorded {way}{ties}) = 1"""


def _unnested(name: str) -> str:
    column = quoted(name)
    parts = f"if(len(coalesce({column}, [])) = 0, ['{UNKNOWN}'], list_distinct({column}))"
    return f"(select * replace (unnest({parts}) as {column}) from kept)"


def _aggregate(indicator: Indicator, dimensions: Sequence[str], source: str, *, total: bool) -> str:
    value, numerator, denominator = _MEASURES[indicator.measure]
    columns = [f"coalesce({quoted(name)}, '{UNKNOWN}') as {quoted(name)}" for name in dimensions]
    cases = "".join(f" when grouping({quoted(name)}) = 0 then {literal(name)}" for name in dimensions)
    part = ", ".join(f"if(grouping({quoted(name)}) = 0, {quoted(name)}, null)" for name in dimensions)
    sets = [f"(period, {quoted(name)})" for name in dimensions] + ["(period)"] * total
    return f"""
        select period, {f"case{cases} else 'total' end" if cases else "'total'"} as dimension,
            {f"coalesce({part})" if part else "null::varchar"} as part,
            {value} as value, {numerator}::double as numerator, {denominator}::double as denominator,
            count(*) filter (unit_id is null) as without_id
        from (select * {f"replace ({', '.join(columns)})" if columns else ""} from {source})
        group by grouping sets ({", ".join(sets)})
    """


def _filled(indicator: Indicator, accumulation: Accumulation) -> str:
    if indicator.measure in ("count", "distinct"):
        # Nothing counted is zero only where some office was reporting; else it is not known.
        reporting = "reporting" if accumulation == "period" else "ever_reporting"
        return f"if(value is not null or {reporting} > 0, coalesce(value, 0), null) as value"
    return "coalesce(numerator, 0) as numerator, coalesce(denominator, 0) as denominator"


def _target(indicator: Indicator, accumulation: Accumulation) -> str:
    if accumulation != indicator.accumulation:
        return "null, null"
    if indicator.baseline is None:
        return "target.value, null"
    start = indicator.baseline.value
    return f"target.value, (filled.value - {start}) / nullif(target.value - {start}, 0)"


def _list(names: Sequence[str]) -> str:
    return "[" + ", ".join(map(literal, names)) + "]::varchar[]"
