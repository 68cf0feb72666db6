"""Facts reduced to small cells: one month, one dimension, one part, and what they add.

A fact that counts by itself adds to its month. Where a fact speaks for a unit, each new one adds itself and takes away
what it replaces: a cell's `since` is the month of what was replaced, so that a window sums the cells that lie wholly
in it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.declared import SPOKEN, UNKNOWN, Indicator
from tpm_pipeline.warehouse.db import Connection, literal, quoted

# Sums that are taken away again must come back to zero: exact decimals, to the billionth.
_EXACT = "decimal(38, 9)"
_TABLE = f"""
create or replace temp table cell (
    code varchar, dimension varchar, part varchar, month integer, since integer,
    facts hugeint, hits hugeint, units hugeint, without_id hugeint, value {_EXACT}, answers hugeint, weight {_EXACT})
"""
_ADDED = """
    sum(sign), sum(sign) filter (hit), sum(sign) filter (hit and unit_id is not null),
    sum(sign) filter (unit_id is null), sum(sign * value), sum(sign) filter (value is not null), sum(sign * weight)
"""
_SAID = ("hit", "value", "weight")


@dataclass(frozen=True)
class Branch:
    """Dimensions told apart in one pass over the facts; `lists` are spread out first, one row for each code."""

    dimensions: tuple[str, ...]
    lists: tuple[str, ...] = ()
    with_total: bool = False


def create(connection: Connection) -> None:
    """Make the table of cells anew."""
    connection.execute(_TABLE)


def fill(connection: Connection, indicator: Indicator, columns: Collection[str]) -> None:
    """Add the cells of one indicator, whose facts have these columns."""
    connection.execute(f"create or replace temp table fact as {_facts(indicator, columns)}")
    for branch in branches(indicator):
        connection.execute(_insert(indicator, branch))
    connection.execute("drop table fact")


def branches(indicator: Indicator) -> Iterator[Branch]:
    """The passes an indicator needs: one for what has a single code a fact, one for each list."""
    parts = indicator.disaggregation
    single = [cross for cross in parts.crosses if not set(cross) & set(parts.multiple)]
    names = (*parts.exclusive, *("*".join(cross) for cross in single))
    if _speaks_for_a_part(indicator):
        yield Branch((), with_total=True)
        yield from (Branch((name,)) for name in names)
    else:
        yield Branch(names, with_total=True)
    yield from (Branch((name,), (name,)) for name in parts.multiple)
    for cross in parts.crosses:
        if lists := tuple(name for name in cross if name in parts.multiple):
            yield Branch(("*".join(cross),), lists)


def _speaks_for_a_part(indicator: Indicator) -> bool:
    """Tell whether what speaks is sought in each part: a unit may be in several, or the latest fact decides."""
    return indicator.measure in SPOKEN or (indicator.measure in ("distinct", "qualitative") and _is_event(indicator))


def _facts(indicator: Indicator, columns: Collection[str]) -> str:
    """The facts of the project's months up to today, every part with a code, numbered by month."""
    parts = indicator.disaggregation
    told = [f"coalesce({quoted(name)}, '{UNKNOWN}') as {quoted(name)}" for name in parts.exclusive]
    listed = [
        f"if(len(list_distinct(coalesce({quoted(name)}, []))) = 0, ['{UNKNOWN}'], list_distinct({quoted(name)}))"
        f" as {quoted(name)}"
        for name in parts.multiple
    ]
    said = [
        "coalesce(in_numerator, false) as hit" if "in_numerator" in columns else "true as hit",
        f"value::{_EXACT} as value" if "value" in columns else f"null::{_EXACT} as value",
        f"coalesce(weight, 0)::{_EXACT} as weight" if "weight" in columns else f"null::{_EXACT} as weight",
        "recorded" if "recorded" in columns else "null as recorded",
    ]
    unit = "'' as unit_id" if indicator.measure in SPOKEN else "unit_id::varchar as unit_id"
    return f"""
        select {unit}, event_date as day, {", ".join([*said, *told, *listed])},
            date_diff('month', getvariable('project_start'), event_date)::integer as month
        from ({logframe.query(indicator)}
        )
        where event_date >= getvariable('project_start') and event_date < getvariable('tomorrow')
    """


def _insert(indicator: Indicator, branch: Branch) -> str:
    names = branch.dimensions
    cases = "".join(f" when grouping({quoted(name)}) = 0 then {literal(name)}" for name in names)
    part = ", ".join(f"if(grouping({quoted(name)}) = 0, {quoted(name)}, null)" for name in names)
    sets = [f"(month, since, {quoted(name)})" for name in names] + ["(month, since)"] * branch.with_total
    return f"""
        insert into cell
        with {_steps(indicator, branch)}
        select {literal(indicator.code)}, {f"case{cases} else 'total' end" if names else "'total'"},
            {f"coalesce({part})" if names else "null::varchar"}, month, since, {_ADDED}
        from told group by grouping sets ({", ".join(sets)})
    """


def _steps(indicator: Indicator, branch: Branch) -> str:
    """What speaks is sought first and then spread over its parts, unless it is sought in each part."""
    if _speaks_for_a_part(indicator):
        spread = _spread("fact", ("unit_id", "day", "month", "recorded", *_SAID), branch)
        moves = _moves(indicator, "spread", branch.dimensions)
        return f"spread as ({spread}), told as ({moves})"
    bare = [*dict.fromkeys(name for dimension in branch.dimensions for name in dimension.split("*"))]
    moves = _moves(indicator, "fact", bare)
    return f"move as ({moves}), told as ({_spread('move', ('sign', 'month', 'since', 'unit_id', *_SAID), branch)})"


def _spread(source: str, carried: Sequence[str], branch: Branch) -> str:
    """Rows with the branch's dimensions as columns of one code each."""
    for name in branch.lists:
        source = f"(select * replace (unnest({quoted(name)}) as {quoted(name)}) from {source})"
    return f"select {', '.join([*carried, *map(_column, branch.dimensions)])} from {source}"


def _column(name: str) -> str:
    codes = " || '*' || ".join(map(quoted, name.split("*")))
    return f"{codes} as {quoted(name)}"


def _moves(indicator: Indicator, source: str, dimensions: Sequence[str]) -> str:
    """What each fact adds and, where one speaks for a unit, what it takes away."""
    names = [*map(quoted, dimensions)]
    kept = ", ".join(["unit_id", *_SAID, *names])
    apart = _speaks_for_a_part(indicator)
    if _is_event(indicator) and not apart:
        return f"select 1 as sign, month, month as since, {kept} from {source}"
    unit = ", ".join(["unit_id", *names] if apart else ["unit_id"])
    speaking = _speaking(indicator, source, unit, kept)
    # The latest fact drives out the former one; the first gives way where the window holds an earlier one.
    gone = ", ".join(["unit_id", *(f"former.{name}" for name in (*_SAID, *names))]) if _is_latest(indicator) else kept
    return f"""
        with chained as materialized ({_chained(speaking, unit, names)})
        select 1 as sign, month, month as since, {kept} from chained
        union all
        select -1, month, previous, {gone} from chained where previous is not null
        union all
        select 1, month, month, {kept} from {source} where unit_id is null
    """


def _speaking(indicator: Indicator, source: str, unit: str, kept: str) -> str:
    """The fact that speaks for each unit in each month; of a unit that only has to be there, any that counts."""
    way = "desc" if _is_latest(indicator) else "asc"
    counts = "and hit" if _is_event(indicator) else ""
    return f"""
        select month, {kept} from {source} where unit_id is not null {counts}
        qualify row_number() over (partition by month, {unit} order by day {way}, recorded {way}, {kept}) = 1
    """


def _chained(speaking: str, unit: str, names: Sequence[str]) -> str:
    """Each speaking fact with the one of the same unit before it, and its month."""
    former = ", ".join(f"{name} := {name}" for name in (*_SAID, *names))
    return f"""
        select *, lag(month) over unit_months as previous, lag(struct_pack({former})) over unit_months as former
        from ({speaking}) window unit_months as (partition by {unit} order by month)
    """


def _is_event(indicator: Indicator) -> bool:
    return indicator.as_of == "event"


def _is_latest(indicator: Indicator) -> bool:
    return indicator.as_of == "latest"
