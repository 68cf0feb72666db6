"""The facts of an indicator: whether its query binds, and has the columns its measure needs."""

from pathlib import Path

import pytest

from tests.indicators.conftest import Bench
from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators import facts, logframe
from tpm_pipeline.indicators.declared import Indicator

INDICATORS = {one.code: one for one in logframe.read().indicators}
FACT = "'u' as unit_id, date '2021-01-01' as event_date, 's' as source_id"


def bound(bench: Bench, folder: Path, indicator: Indicator, sql: str) -> frozenset[str]:
    (folder / "indicators" / f"{indicator.code}.sql").write_text(sql)
    return facts.bind(bench.connection, indicator, folder)


@pytest.mark.parametrize("indicator", INDICATORS.values(), ids=lambda one: one.code)
def test_the_facts_of_every_indicator_bind(bench: Bench, indicator: Indicator) -> None:
    assert {"unit_id", "event_date", "source_id"} <= facts.bind(bench.connection, indicator)


@pytest.mark.parametrize(
    ("code", "columns", "message"),
    [
        ("R5-2", "disparue", "IND-010 · R5-2.sql: .*disparue"),
        ("R5-2", "'u' as unit_id", "IND-011 · .* missing: event_date, in_numerator, source_id, type_comite"),
        ("R5-2", f"{FACT}, 1 as value, '' as type_comite", "IND-011 · .* missing: weight"),
        ("R5-2", f"{FACT}, 1 as in_numerator, '' as type_comite", "in_numerator .* is INTEGER, not BOOLEAN"),
        ("OC3-2", f"{FACT}, true as in_numerator", "IND-011 · .* missing: recorded"),
        ("OC4-1", f"{FACT}, 'osc' as destinataire", r"destinataire .* is VARCHAR, not VARCHAR\[\]"),
        ("R4-3", f"{FACT}, '' as seance, '' as province, 'x' as value, 1 as weight", "value .* VARCHAR, not a number"),
        ("OC4-1", "'u' as unit_id, '' as event_date, '' as source_id, [''] as destinataire", "VARCHAR, not DATE"),
    ],
)
def test_what_the_facts_lack_is_named(bench: Bench, declared: Path, code: str, columns: str, message: str) -> None:
    with pytest.raises(IndicatorError, match=message):
        bound(bench, declared, INDICATORS[code], f"select {columns} from marts.fct_visite")


def test_columns_beyond_those_needed_are_let_be(bench: Bench, declared: Path) -> None:
    found = bound(bench, declared, INDICATORS["OC4-1"], f"select {FACT}, ['x'] as destinataire, 1 as surplus")
    assert "surplus" in found
