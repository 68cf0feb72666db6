"""The periods an indicator is reported for."""

from collections.abc import Iterator
from datetime import date, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.records import Period

# Systems differ on Morocco's clock since 2026-09-20: only the pinned tzdata package is believed.
with (files("tzdata") / "zoneinfo" / "Africa" / "Casablanca").open("rb") as pinned:
    MOROCCO = ZoneInfo.from_file(pinned, key="Africa/Casablanca")


def today() -> date:
    """The day it is in Morocco."""
    return datetime.now(MOROCCO).date()


def periods(logframe: Logframe, today: date) -> list[Period]:
    """Every period that has begun: months, quarters, semesters, reporting years, the project to date."""
    start, end = logframe.project.start, logframe.project.end
    found = [
        *_spans("mois", 1, start, end),
        *_spans("trimestre", 3, start, end),
        *_spans("semestre", 6, start, end),
        *(Period(year.code, "annee", year.start, year.end) for year in logframe.years),
        Period("projet", "projet", start, end),
    ]
    return [period for period in found if period.start <= today]


def _spans(kind: str, months: int, start: date, end: date) -> Iterator[Period]:
    first = date(start.year, (start.month - 1) // months * months + 1, 1)
    while first < end:
        following = _plus(first, months)
        yield Period(_code(kind, first, months), kind, max(first, start), min(following, end))  # type: ignore[arg-type]
        first = following


def _plus(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def _code(kind: str, first: date, months: int) -> str:
    if kind == "mois":
        return f"{first:%Y-%m}"
    letter = "T" if kind == "trimestre" else "S"
    return f"{first.year}-{letter}{(first.month - 1) // months + 1}"
