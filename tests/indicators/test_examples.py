"""Every example of every indicator: given these rows, these values."""

import pytest

from tests.indicators.conftest import Bench
from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.logframe import Example, Indicator

EXAMPLES = [
    pytest.param(indicator, example, id=f"{indicator.code}: {example.name}")
    for indicator in logframe.read().indicators
    for example in indicator.examples
]


@pytest.mark.parametrize(("indicator", "example"), EXAMPLES)
def test_example(bench: Bench, indicator: Indicator, example: Example) -> None:
    assert bench.differences(indicator, example) == []


def test_every_indicator_has_an_example() -> None:
    assert [indicator.code for indicator in logframe.read().indicators if not indicator.examples] == []


def test_an_example_that_is_wrong_says_where(bench: Bench) -> None:
    indicator = next(one for one in logframe.read().indicators if one.code == "R1-2")
    visit = {"visite_id": "v1", "date_visite": "2021-01-31", "bureau_code": "TIZ01", "sexe": "femme"}
    expected = (
        {"period": "2021-01", "value": 1},
        {"period": "2021-01", "value": None},
        {"period": "2021-01", "sexe": "femme", "value": 2},
        {"period": "2020-10", "value": 0},
        {"period": "1999-01", "value": 0},
    )
    example = Example(name="", given={"marts.fct_visite": (visit,)}, expect=expected)
    assert bench.differences(indicator, example) == [
        "{'period': '2021-01', 'value': None}: value is 1.0, not None",
        "{'period': '2021-01', 'sexe': 'femme', 'value': 2}: value is 1.0, not 2",
        "{'period': '2020-10', 'value': 0}: value is None, not 0",
        "{'period': '1999-01', 'value': 0}: value is None, not 0",
    ]
