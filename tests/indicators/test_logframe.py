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
    assert len({one.code for one in framework.indicators}) == 33
    assert framework.project.start == framework.years[0].start
    assert framework.project.end == framework.years[-1].end
    assert all(one.end == other.start for one, other in pairwise(framework.years))


def test_an_objective_comes_before_the_results_that_serve_it() -> None:
    framework = logframe.read()
    order = [*framework.chain]
    assert {*order} == {*framework.objectives, *framework.results}
    assert all(order.index(result.objective) < order.index(code) for code, result in framework.results.items())


def test_every_query_has_its_declaration() -> None:
    folder = WAREHOUSE / "indicators"
    assert {path.stem for path in folder.glob("*.sql")} == {path.stem for path in folder.glob("*.yml")}


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
        ("measure: count", "measure: [count", "IND-002 · R1-2.yml, line 33"),
        ("result: R1", "result: R9", "IND-005 · R1-2.yml: The result R9 is unknown"),
        ("targets: {A1", "targets: {A7", "IND-006 · R1-2.yml: Targets name unknown years: A7"),
        ("as_of: event", "as_of: latest", "IND-009 · R1-2.yml: The measure count counts every fact"),
        ("lines: [B2]", "lines: [Z9]", "IND-013 · R1-2.yml: No form and no line of the job profile is called Z9"),
        ("forms: [tpm_visite]", "forms: [tpm_x]", "IND-013 · R1-2.yml: .* called tpm_x"),
        ("code: R1-2", "code: R1-3", "IND-012 · R1-2.yml: It declares R1-3"),
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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{code: A2, start: 2021-10-01", "{code: A2, start: 2021-11-01", "IND-007 · logframe.yml, years"),
        ("start: 2020-10-01, end: 2021-10-01", "start: 2020-10-01, end: 2021-10-02", "IND-007 · logframe.yml, years"),
        ("objective: OS1", "objective: OS9", "IND-008 · .* result R1 serves an unknown objective, OS9"),
        ("weight: 4", "weight: 5", "IND-008 · .* weights of the activities sum to 101, not 100"),
        ("code: A1.2", "code: A1.1", "IND-008 · .* activity A1.1 is there twice"),
        ("lines: [B1, B2]", "lines: [B1, Z9]", "IND-008 · .* activity A1.1 names unknown lines .* Z9"),
        ("result: R1\n", "result: R9\n", "IND-008 · .* activity A1.1 names an unknown result, R9"),
        ("end: 2021-06-30", "end: 2020-06-30", "IND-008 · .* A1.1 ends before it starts"),
        ("forms: [tpm_", "forms: [tpx_", "IND-008 · .* names unknown forms: tpx_"),
    ],
)
def test_what_is_wrong_in_the_calendar_the_chain_or_the_plan_is_named(
    declared: Path, old: str, new: str, message: str
) -> None:
    spoil(declared, "logframe.yml", old, new)
    with pytest.raises(IndicatorError, match=message):
        logframe.read(declared)
