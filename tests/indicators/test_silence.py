"""Zero or not known: whose silence it is, in which window, and what stands beside a value."""

from datetime import date
from typing import Any

import pytest

from tests.indicators.conftest import Bench
from tests.indicators.invented import Inventor, fact
from tpm_pipeline.indicators.declared import UNKNOWN
from tpm_pipeline.warehouse import db

BY_OFFICE: dict[str, Any] = {"disaggregation": {"exclusive": ["bureau"]}}


@pytest.fixture
def invent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Inventor:
    return Inventor(bench, monkeypatch)


def test_a_running_total_is_not_known_before_any_site_has_reported(invent: Inventor) -> None:
    said = invent([], sites=[("TIZ01", "2021-02-10")], accumulation="cumulative")
    assert [said(month) for month in ("2021-01", "2021-02", "2021-03")] == [None, 0, 0]
    assert [said(month, "period") for month in ("2021-01", "2021-02", "2021-03")] == [None, 0, None]


def test_what_is_divided_is_not_zero_where_a_site_reported(invent: Inventor) -> None:
    before = fact("avant", "2020-09-30", in_numerator=True)
    said = invent([before], sites=[("TIZ01", "2021-02-10")], measure="percentage")
    line = said.line("2021-02")
    assert (line["value"], line["numerator"], line["denominator"], line["reporting"]) == (None, 0, 0, 1)


def test_a_fact_after_today_or_outside_the_project_is_left_out(invent: Inventor) -> None:
    days = ("2020-09-30", "2020-10-01", "2021-05-15", "2021-05-16", "2024-01-01")
    facts = [fact(day, day) for day in days]
    assert invent(facts, accumulation="cumulative", today=date(2021, 5, 15))("2021-05") == 2
    assert invent(facts, accumulation="cumulative", today=date(2030, 1, 1))("projet") == 3


def test_an_office_speaks_for_its_own_part_only(invent: Inventor) -> None:
    sites = [("TIZ01", "2021-01-10"), ("CHT01", "2021-02-10")]
    facts = [fact("a", "2021-01-10", bureau="TIZ01"), fact("b", "2021-02-10", bureau="CHT01")]
    said = invent(facts, sites=sites, **BY_OFFICE)
    assert said.parts("2021-01", "bureau") == {"TIZ01": 1, "CHT01": None, UNKNOWN: 0}  # CHT01 was silent, not empty
    assert said.parts("2021-02", "bureau") == {"TIZ01": None, "CHT01": 1, UNKNOWN: 0}
    assert said.parts("2021-03", "bureau") == {"TIZ01": None, "CHT01": None, UNKNOWN: None}


def test_the_team_and_the_offices_do_not_report_for_each_other(invent: Inventor) -> None:
    offices, team = [("TIZ01", "2021-01-10"), ("CHT01", "2021-01-11")], [("equipe", "2021-01-10")]
    said = invent([], sites=offices, reporting="equipe").line("2021-01")
    assert (said["value"], said["reporting"], said["expected"]) == (None, 0, 1)
    said = invent([], sites=team, reporting="equipe").line("2021-01")
    assert (said["value"], said["reporting"], said["expected"]) == (0, 1, 1)
    assert invent([], sites=team, reporting="bureaux")("2021-01") is None
    assert invent([], sites=offices, reporting="bureaux").line("2021-01")["reporting"] == 2


def test_completeness_beside_a_running_total_is_that_of_the_period_itself(invent: Inventor) -> None:
    sites = [("TIZ01", "2021-01-10"), ("TIZ01", "2021-03-10"), ("CHT01", "2021-03-11")]
    said = invent([], sites=sites, accumulation="cumulative")
    found = {period: said.line(period)["reporting"] for period in ("2021-01", "2021-02", "2021-03", "2021-T1")}
    assert found == {"2021-01": 1, "2021-02": 0, "2021-03": 2, "2021-T1": 2}


def test_the_year_to_date_declared_starts_anew_with_each_reporting_year(invent: Inventor) -> None:
    facts = [fact(day, day) for day in ("2020-10-05", "2021-09-05", "2021-10-05", "2022-02-05")]
    said = invent(facts, accumulation="year_to_date")
    months = ("2020-10", "2021-09", "2021-10", "2022-02")
    assert [said(month) for month in months] == [1, 2, 1, 2]  # not [1, 2, 3, 4], as a running total
    assert [said(month, "period") for month in months] == [1, 1, 1, 1]
    assert [said(period) for period in ("2021-T4", "2021-S2", "A2", "A3")] == [1, 1, 2, None]


def test_persons_of_a_year_are_not_what_the_running_total_grew_by(invent: Inventor) -> None:
    facts = [fact("d1", "2021-09-05"), fact("d1", "2021-10-05"), fact("d2", "2021-11-05")]
    said = invent(facts, measure="distinct", accumulation="cumulative", as_of="latest")
    assert said("A2", "year_to_date") == said("A2", "period") == 2
    assert [said("A1"), said("A2")] == [1, 2]  # it grew by one


def test_progress_and_targets_stand_beside_the_declared_total_alone(invent: Inventor) -> None:
    where: dict[str, Any] = {"disaggregation": {"exclusive": ["lieu"]}, "accumulation": "cumulative"}
    goal: dict[str, Any] = {"targets": {"A1": 4}, "baseline": {"value": 2, "date": "2020-10-01", "source": "Enquête"}}
    said = invent([fact("a", "2021-01-10", lieu="tiznit")], **where, **goal)
    line = said.line("A1")
    assert (line["target"], line["due"], line["progress"]) == (4, 4, -0.5)  # half of the way, backwards; not 1 / 4
    for other in (said.line("A1", "period"), said.line("A1", lieu="tiznit")):
        assert (other["target"], other["due"], other["progress"]) == (None, None, None)


def test_every_part_ever_met_is_in_every_period_once(invent: Inventor) -> None:
    invent([fact("a", "2021-01-10", lieu="tiznit")], disaggregation={"exclusive": ["lieu"]})
    counted = "select count(*), count(distinct (periode, cumul, dimension, part)) from indicators.valeur"
    ((cells, distinct),) = invent.bench.connection.execute(counted).fetchall()
    periods = db.scalar(invent.bench.connection, "select count(distinct periode) from indicators.valeur")
    assert cells == distinct == 3 * periods  # the total, tiznit, not known
