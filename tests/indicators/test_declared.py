"""An indicator as declared, and what in it would contradict itself."""

from typing import Any

import pytest
from pydantic import ValidationError

from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.declared import DIVIDED, Indicator, contradictions

INDICATORS = {one.code: one for one in logframe.read().indicators}


def spoilt(indicator: str, /, **changes: Any) -> list[str]:
    return [*contradictions(Indicator.model_validate({**INDICATORS[indicator].model_dump(), **changes}))]


def test_no_indicator_of_ours_contradicts_itself() -> None:
    assert {code: [*contradictions(one)] for code, one in INDICATORS.items() if [*contradictions(one)]} == {}


def test_every_measure_and_accumulation_that_is_offered_can_be_read() -> None:
    assert {one.measure for one in INDICATORS.values()} >= {"count", "distinct", "percentage", "ratio", "average"}
    assert {one.accumulation for one in INDICATORS.values()} >= {"period", "cumulative", "latest"}


@pytest.mark.parametrize(
    ("code", "changes", "message"),
    [
        ("R1-2", {"accumulation": "latest"}, "latest keeps one fact per unit"),
        ("OC3-2", {"as_of": "first"}, "yes_no is what the latest fact says"),
        ("OC3-2", {"accumulation": "cumulative"}, "yes_no adds nothing up"),
        ("R1-2", {"as_of": "latest"}, "count counts every fact"),
        ("R1-4", {"denominator": None}, "percentage divides"),
        ("R1-2", {"targets_status": None}, "Targets and targets_status go together"),
        ("R1-4", {"targets": {}}, "Targets and targets_status go together"),
        ("R1-2", {"valid_to": "2020-10-01"}, "stops being valid"),
        ("R1-2", {"code": "R1-2.v2"}, "The version of R1-2.v2 is not 1"),
        ("R1-2", {"disaggregation": {"exclusive": ["sexe"], "multiple": ["sexe"]}}, "sexe is named twice"),
        ("R1-2", {"disaggregation": {"exclusive": ["sexe"], "crosses": [["sexe", "age"]]}}, "no dimension: age"),
        ("R1-2", {"disaggregation": {"exclusive": ["a", "b"], "crosses": [["a", "b"]] * 2}}, "a*b is named twice"),
        ("R1-2", {"disaggregation": {"exclusive": ["sexe"], "crosses": [["sexe", "sexe"]]}}, "needs two dimensions"),
    ],
)
def test_what_does_not_go_together_is_said(code: str, changes: dict[str, Any], message: str) -> None:
    assert any(message in text for text in spoilt(code, **changes))


@pytest.mark.parametrize("changes", [{"code": "R1/2"}, {"decimals": -1}, {"forms": []}, {"lines": []}, {"version": 0}])
def test_a_value_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spoilt("R1-2", **changes)


def test_a_running_total_also_shows_its_year_and_each_period() -> None:
    assert INDICATORS["R1-2"].accumulations == ("cumulative", "year_to_date", "period")
    assert INDICATORS["R1-4"].accumulations == ("period",)
    assert INDICATORS["OC1-1"].accumulations == ("latest",)


def test_every_indicator_speaks_three_languages() -> None:
    for indicator in INDICATORS.values():
        texts = [indicator.names, indicator.definition, indicator.unit, indicator.counts, indicator.limitations]
        assert all(words.fr and words.ar and words.en for words in texts if words is not None)
        if indicator.measure in DIVIDED:
            assert indicator.numerator is not None
            assert indicator.denominator is not None
