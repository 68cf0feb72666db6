"""The logical framework as declared in `warehouse/`: calendar, results, indicators."""

from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators import logframe
from tpm_pipeline.paths import WAREHOUSE


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_our_own_declarations_are_read() -> None:
    framework = logframe.read()
    assert [one.code for one in framework.indicators] == ["OC1-1", "OC1-2", "R1-2", "R1-3", "R1-4", "R1-5"]
    assert framework.project.start == framework.years[0].start
    assert framework.project.end == framework.years[-1].end
    assert all(one.end == other.start for one, other in pairwise(framework.years))


def test_every_indicator_speaks_three_languages() -> None:
    for indicator in logframe.read().indicators:
        texts = [indicator.names, indicator.definition, indicator.unit, indicator.numerator, indicator.denominator]
        assert all(words.fr and words.ar and words.en for words in texts if words is not None)
        if indicator.measure in ("percentage", "average"):
            assert indicator.numerator is not None
            assert indicator.denominator is not None


def test_a_running_total_also_shows_each_period() -> None:
    both = {one.code: one.accumulations for one in logframe.read().indicators}
    assert both["R1-2"] == ("cumulative", "period")
    assert both["R1-4"] == ("period",)
    assert both["OC1-1"] == ("latest",)


def test_the_query_of_an_indicator_is_beside_it() -> None:
    for indicator in logframe.read().indicators:
        assert logframe.query(indicator) == (WAREHOUSE / f"indicators/{indicator.code}.sql").read_text(encoding="utf-8")
        assert logframe.query(indicator).startswith("-- One row per ")


def test_a_declaration_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        logframe.read().indicators[0].code = "X"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("measure: count", "measure: comptage", "IND-001 · R1-2.yml, measure: Input should be"),
        ("measure: count", "mesure: count", "IND-001 · R1-2.yml, measure: Field required"),
        ("decimals: 0", "decimals: 0\nsurprise: 1", "IND-001 · R1-2.yml, surprise: Extra inputs"),
        ("{value: 0, date", "{value: zéro, date", "IND-001 · R1-2.yml, baseline.value: "),
        ("measure: count", "measure: [count", "IND-002 · R1-2.yml, line 14"),
        ("result: R1", "result: R9", "IND-005 · R1-2.yml: The result R9 is unknown"),
        ("targets: {A1", "targets: {A7", "IND-006 · R1-2.yml: Targets name unknown years: A7"),
    ],
)
def test_what_is_wrong_in_an_indicator_is_named(declared: Path, old: str, new: str, message: str) -> None:
    spoil(declared, "indicators/R1-2.yml", old, new)
    with pytest.raises(IndicatorError, match=message):
        logframe.read(declared)


def test_a_missing_calendar_is_named(declared: Path) -> None:
    (declared / "logframe.yml").unlink()
    with pytest.raises(IndicatorError, match=r"IND-003 · logframe.yml"):
        logframe.read(declared)


def test_a_missing_query_is_named(declared: Path) -> None:
    (declared / "indicators" / "R1-2.sql").unlink()
    with pytest.raises(IndicatorError, match=r"IND-004 · R1-2.yml: R1-2.sql is missing"):
        logframe.read(declared)


def test_a_calendar_that_is_wrong_is_named(declared: Path) -> None:
    spoil(declared, "logframe.yml", "start: 2020-10-01", "start: octobre")
    with pytest.raises(IndicatorError, match=r"IND-001 · logframe.yml, project.start"):
        logframe.read(declared)
