"""From small cells to values: every measure, every accumulation, the sites that reported."""

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.indicators.conftest import Bench
from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.declared import Indicator
from tpm_pipeline.warehouse import db

Row = Mapping[str, Any]
Computed = Callable[..., dict[str, Row]]

# Unit, day, part, what is above the line, what is below it.
FACTS = """
select unit_id, event_date, event_date as recorded, 's' as source_id, part, value, weight, value > 2 as in_numerator
from (values
    ('a', date '2020-10-05', 'x', 1.0, 1.0), ('b', date '2020-10-06', 'x', 4.0, 1.0),
    ('a', date '2020-11-05', 'y', 5.0, 3.0), ('a', date '2021-10-05', 'y', 2.0, 2.0),
    ('b', date '2021-11-06', 'x', 3.0, 4.0)
) as fact(unit_id, event_date, part, value, weight)
"""
MONTHS = ("2020-10", "2020-11", "2020-12", "2021-10", "2021-11")


@pytest.fixture
def computed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Computed:
    """Compute one declaration on the facts above; give back its lines by period."""
    declared = next(one for one in bench.framework.indicators if one.code == "R5-2").model_dump()

    def compute(facts: str = FACTS, cumul: str = "", part: str | None = None, **changes: Any) -> dict[str, Row]:
        monkeypatch.setattr(logframe, "query", lambda _one, _folder=None: facts)
        parts = {"disaggregation": {"exclusive": ["part"]}, "targets": {}, "targets_status": None, "baseline": None}
        indicator = Indicator.model_validate({**declared, **parts, **changes})
        bench.give({"marts.fct_saisie": [{"site_code": "equipe", "est_bureau": False, "saisie_date": "2020-10-05"}]})
        bench.compute(framework=bench.framework.model_copy(update={"indicators": (indicator,)}))
        found = db.rows(
            bench.connection,
            "from indicators.valeur where dimension = ? and part is not distinct from ? and cumul = ?",
            ["part" if part else "total", part, cumul or {"latest": "dernier"}.get(indicator.accumulation, "periode")],
        )
        return {row["periode"]: row for row in found}

    return compute


def series(found: Mapping[str, Row], *periods: str) -> list[Any]:
    return [found[period]["valeur"] for period in periods or MONTHS]


@pytest.mark.parametrize(
    ("measure", "year"),
    [("count", 3), ("distinct", 2), ("qualitative", 2), ("sum", 10), ("ratio", 2), ("average", 2)],
)
def test_a_year_of_its_own_in_every_measure_that_adds_or_divides(computed: Computed, measure: str, year: float) -> None:
    facts = FACTS.replace(", value > 2 as in_numerator", "")
    found = computed(facts, measure=measure, as_of="event", accumulation="period")
    assert found["A1"]["valeur"] == year
    assert found["A1"]["nb_faits"] >= 2


def test_a_percentage_is_of_facts_or_of_what_they_weigh(computed: Computed) -> None:
    by_fact = "select * exclude (value, weight) from (" + FACTS + ")"
    assert computed(by_fact, measure="percentage")["A1"]["valeur"] == pytest.approx(200 / 3)
    weighed = "select * replace (value / 10 as value) from (" + FACTS + ")"
    assert computed(weighed, measure="percentage")["A1"]["valeur"] == pytest.approx(100 * 1.0 / 5)


def test_the_latest_state_of_each_unit_replaces_the_one_before(computed: Computed) -> None:
    found = computed(measure="sum", as_of="latest", accumulation="latest")
    assert series(found) == [5, 9, 9, 6, 5]
    assert found["2020-10"]["nb_faits"] == found["2021-11"]["nb_faits"] == 2


def test_a_unit_that_changed_its_part_leaves_the_former(computed: Computed) -> None:
    changes = {"measure": "distinct", "as_of": "latest", "accumulation": "latest"}
    facts = FACTS.replace(", value > 2 as in_numerator", "")
    assert series(computed(facts, part="x", **changes)) == [2, 1, 1, 1, 1]
    assert series(computed(facts, part="y", **changes)) == [0, 1, 1, 1, 1]


def test_the_first_state_of_each_unit_in_the_window_speaks(computed: Computed) -> None:
    found = computed(measure="sum", as_of="first", accumulation="period")
    assert series(found, "2020-10", "2020-11", "A1", "A2", "projet") == [5, 5, 5, 5, 5]


def test_the_year_to_date_starts_again_with_the_reporting_year(computed: Computed) -> None:
    facts = FACTS.replace(", value > 2 as in_numerator", "")
    found = computed(facts, measure="count", accumulation="cumulative", cumul="annee_en_cours")
    assert series(found, "2020-10", "2020-12", "2021-09", "2021-10", "2021-11") == [2, 3, 3, 1, 2]
    assert series(computed(facts, measure="count", accumulation="cumulative", cumul="cumulatif")) == [2, 3, 3, 4, 5]


def test_yes_or_no_and_the_latest_value_are_what_the_last_fact_says(computed: Computed) -> None:
    changes = {"as_of": "latest", "accumulation": "latest"}
    assert series(computed(measure="yes_no", **changes), "2020-10", "2020-11", "2021-10") == [1, 1, 0]
    assert series(computed(measure="latest", **changes), "2020-10", "2020-11", "2021-10") == [4, 5, 2]
    assert series(computed(measure="latest", part="x", **changes), "2020-10", "2021-10", "2021-11") == [4, 4, 3]


def test_what_is_not_known_is_neither_yes_nor_no(computed: Computed) -> None:
    later = f"select * from ({FACTS}) where event_date >= date '2021-01-01'"
    for measure in ("yes_no", "latest"):
        assert computed(later, measure=measure, as_of="latest", accumulation="latest")["2020-12"]["valeur"] is None


def test_a_denominator_that_comes_back_to_nothing_is_nothing(computed: Computed) -> None:
    weights = [0.1, 0.2, 0.3]
    rows = ", ".join(f"('u{n}', date '2020-10-0{n + 1}', 'x', {w}, {w})" for n, w in enumerate(weights))
    gone = ", ".join(f"('u{n}', date '2020-11-0{n + 1}', 'y', 0.0, 0.0)" for n in range(3))
    facts = (
        "select unit_id, event_date, event_date as recorded, 's' as source_id, part, value::double as value,"
        f" weight::double as weight from (values {rows}, {gone}) as fact(unit_id, event_date, part, value, weight)"
    )
    found = computed(facts, measure="ratio", as_of="latest", accumulation="latest", part="x")
    assert [found[month]["denominateur"] for month in ("2020-10", "2020-11")] == [pytest.approx(0.6), 0]
    assert found["2020-11"]["valeur"] is None  # not the 1e-17 that binary fractions leave


def test_an_office_closed_before_a_period_is_no_longer_expected(bench: Bench) -> None:
    offices = [
        {"bureau_code": "A"},
        {"bureau_code": "B", "attendu_depuis_date": "2020-11-15"},
        {"bureau_code": "C", "fermeture_date": "2020-11-30"},
    ]
    bench.give(
        {"marts.dim_bureau": offices, "marts.fct_visite": [{"visite_id": "v", "date_visite": date(2020, 10, 5)}]}
    )
    bench.compute("R1-2")
    found = [bench.line("R1-2", month)["expected"] for month in ("2020-10", "2020-11", "2020-12")]
    assert found == [2, 3, 2]


def test_the_team_is_one_site(computed: Computed) -> None:
    found = computed(measure="sum", accumulation="period")
    assert [(found[month]["nb_sites_saisis"], found[month]["nb_sites_attendus"]) for month in MONTHS[:2]] == [
        (1, 1),
        (0, 1),
    ]


def test_a_version_speaks_of_the_periods_it_was_valid_in(computed: Computed) -> None:
    found = computed(measure="sum", valid_from="2020-11-01", valid_to="2021-10-01")
    assert "2020-10" not in found
    assert "2021-10" not in found
    assert {"2020-11", "2021-09", "A1", "2020-T4", "projet"} <= found.keys()


def test_nothing_is_left_behind(bench: Bench, tmp_path: Path) -> None:
    bench.compute()
    left = "select count(*) from duckdb_tables() where temporary"
    assert db.scalar(bench.connection, left) == 0
    assert not [*tmp_path.iterdir()]
