"""The windows of time a value is counted in: whole months, numbered from the project's first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tpm_pipeline.indicators.calendar import periods
from tpm_pipeline.indicators.declared import Accumulation
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.records import Period


@dataclass(frozen=True)
class Window:
    """The months that count in a period's value: from `first` to before `following`."""

    period: Period
    accumulation: Accumulation
    first: int
    following: int


def windows(framework: Logframe, today: date) -> Iterator[Window]:
    """Every accumulation of every period that has begun."""
    start = framework.project.start
    for period in periods(framework, today):
        following = month_number(start, last_day(period, today)) + 1
        year = _year_start(framework, last_day(period, today))
        firsts: dict[Accumulation, date] = {
            "period": period.start,
            "cumulative": start,
            "year_to_date": year,
            "latest": start,
        }
        for accumulation, first in firsts.items():
            yield Window(period, accumulation, month_number(start, first), following)


def last_day(period: Period, today: date) -> date:
    """The last day of a period that has been: its own, or today."""
    return min(period.end - timedelta(days=1), today)


def month_number(start: date, day: date) -> int:
    """How many months after the project's first month a day falls."""
    return (day.year - start.year) * 12 + day.month - start.month


def _year_start(framework: Logframe, day: date) -> date:
    return max((year.start for year in framework.years if year.start <= day), default=framework.project.start)
