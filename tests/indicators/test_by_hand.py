"""Every figure of the logframe, for every period and part, computed a second time from the raw answers with pandas."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
import pytest

from tests.indicators import by_hand_answers, by_hand_management, by_hand_offices, by_hand_project
from tests.indicators.by_hand_answers import spoken
from tests.indicators.by_hand_offices import Figure
from tpm_pipeline import jobs
from tpm_pipeline.indicators import calendar, logframe
from tpm_pipeline.indicators.declared import Indicator
from tpm_pipeline.records import Period
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

UNKNOWN = "non_renseigne"
FRAMEWORK = logframe.read()
COUNTED = ("count", "distinct", "qualitative")

Values = dict[tuple[str, str | None], float | None]


@dataclass(frozen=True)
class Project:
    """A demo refreshed once: what is stored, and the figures by hand."""

    stored: Mapping[tuple[str, str, str], Values]
    figures: Mapping[str, Figure]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    settings = Settings(_env_file=None, data=tmp_path_factory.mktemp("by_hand") / "demo")
    jobs.demo(settings, seed=7, visits=300)
    jobs.pull(settings, jobs.form_ids())
    jobs.build(settings)
    with db.warehouse(settings) as connection:
        return Project(_stored(connection), _figures(connection))


def _stored(connection: db.Connection) -> Mapping[tuple[str, str, str], Values]:
    stored: dict[tuple[str, str, str], Values] = {}
    found = connection.execute("select code, periode, cumul, dimension, part, valeur from indicators.valeur").fetchall()
    for code, period, cumul, dimension, part, value in found:
        stored.setdefault((code, period, cumul), {})[dimension, part] = value
    return stored


def _figures(connection: db.Connection) -> dict[str, Figure]:
    answers = by_hand_answers.read(connection)
    places = {row["code_bureau"]: row for row in db.rows(connection, "from reference.bureaux")}
    forms = dict(connection.execute("select code_osc, forme_osc from reference.osc").fetchall())
    authorities = db.rows(connection, "from reference.collectivites")
    activities = [{"code": one.code, "result": one.result, "weight": float(one.weight)} for one in FRAMEWORK.activities]
    return {
        **by_hand_offices.figures(answers, places),
        **by_hand_project.sessions(answers),
        **by_hand_project.trainings(answers),
        **by_hand_project.projects(answers, forms),
        **by_hand_project.partners(answers, authorities),
        **by_hand_management.communication(answers),
        **by_hand_management.committees(answers),
        **by_hand_management.plan(answers, activities),
        "R4-2": by_hand_management.interviews(answers),
        "R5-5": by_hand_management.consultations(answers),
    }


@pytest.mark.parametrize("indicator", FRAMEWORK.indicators, ids=lambda one: one.code)
def test_the_figure_is_the_one_computed_by_hand(indicator: Indicator, project: Project) -> None:
    compared = 0
    for period in calendar.periods(FRAMEWORK, calendar.today()):
        for cumul in ("periode", "cumulatif", "annee_en_cours", "dernier"):
            stored = project.stored.get((indicator.code, period.code, cumul))
            if stored is None:
                continue
            expected = by_hand(indicator, project.figures[indicator.code], period, cumul)
            assert not expected.keys() - stored.keys(), f"{period.code} {cumul}: parts that are not stored"
            for cell, value in stored.items():
                assert same(indicator, value, expected.get(cell)), f"{period.code} {cumul} {cell}"
                compared += value is not None
    assert compared, "nothing was compared"


def by_hand(indicator: Indicator, figure: Figure, period: Period, cumul: str) -> Values:
    """The total and every part of one window."""
    until = min(period.end, calendar.today() + timedelta(days=1))
    speaking = figure(_since(period, cumul), pd.Timestamp(until)).reset_index(drop=True)
    values: Values = {("total", None): measured(indicator, speaking)}
    for dimension, names in _dimensions(indicator):
        told = speaking
        for name in names:
            told = _told(told, name, multiple=name in indicator.disaggregation.multiple)
        for part, rows in told.groupby(list(names), sort=False):
            values[dimension, "*".join(map(str, part))] = measured(indicator, rows)
    return values


def _since(period: Period, cumul: str) -> pd.Timestamp:
    if cumul == "periode":
        return pd.Timestamp(period.start)
    if cumul == "annee_en_cours":
        return pd.Timestamp(max(year.start for year in FRAMEWORK.years if year.start < period.end))
    return pd.Timestamp(FRAMEWORK.project.start)


def _dimensions(indicator: Indicator) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from ((name, (name,)) for name in indicator.disaggregation.dimensions)
    yield from (("*".join(names), tuple(names)) for names in indicator.disaggregation.crosses)


def _told(rows: pd.DataFrame, name: str, *, multiple: bool) -> pd.DataFrame:
    if multiple:
        each = [list(dict.fromkeys(value)) if isinstance(value, list) and value else [UNKNOWN] for value in rows[name]]
        return rows.assign(**{name: spoken(each, rows)}).explode(name)
    return rows.assign(**{name: spoken([UNKNOWN if pd.isna(value) else value for value in rows[name]], rows)})


def measured(indicator: Indicator, rows: pd.DataFrame) -> float | None:
    """The figure of some units: how many, or what is above the line over what is below."""
    if indicator.measure == "count":
        return float(len(rows))
    if indicator.measure in COUNTED:
        return float(rows["unit"].nunique()) if len(rows) else 0.0
    below = float(rows["den"].sum())
    return None if not below else float(rows["num"].sum()) / below * (100 if indicator.measure == "percentage" else 1)


def same(indicator: Indicator, stored: float | None, expected: float | None) -> bool:
    """Tell whether two figures agree; nothing counted is zero where a site reported, and not known elsewhere."""
    if stored is None or expected is None:
        return (stored is None or (stored == 0 and indicator.measure in COUNTED)) and not expected
    return stored == pytest.approx(expected, rel=1e-9, abs=1e-9)
