"""Where the synthetic population lives and is received: the lists the forms themselves read."""

import csv
from bisect import bisect_left
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

from tpm_pipeline.demo.weights import OFFICES, Office
from tpm_pipeline.paths import LISTS

START, END = date(2020, 10, 1), date(2023, 12, 29)
"""First and last day of work (2023-12-31 is a Sunday)."""

_AFTER = END + timedelta(days=1)
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


@cache
def commune_name(code: str) -> str:
    """A commune's name in French."""
    return next(row["label"] for row in rows("communes") if row["name"] == code).split(" / ", maxsplit=1)[0]


def project_year(day: date) -> int:
    """0, 1 or 2 for A1, A2 or A3."""
    return sum(day >= start for start in _YEARS)


def is_open(office: Office, day: date) -> bool:
    """Whether the office registers anything on this day."""
    open_since = office.opened <= day < (office.ends or _AFTER) and day.weekday() < _SATURDAY
    return open_since and not any(first <= day < after for first, after in office.closed)


def open_offices(day: date) -> list[str]:
    """The codes of the offices at work on this day."""
    return [office.code for office in OFFICES if is_open(office, day)]


def closes_soon(code: str, day: date) -> bool:
    """Whether an office hands its cases over: it closes for good within two months."""
    ends = _BY_CODE[code].ends
    return ends is not None and ends <= day + timedelta(days=60)


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


def workday(day: date) -> date:
    """The first working day from `day` on, inside the project."""
    place = bisect_left(WORKDAYS, day)
    return WORKDAYS[place] if place < len(WORKDAYS) else END


def months(first: date, last: date) -> list[date]:
    """The first day of every month from one date's to another's."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [month_after(first, number) for number in range(count)]


def month_after(day: date, number: int) -> date:
    """The first day of the month so many months after a date's."""
    index = day.year * 12 + day.month - 1 + number
    return date(index // 12, index % 12 + 1, 1)
