"""A warehouse whose indicators hold plausible values, with gaps, a year without data and small cells."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tpm_pipeline.indicators import logframe, store
from tpm_pipeline.indicators.calendar import periods
from tpm_pipeline.indicators.declared import CUMULS, Indicator
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.indicators.targets import Goal, goals
from tpm_pipeline.publications import dashboard, figures
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.publications.figures import Figure
from tpm_pipeline.records import Period
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, reference

Row = tuple[float | None, float | None, float | None]
AFTER = date(2026, 11, 23)
OFFICES = 8


def months_since_start(period: Period) -> int:
    return (period.start.year - 2020) * 12 + period.start.month - 10


def visits(period: Period) -> float:
    """A slow start: three visits in the first month, two more in the second."""
    last = (
        months_since_start(period) + {"mois": 1, "trimestre": 3, "semestre": 6, "annee": 12, "projet": 39}[period.kind]
    )
    last = min(last + 3 * (period.code == "A3"), 39)
    return {1: 3, 2: 5}.get(last, round(3 + 2.42 * last * last))


def percentage(numerator: int, denominator: int) -> Row:
    return (100 * numerator / denominator if denominator else None, numerator, denominator)


def outcome(period: Period) -> Row:
    """Nothing to measure at first, two successes, then progress."""
    end = months_since_start(period) + (15 if period.code == "A3" else 12 if period.kind == "annee" else 3)
    known = {3: (0, 0), 6: (2, 41)}
    return percentage(*known.get(end, (round((22 + end) * 0.12 * end), 12 * end)))


def satisfaction(period: Period) -> Row:
    if period.code in {"2020-T4", "2021-T3"}:
        return None, 0, 0
    answers = 40 + months_since_start(period)
    mean = {"A1": 3.72, "A2": 4.05, "A3": 4.31}.get(period.code, 3.5 + months_since_start(period) / 40)
    return mean, mean * answers, answers


def women(period: Period) -> Row:
    """One quarter with two women: the next smallest quarter of its year is hidden with it."""
    known = {"2020-T4": (2, 9), "2021-T1": (21, 60), "2021-T2": (30, 88), "2021-T3": (35, 98)}
    known |= {"A1": (83, 241), "A2": (201, 488), "A3": (329, 767)}
    return percentage(*known.get(period.code, (60 + months_since_start(period), 150 + 2 * months_since_start(period))))


def follow_up(period: Period) -> Row:
    """No data in the whole third year."""
    if period.code == "A3" or period.start >= date(2022, 10, 1):
        return None, 0, 0
    share = 40 + 1.4 * months_since_start(period)
    return percentage(round(share), 100)


def projects(period: Period) -> Row:
    """Two projects in the first year, four more each year after."""
    signed = 2 + 4 * ((months_since_start(period) + 11 * (period.kind == "annee")) // 12)
    return float(signed), float(signed), None


def punctual(period: Period) -> Row:
    """Few committees: nobody is to be protected."""
    return percentage(3, 4) if period.kind != "annee" else percentage(10, 14)


def regional(period: Period) -> Row:
    return (1.0, 1, 1) if period.start.year >= 2022 else (0.0, 0, 1)


SERIES: dict[str, Callable[[Period], Row]] = {
    "R1-2": lambda period: (visits(period), visits(period), None),
    "R1-3": lambda period: (round(visits(period) * 0.52), round(visits(period) * 0.52), None),
    "OC1-1": outcome,
    "OC1-2": satisfaction,
    "R1-4": women,
    "R1-5": follow_up,
    "R2-2": projects,
    "R5-1": punctual,
    "OC3-2": regional,
}


def fill(connection: db.Connection, framework: Logframe, today: date) -> None:
    store.create(connection, framework)
    found = [
        _row(indicator, CUMULS[accumulation], period, wanted.get(period.code))
        for indicator in framework.indicators
        for wanted in [{goal.period: goal for goal in goals(framework, indicator, today)}]
        for accumulation in indicator.accumulations
        for period in periods(framework, today)
    ]
    db.insert(connection, "indicators.valeur", found)


def _row(indicator: Indicator, cumul: str, period: Period, goal: Goal | None) -> list[object]:
    value, numerator, denominator = SERIES[indicator.code](period)
    if cumul == "periode" and indicator.accumulation == "cumulative":
        share = 1 if indicator.measure == "count" else 0.6
        value = numerator = round(share * {"A1": 351, "A2": 1045, "A3": 2288}.get(period.code, 40))
    declared = goal if cumul == CUMULS[indicator.accumulation] else None
    target, due = (declared.target, declared.due) if declared else (None, None)
    start = indicator.baseline.value if indicator.baseline else None
    progress = None if None in (value, target, start) or target == start else (value - start) / (target - start)  # type: ignore[operator]
    offices = 0 if value is None else min(OFFICES, 2 + months_since_start(period) // 3 + 2 * (period.kind == "annee"))
    sites = (offices, OFFICES) if indicator.reporting == "bureaux" else (int(value is not None), 1)
    return [
        *(indicator.code, period.kind, period.code, period.start, period.end, cumul, "total", None),
        *(
            value,
            numerator,
            denominator,
            denominator or numerator or 0,
            6 if indicator.code == "R1-3" else 0,
            target,
            due,
            progress,
        ),
        *sites,
    ]


@pytest.fixture(scope="session")
def framework() -> Logframe:
    """The framework cut to the indicators that have a series above."""
    whole = logframe.read()
    return whole.model_copy(update={"indicators": tuple(one for one in whole.indicators if one.code in SERIES)})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data=tmp_path / "demo")


@pytest.fixture(scope="session")
def context(framework: Logframe) -> PublicationContext:
    return PublicationContext(framework, datetime(2026, 11, 23, 21, 5, tzinfo=UTC), AFTER, synthetic=True, small_cell=5)


@pytest.fixture
def connection(settings: Settings, framework: Logframe) -> Iterator[db.Connection]:
    """The private database, with the few tables the publications read."""
    with db.warehouse(settings) as opened:
        opened.execute("create schema marts; create schema raw; create schema staging")
        opened.execute("""
            create table marts.fct_saisie as
                select 'TIZ01' as site_code, true as est_bureau, date '2020-10-05' as saisie_date, 3 as nb_saisies
                union all select 'CHT01', true, date '2023-12-20', 2;
            comment on table marts.fct_saisie is 'One row per office and day on which the office registered something.';
            comment on column marts.fct_saisie.saisie_date is 'Jour de la visite ou du suivi.';
        """)
        reference.load(opened, [])
        fill(opened, framework, AFTER)
        yield opened


@pytest.fixture(scope="session")
def found(context: PublicationContext) -> dict[str, Figure]:
    """Every figure by its code."""
    with db.memory() as opened:
        fill(opened, context.framework, AFTER)
        return {figure.indicator.code: figure for figure in figures.read(opened, context)}


@pytest.fixture(scope="session")
def html(found: dict[str, Figure], context: PublicationContext) -> str:
    return dashboard.render(list(found.values()), context)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser, kept from any network."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing: `make test` installs it, or install Debian's package chromium.")
    with sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
        browser = driver.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()
