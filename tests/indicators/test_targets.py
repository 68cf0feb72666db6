"""What an indicator's targets expect: of a period as a whole, and by its end or by today."""

from datetime import date
from typing import Any

import pytest

from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.declared import Indicator
from tpm_pipeline.indicators.targets import goals

FRAMEWORK = logframe.read()
AFTER = date(2030, 1, 1)
BASELINE = {"value": 100, "date": "2020-10-01", "source": "Enquête"}


def expected(period: str, today: date = AFTER, **changes: Any) -> tuple[Any, Any]:
    declared = next(one for one in FRAMEWORK.indicators if one.code == "R1-2").model_dump()
    indicator = Indicator.model_validate({**declared, "targets": {"A1": 365, "A2": 730, "A3": 1000}, **changes})
    found = {goal.period: (goal.target, goal.due) for goal in goals(FRAMEWORK, indicator, today)}
    return found.get(period, (None, None))


def test_a_running_total_is_expected_along_a_line_from_target_to_target() -> None:
    assert expected("A1") == (365, 365)
    assert expected("A2", date(2021, 10, 10)) == (730, 365 + 10)
    assert expected("2021-10") == (None, 365 + 31)
    assert expected("projet") == (1000, 1000)


def test_the_line_starts_at_the_baseline_and_without_one_at_the_first_target() -> None:
    assert expected("A1", date(2020, 10, 1), baseline=BASELINE) == (365, 100 + 265 / 365)
    assert expected("A1", date(2020, 10, 1), baseline=None) == (365, 365)


def test_what_adds_up_in_its_year_is_expected_for_the_share_of_it_gone() -> None:
    assert expected("2020-10", accumulation="year_to_date") == (None, 31)
    assert expected("2021-11", accumulation="year_to_date") == (None, pytest.approx(2 * 61))
    assert expected("projet", accumulation="year_to_date") == (None, 1000)


def test_a_count_of_its_own_period_is_expected_for_the_share_it_covers() -> None:
    assert expected("2020-10", accumulation="period") == (None, 31)
    assert expected("2020-10", date(2020, 10, 9), accumulation="period") == (None, 9)
    assert expected("2021-S2", accumulation="period") == (None, pytest.approx(92 + 2 * 92))
    assert expected("projet", accumulation="period") == (None, 365 + 730 + 1000)


def test_a_percentage_of_its_own_period_is_expected_whole() -> None:
    rate: dict[str, Any] = {
        "measure": "percentage",
        "accumulation": "period",
        "denominator": {"fr": "d", "ar": "d", "en": "d"},
    }
    assert expected("A1", date(2020, 12, 1), **rate) == (365, 365)
    assert expected("2021-11", **rate) == (None, 730)


def test_a_year_without_a_target_expects_nothing() -> None:
    assert expected("A2", targets={"A1": 365}) == (None, None)
    assert expected("A1", targets={}, targets_status=None) == (None, None)
