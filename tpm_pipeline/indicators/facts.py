"""The facts of an indicator: whether its query binds, and has the columns its measure needs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.declared import Indicator
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.warehouse.db import Connection, QueryError, cause

NUMBERS: Final = ("DECIMAL", "DOUBLE", "FLOAT", "HUGEINT", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT")
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "sum": ("value",),
    "ratio": ("value", "weight"),
    "average": ("value",),
    "latest": ("value", "recorded"),
    "yes_no": ("in_numerator", "recorded"),
}
_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "event_date": ("DATE",),
    "in_numerator": ("BOOLEAN",),
    "value": NUMBERS,
    "weight": NUMBERS,
    "source_id": ("VARCHAR",),
}
_NAMED: Final[Mapping[tuple[str, ...], str]] = {NUMBERS: "a number"}


def bind(connection: Connection, indicator: Indicator, folder: Path = WAREHOUSE) -> frozenset[str]:
    """Bind the query of an indicator's facts without running it, and return the names of its columns."""
    where = f"{indicator.code}.sql"
    try:
        described = connection.execute(f"describe {logframe.query(indicator, folder)}").fetchall()
    except QueryError as error:
        raise IndicatorError("IND-010", where, cause(error), "Correct the query of its facts.") from None
    types = {name: kind for name, kind, *_ in described}
    if faults := "; ".join(_faults(indicator, types)):
        raise IndicatorError("IND-011", where, f"{faults}.", "Correct the columns of its facts.")
    return frozenset(types)


def _faults(indicator: Indicator, types: Mapping[str, str]) -> Iterator[str]:
    if missing := sorted(_needed(indicator, types) - types.keys()):
        yield f"Columns are missing: {', '.join(missing)}"
    parts = indicator.disaggregation
    wanted = {**_TYPES, **dict.fromkeys(parts.exclusive, ("VARCHAR",)), **dict.fromkeys(parts.multiple, ("VARCHAR[]",))}
    for name, kinds in wanted.items():
        if name in types and types[name].partition("(")[0] not in kinds:
            yield f"The column {name} of the facts is {types[name]}, not {_NAMED.get(kinds, kinds[0])}"


def _needed(indicator: Indicator, types: Mapping[str, str]) -> set[str]:
    needed = {"unit_id", "event_date", "source_id", *indicator.disaggregation.dimensions}
    needed |= set(_NEEDED.get(indicator.measure, ()))
    if indicator.as_of != "event":
        needed.add("recorded")
    if indicator.measure == "percentage":
        # Either a share of the facts, or one number over another.
        needed |= {"value", "weight"} if {"value", "weight"} & types.keys() else {"in_numerator"}
    return needed
