"""Facts become cells: which fact speaks, in which part, and what is taken away when another speaks."""

from typing import Any

import pytest

from tests.indicators.conftest import Bench
from tests.indicators.invented import Invented, Inventor, fact
from tpm_pipeline.indicators import cells
from tpm_pipeline.indicators.cells import Branch
from tpm_pipeline.indicators.declared import UNKNOWN, Indicator
from tpm_pipeline.warehouse import db

PLACE: dict[str, Any] = {"disaggregation": {"exclusive": ["lieu"]}}
THEMES: dict[str, Any] = {
    "disaggregation": {"exclusive": ["lieu"], "multiple": ["theme"], "crosses": [["lieu", "theme"]]}
}
MOVED = [fact("d1", "2021-01-10", lieu="tiznit"), fact("d1", "2021-03-10", lieu="taroudannt")]


@pytest.fixture
def invent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Inventor:
    return Inventor(bench, monkeypatch)


def distinct(invent: Inventor, facts: list[dict[str, Any]], as_of: str, **declared: Any) -> Invented:
    declaration = {"measure": "distinct", "accumulation": "cumulative", **PLACE, **declared}
    return invent(facts, as_of=as_of, **declaration)


@pytest.mark.parametrize(
    ("as_of", "running", "own"),
    [
        ("event", {"tiznit": 1, "taroudannt": 1}, {"tiznit": 0, "taroudannt": 1}),
        ("first", {"tiznit": 1, "taroudannt": 0}, {"tiznit": 0, "taroudannt": 1}),
        ("latest", {"tiznit": 0, "taroudannt": 1}, {"tiznit": 0, "taroudannt": 1}),
    ],
)
def test_who_moved_is_in_every_part_or_in_that_of_the_first_or_of_the_latest_fact(
    invent: Inventor, as_of: str, running: dict[str, float], own: dict[str, float]
) -> None:
    said = distinct(invent, MOVED, as_of)
    assert said("2021-03") == said("2021-03", "period") == 1
    assert said.parts("2021-03", "lieu") == {**running, UNKNOWN: 0}
    assert said.parts("2021-03", "lieu", "period") == {**own, UNKNOWN: 0}


def test_of_the_facts_of_one_day_the_one_recorded_last_or_first_speaks(invent: Inventor) -> None:
    facts = [
        fact("d1", "2021-01-10", lieu="tiznit", recorded=2),
        fact("d1", "2021-01-10", lieu="taroudannt", recorded=1),
    ]
    assert distinct(invent, facts, "latest").parts("2021-01", "lieu") == {"tiznit": 1, UNKNOWN: 0}
    assert distinct(invent, facts, "first").parts("2021-01", "lieu") == {"taroudannt": 1, UNKNOWN: 0}


def test_a_state_that_ends_leaves_its_part_and_the_total(invent: Inventor) -> None:
    facts = [
        fact("b1", "2021-01-10", lieu="tiznit", in_numerator=True),
        fact("b1", "2021-03-10", lieu="tiznit", in_numerator=False),
        fact("b1", "2021-05-10", lieu="taroudannt", in_numerator=True),
    ]
    said = distinct(invent, facts, "latest", accumulation="latest")
    months = [f"2021-0{month}" for month in (1, 2, 3, 4, 5)]
    assert [said(month) for month in months] == [1, 1, 0, 0, 1]
    assert [said(month, lieu="tiznit") for month in months] == [1, 1, 0, 0, 0]
    assert [said(month, lieu="taroudannt") for month in months] == [0, 0, 0, 0, 1]


def test_who_once_counts_in_a_window_counts_even_if_a_later_fact_does_not(invent: Inventor) -> None:
    facts = [fact("o1", f"2021-0{month}-10", in_numerator=month == 2) for month in (1, 2, 3)]
    said = distinct(invent, facts, "event", disaggregation={})
    assert [said(f"2021-0{month}", "period") for month in (1, 2, 3)] == [0, 1, 0]
    assert [said(period) for period in ("2021-01", "2021-02", "2021-03", "2021-T1")] == [0, 1, 1, 1]


def test_what_is_taken_away_comes_back_to_exactly_zero(invent: Inventor) -> None:
    """In binary something is left of 0.1 + 0.2 + 0.3 once each is taken away: a share would be divided by dust."""
    assert 0.1 + 0.2 + 0.3 - 0.3 - 0.2 - 0.1 != 0
    amounts = [("p1", 0.1, "2021-04-10"), ("p2", 0.2, "2021-03-10"), ("p3", 0.3, "2021-02-10")]
    facts = [fact(unit, "2021-01-10", lieu="tiznit", value=n / 2, weight=n) for unit, n, _ in amounts]
    facts += [fact(unit, day, lieu="taroudannt", value=n, weight=n) for unit, n, day in amounts]
    said = invent(facts, measure="percentage", accumulation="latest", as_of="latest", **PLACE)
    assert [said("2021-01", lieu="tiznit"), said("2021-04", lieu="taroudannt")] == [50, 100]
    gone = said.line("2021-04", lieu="tiznit")
    assert (gone["value"], gone["numerator"], gone["denominator"]) == (None, 0, 0)


def test_the_latest_answer_of_each_part_stands_until_another(invent: Inventor) -> None:
    facts = [
        fact("r", "2021-01-10", lieu="tiznit", in_numerator=True),
        fact("s", "2021-02-10", lieu="taroudannt", in_numerator=False),
    ]
    said = invent(facts, measure="yes_no", accumulation="latest", as_of="latest", **PLACE)
    assert [said(month) for month in ("2020-12", "2021-01", "2021-02", "2021-03")] == [None, 1, 0, 0]
    assert said.parts("2021-03", "lieu") == {"tiznit": 1, "taroudannt": 0, UNKNOWN: None}


def test_the_latest_number_is_not_a_sum_and_an_unknown_one_is_not_zero(invent: Inventor) -> None:
    facts = [
        fact("r", "2021-01-10", lieu="tiznit", value=7),
        fact("s", "2021-02-10", lieu="taroudannt", value=4),
        fact("s", "2021-04-10", lieu="taroudannt", value=None),
    ]
    said = invent(facts, measure="latest", accumulation="latest", as_of="latest", **PLACE)
    months = ("2020-12", "2021-01", "2021-02", "2021-03", "2021-04")
    assert [said(month) for month in months] == [None, 7, 4, 4, None]
    assert said("2021-04", lieu="tiznit") == 7


def test_sums_and_ratios_add_what_was_measured(invent: Inventor) -> None:
    facts = [
        fact("a", "2021-01-10", lieu="tiznit", value=1.5, weight=3),
        fact("b", "2021-02-10", lieu="taroudannt", value=2.5, weight=1),
    ]
    total = invent(facts, measure="sum", accumulation="cumulative", **PLACE)
    assert [total(month) for month in ("2021-01", "2021-02", "2021-03")] == [1.5, 4, 4]
    assert total.parts("2021-02", "lieu", "period") == {"tiznit": 0, "taroudannt": 2.5, UNKNOWN: 0}
    ratio = invent(facts, measure="ratio", **PLACE)
    assert [ratio(period) for period in ("2021-01", "2021-02", "2021-T1")] == [0.5, 2.5, 1]  # not 1.5, their mean


@pytest.mark.parametrize("measure", ["percentage", "ratio", "average"])
def test_without_a_weight_nothing_is_divided(invent: Inventor, measure: str) -> None:
    said = invent([fact("a", "2021-01-10", value=3, weight=None)], measure=measure)
    assert said("2021-01") is None  # neither 100 %, each fact taken for a success, nor 3 over one answer


def test_an_average_leaves_out_what_was_not_answered(invent: Inventor) -> None:
    facts = [fact("a", "2021-01-10", value=3), fact("b", "2021-01-11", value=5), fact("c", "2021-01-12")]
    line = invent(facts, measure="average").line("2021-01")
    assert (line["value"], line["numerator"], line["denominator"]) == (4, 8, 2)  # not 8 / 3


def test_a_list_counts_once_in_each_of_its_codes_crosses_included(invent: Inventor) -> None:
    facts = [
        fact("a", "2021-01-10", lieu="tiznit", theme=["sante", "droit", "sante"]),
        fact("b", "2021-01-11", lieu="tiznit", theme=["droit"]),
        fact("c", "2021-01-12", theme=[]),
        fact("d", "2021-01-13", lieu="tiznit"),
    ]
    said = invent(facts, **THEMES)
    assert said("2021-01") == 4
    assert said.parts("2021-01", "theme") == {"sante": 1, "droit": 2, UNKNOWN: 2}
    assert said.parts("2021-01", "lieu*theme") == {
        "tiznit*sante": 1,
        "tiznit*droit": 2,
        f"tiznit*{UNKNOWN}": 1,
        f"{UNKNOWN}*{UNKNOWN}": 1,
    }


def test_a_theme_first_met_later_stays_with_the_person_only_where_every_fact_counts(invent: Inventor) -> None:
    facts = [
        fact("d1", "2021-01-10", lieu="tiznit", theme=["sante"]),
        fact("d1", "2021-02-10", lieu="tiznit", theme=["droit"]),
    ]
    met = distinct(invent, facts, "event", **THEMES).parts("2021-02", "lieu*theme")
    assert met == {"tiznit*sante": 1, "tiznit*droit": 1}
    first = distinct(invent, facts, "first", **THEMES).parts("2021-02", "theme")
    assert first == {"sante": 1, "droit": 0, UNKNOWN: 0}


@pytest.mark.parametrize("as_of", ["event", "first", "latest"])
def test_facts_without_identifier_are_told_and_are_nobody(invent: Inventor, as_of: str) -> None:
    facts = [fact(None, "2021-01-10"), fact(None, "2021-02-10"), fact("d1", "2021-02-10")]
    line = distinct(invent, facts, as_of, disaggregation={}).line("2021-02")
    assert (line["value"], line["without_id"]) == (1, 2)


def test_in_a_percentage_each_fact_without_identifier_stands_alone(invent: Inventor) -> None:
    facts = [fact(None, "2021-01-10", in_numerator=True), fact(None, "2021-01-10", in_numerator=False)]
    line = invent(facts, measure="percentage", as_of="latest").line("2021-01")
    assert (line["numerator"], line["denominator"]) == (1, 2)


def test_one_pass_tells_all_dimensions_apart_where_one_fact_speaks_for_all_of_them(bench: Bench) -> None:
    found: dict[str, Indicator] = {one.code: one for one in bench.framework.indicators}
    assert list(cells.branches(found["R1-3"])) == [
        Branch((*found["R1-3"].disaggregation.exclusive, "sexe*age", "sexe*groupe"), with_total=True)
    ]
    assert list(cells.branches(found["R2-1"])) == [  # supported here and there: sought in each part
        Branch((), with_total=True),
        Branch(("forme_osc",)),
        Branch(("province",), ("province",)),
        Branch(("theme",), ("theme",)),
    ]


def test_no_table_of_the_computation_remains(invent: Inventor) -> None:
    invent([fact("a", "2021-01-10")])
    assert db.rows(invent.bench.connection, "select table_name from duckdb_tables() where temporary") == []
