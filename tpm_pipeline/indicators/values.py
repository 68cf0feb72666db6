"""From small cells to values: every window, every part, with its targets and the sites that reported."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from tpm_pipeline.indicators.declared import COUNTED, CUMULS, UNKNOWN, Indicator
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.indicators.targets import goals
from tpm_pipeline.indicators.windows import month_number, windows
from tpm_pipeline.warehouse.db import Connection, insert, literal

Row = tuple[Any, ...]

_TABLES = """
create or replace temp table span (
    type_periode varchar, periode varchar, debut_date date, fin_date date, cumul varchar, first integer,
    own_first integer, following integer);
create or replace temp table goal (code varchar, periode varchar, cible double, cible_a_date double);
create or replace temp table declared (
    code varchar, measure varchar, is_added boolean, cumul varchar, reference double, is_office boolean,
    valid_from date, valid_to date);
create or replace temp table wanted (code varchar, cumul varchar);
create or replace temp table dimension (code varchar, name varchar);
"""

_SITES = """
create or replace temp table site as
    select distinct est_bureau as is_office, site_code as site,
        date_diff('month', getvariable('project_start'), saisie_date) as month
    from marts.fct_saisie
    where saisie_date >= getvariable('project_start') and saisie_date < getvariable('tomorrow');
create or replace temp table reported as
    select is_office, first, following, coalesce(site, '') as site, count(distinct site) as sites
    from site join (select distinct first, following from span) on month >= first and month < following
    group by grouping sets ((is_office, first, following), (is_office, first, following, site));
create or replace temp table expected as
    select periode, true as is_office, count(bureau_code) as sites
    from (select distinct periode, debut_date, fin_date from span) left join marts.dim_bureau
        on coalesce(attendu_depuis_date, debut_date) < fin_date
        and coalesce(fermeture_date, debut_date) >= debut_date
    group by periode
    union all
    select distinct periode, false, 1 from span;
"""
_VALUES = f"""
insert into indicators.valeur
with part as (
    select distinct code, dimension, part from cell
    union select code, 'total', null from declared
    union select code, name, {literal(UNKNOWN)} from dimension
),
summed as (
    select code, dimension, part, periode, span.cumul, sum(facts) as facts, sum(hits) as hits, sum(units) as units,
        sum(without_id) as without_id, sum(value) as value, sum(answers) as answers, sum(weight) as weight
    from cell join wanted using (code)
    join span on span.cumul = wanted.cumul and since >= span.first and month < span.following
    group by all
),
filled as (
    select span.*, wanted.cumul = declared.cumul as is_declared, part.dimension, part.part, declared.* exclude (cumul),
        coalesce(facts, 0) as facts, coalesce(hits, 0) as hits, coalesce(units, 0) as units,
        coalesce(without_id, 0) as without_id, coalesce(value, 0)::double as value,
        coalesce(answers, 0) as answers, weight::double as weight,
        coalesce(if(part.dimension = 'bureau' and part.part <> {literal(UNKNOWN)}, own.sites, every.sites), 0) as heard,
        coalesce(there.sites, 0) as sites, expected.sites as expected
    from wanted join declared using (code) join span on span.cumul = wanted.cumul join part using (code)
    join expected on expected.periode = span.periode and expected.is_office = declared.is_office
    left join summed on (summed.code, summed.periode, summed.cumul, summed.dimension)
        = (wanted.code, span.periode, span.cumul, part.dimension) and summed.part is not distinct from part.part
    left join reported as every on (every.is_office, every.first, every.following, every.site)
        = (declared.is_office, span.first, span.following, '')
    left join reported as there on (there.is_office, there.first, there.following, there.site)
        = (declared.is_office, span.own_first, span.following, '')
    left join reported as own on (own.is_office, own.first, own.following, own.site)
        = (declared.is_office, span.first, span.following, part.part)
    -- A version says nothing of the periods it was not valid in; of those two share, both speak.
    where span.fin_date > declared.valid_from and span.debut_date < coalesce(declared.valid_to, date 'infinity')
),
termed as (
    select *, case
            when measure in ('count', 'yes_no') then hits
            when measure in ('distinct', 'qualitative') then units
            when measure = 'percentage' and weight is null then hits
            else value end::double as numerator,
        case
            when is_added or measure = 'latest' then null
            when measure = 'yes_no' or (measure = 'percentage' and weight is null) then facts
            when weight is null then answers
            else weight end::double as denominator
    from filled
),
valued as (
    select *, case
            -- Nothing counted is zero only where some site was reporting; else it is not known.
            when is_added then if(facts > 0 or heard > 0, numerator, null)
            when measure = 'latest' then if(answers > 0, numerator, null)
            when measure = 'percentage' then 100 * numerator / nullif(denominator, 0)
            else numerator / nullif(denominator, 0) end as figure
    from termed
)
select valued.code, type_periode, valued.periode, debut_date, fin_date, valued.cumul, dimension, part,
    figure, numerator, denominator, facts::bigint, without_id::bigint,
    cible, cible_a_date, (figure - reference) / nullif(cible - reference, 0), sites, expected
from valued
left join goal on (goal.code, goal.periode) = (valued.code, valued.periode) and is_declared and dimension = 'total'
"""


def prepare(connection: Connection, framework: Logframe, today: date) -> None:
    """Lay out the windows up to today, what is declared of each indicator, and the sites that reported."""
    # A fact dated after today, such as the end of a delay still running, waits until its day.
    connection.execute(f"""
        set variable project_start = date '{framework.project.start}';
        set variable tomorrow = date '{min(framework.project.end, today + timedelta(days=1))}'
    """)
    connection.execute(_TABLES)
    insert(connection, "span", _windows(framework, today))
    insert(connection, "declared", map(_declared, framework.indicators))
    insert(connection, "wanted", _wanted(framework))
    insert(connection, "dimension", _dimensions(framework))
    insert(connection, "goal", _goals(framework, today))
    connection.execute(_SITES)


def write(connection: Connection) -> None:
    """Sum the cells of every window into `indicators.valeur`."""
    connection.execute(_VALUES)


def clear(connection: Connection) -> None:
    """Drop what the computation alone needed."""
    for table in ("span", "goal", "declared", "wanted", "dimension", "site", "reported", "expected"):
        connection.execute(f"drop table if exists {table}")


def _windows(framework: Logframe, today: date) -> Iterator[Row]:
    for one in windows(framework, today):
        period = one.period
        yield (
            *(period.kind, period.code, period.start, period.end),
            *(CUMULS[one.accumulation], one.first, month_number(framework.project.start, period.start), one.following),
        )


def _declared(indicator: Indicator) -> Row:
    added = indicator.measure in (*COUNTED, "sum")
    baseline = indicator.baseline.value if indicator.baseline else None
    office = indicator.reporting == "bureaux"
    valid = (indicator.valid_from, indicator.valid_to)
    return (indicator.code, indicator.measure, added, CUMULS[indicator.accumulation], baseline, office, *valid)


def _wanted(framework: Logframe) -> Iterator[Row]:
    for indicator in framework.indicators:
        yield from ((indicator.code, CUMULS[accumulation]) for accumulation in indicator.accumulations)


def _dimensions(framework: Logframe) -> Iterator[Row]:
    for indicator in framework.indicators:
        yield from ((indicator.code, name) for name in indicator.disaggregation.dimensions)


def _goals(framework: Logframe, today: date) -> Iterator[Row]:
    for indicator in framework.indicators:
        yield from ((indicator.code, goal.period, goal.target, goal.due) for goal in goals(framework, indicator, today))
