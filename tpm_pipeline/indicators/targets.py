"""What an indicator's targets expect: of a period as a whole, and by its end or by today."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from tpm_pipeline.indicators.calendar import periods
from tpm_pipeline.indicators.declared import Indicator
from tpm_pipeline.indicators.logframe import Logframe, Year
from tpm_pipeline.indicators.windows import last_day
from tpm_pipeline.records import Period

_RUNNING = ("cumulative", "latest")
_ADDED = ("count", "sum")
_DISTINCT = ("distinct", "qualitative")


@dataclass(frozen=True)
class Goal:
    """The target of a period, and what of it is due by the period's end or by today, whichever is first."""

    period: str
    target: float | None
    due: float | None


def goals(framework: Logframe, indicator: Indicator, today: date) -> Iterator[Goal]:
    """The goals of every period that has begun, for the declared accumulation and the total."""
    for period in periods(framework, today):
        target, due = _target(framework, indicator, period), _due(framework, indicator, period, today)
        if target is not None or due is not None:
            yield Goal(period.code, target, due)


def _target(framework: Logframe, indicator: Indicator, period: Period) -> float | None:
    if period.kind == "annee":
        return indicator.targets.get(period.code)
    if period.kind == "projet" and indicator.accumulation in _RUNNING and framework.years:
        return indicator.targets.get(framework.years[-1].code)
    return None


def _due(framework: Logframe, indicator: Indicator, period: Period, today: date) -> float | None:
    until = last_day(period, today) + timedelta(days=1)
    if indicator.accumulation == "period" and indicator.measure in _ADDED:
        return _spread(framework, indicator, period.start, until)
    if indicator.accumulation == "period" and indicator.measure in _DISTINCT:
        # Persons do not add up over periods: nothing is due of a part of the year, nor of several years.
        return indicator.targets.get(period.code) if period.kind == "annee" else None
    year = next((one for one in framework.years if one.start < until <= one.end), None)
    if year is None or year.code not in indicator.targets:
        return None
    target = indicator.targets[year.code]
    if indicator.accumulation == "period":
        return target
    if indicator.accumulation == "year_to_date":
        return target * _gone(year, year.start, until)
    before = _before(framework, indicator, year)
    return target if before is None else before + (target - before) * _gone(year, year.start, until)


def _before(framework: Logframe, indicator: Indicator, year: Year) -> float | None:
    """Where a year starts from: the target of the year before, or the baseline."""
    earlier = [one for one in framework.years if one.end <= year.start]
    if earlier:
        return indicator.targets.get(earlier[-1].code)
    return indicator.baseline.value if indicator.baseline else None


def _spread(framework: Logframe, indicator: Indicator, start: date, until: date) -> float | None:
    """The yearly targets, each for the share of its year between two days."""
    shares = [
        indicator.targets[year.code] * _gone(year, start, until)
        for year in framework.years
        if year.code in indicator.targets and start < year.end and year.start < until
    ]
    return sum(shares) if shares else None


def _gone(year: Year, start: date, until: date) -> float:
    return (min(until, year.end) - max(start, year.start)).days / (year.end - year.start).days
