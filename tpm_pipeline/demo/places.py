"""Where the synthetic population lives and is received: the lists the forms themselves read."""

import csv
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

from tpm_pipeline.demo.weights import OFFICES, Office
from tpm_pipeline.paths import LISTS

START, END = date(2020, 10, 1), date(2023, 12, 29)
"""First and last day of work (2023-12-31 is a Sunday)."""

_YEARS = (date(2021, 10, 1), date(2022, 10, 1))
_SATURDAY = 5
WORKDAYS = tuple(
    day for offset in range((END - START).days + 1) if (day := START + timedelta(days=offset)).weekday() < _SATURDAY
)
_BY_CODE = {office.code: office for office in OFFICES}


@cache
def rows(name: str) -> tuple[Mapping[str, str], ...]:
    """The rows of one of the forms' CSV lists."""
    with (LISTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def offices() -> Mapping[str, Mapping[str, str]]:
    """The offices' rows by office code."""
    return {row["code_bureau"]: row for row in rows("bureaux")}


@cache
def communes(province: str) -> tuple[str, ...]:
    """The communes of a province."""
    return tuple(row["name"] for row in rows("communes") if row["province"] == province)


def project_year(day: date) -> int:
    """0, 1 or 2 for A1, A2 or A3."""
    return sum(day >= start for start in _YEARS)


def is_open(office: Office, day: date) -> bool:
    """Whether the office registers anything on this day."""
    open_since = office.opened <= day and day.weekday() < _SATURDAY
    return open_since and not any(first <= day < after for first, after in office.closed)


def open_offices(day: date) -> list[str]:
    """The codes of the offices at work on this day."""
    return [office.code for office in OFFICES if is_open(office, day)]


def next_open_day(code: str, day: date) -> date | None:
    """The first day from `day` on which an office works, or None after the project's end."""
    while day <= END:
        if is_open(_BY_CODE[code], day):
            return day
        day += timedelta(days=1)
    return None


def within_project(day: date) -> date:
    """A date no later than the project's last day of work."""
    return min(day, END)
