"""From facts to values: the right figure, and beside it the wrong one that some system gives."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.indicators.conftest import Bench
from tpm_pipeline.errors import IndicatorError, TpmError
from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.declared import UNKNOWN
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.warehouse import db

ROW = dict[str, Any]


def visit(number: int, day: str, case: str | None = None, **more: Any) -> ROW:
    consent = "oui" if case else "non"
    row = {"visite_id": f"v{number}", "date_visite": day, "dossier_uuid": case, "consent_dossier": consent}
    return {**row, "bureau_code": "TIZ01", **more}


def follow_up(number: int, day: str, case: str, **more: Any) -> ROW:
    return {"suivi_id": f"s{number}", "date_suivi": day, "dossier_uuid": case, "bureau_code": "TIZ01", **more}


def visits(bench: Bench, *rows: ROW, today: date = date(2030, 1, 1)) -> None:
    bench.give({"marts.fct_visite": rows})
    bench.compute("R1-2", "R1-3", "R1-4", today=today)


def test_persons_never_add_up_over_months(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10", "d1"), visit(2, "2021-02-10", "d1"), visit(3, "2021-02-11", "d2"))
    months = [bench.value("R1-3", month, cumul="periode") for month in ("2021-01", "2021-02", "2021-03")]
    assert months == [1, 2, None]
    assert bench.value("R1-3", "2021-T1", cumul="periode") == 2  # not 3, the sum of the months
    assert [bench.value("R1-3", month) for month in ("2021-01", "2021-02", "2021-03")] == [1, 2, 2]


def test_persons_never_add_up_over_offices(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10", "d1"), visit(2, "2021-01-11", "d1", bureau_code="CHT01"))
    assert bench.parts("R1-3", "2021-01", "bureau", cumul="periode") == {"CHT01": 1, UNKNOWN: 0}
    assert bench.value("R1-3", "2021-01") == 1  # not 2, one for each office


def test_a_case_without_identifier_is_neither_a_person_nor_forgotten(bench: Bench) -> None:
    nameless = [visit(n, "2021-01-10", consent_dossier="oui") for n in (1, 2, 3)]
    visits(bench, *nameless, visit(4, "2021-01-10", "d1"))
    line = bench.line("R1-3", "2021-01")
    assert (line["value"], line["without_id"]) == (1, 3)  # not 2: the three are not one person, nor (1, 0)
    assert bench.value("R1-2", "2021-01") == 4


def test_a_running_total_is_its_last_value_and_not_the_sum_of_its_values(bench: Bench) -> None:
    visits(bench, visit(1, "2020-10-05"), visit(2, "2021-01-05"), visit(3, "2021-11-05"))
    assert [bench.value("R1-2", year) for year in ("A1", "A2", "A3", "projet")] == [2, 3, 3, 3]  # not 2 + 3 + 3
    periods = [bench.value("R1-2", year, cumul="periode") for year in ("A1", "A2", "projet")]
    assert periods == [2, 1, 3]


def test_progress_is_measured_from_the_baseline(bench: Bench) -> None:
    changed = changed_indicator(
        bench.framework,
        "R1-2",
        baseline={"value": 100, "date": "2020-10-01", "source": "Enquête"},
        targets={"A1": 96, "A2": 100},
    )
    bench.give({"marts.fct_visite": [visit(n, "2020-10-05") for n in range(98)]})
    bench.compute("R1-2", framework=changed)
    assert bench.line("R1-2", "A1")["progress"] == pytest.approx(0.5)  # from 100 down to 96; not 98 / 96
    assert bench.line("R1-2", "A2")["progress"] is None  # the target is the baseline
    assert bench.line("R1-2", "A3")["progress"] is None  # no target


def test_progress_is_not_capped(bench: Bench) -> None:
    changed = changed_indicator(bench.framework, "R1-2", targets={"A1": 2})
    bench.give({"marts.fct_visite": [visit(n, "2020-10-05") for n in range(5)]})
    bench.compute("R1-2", framework=changed)
    assert bench.line("R1-2", "A1")["progress"] == 2.5


def test_without_a_baseline_there_is_a_target_and_no_progress(bench: Bench) -> None:
    visits(bench, visit(1, "2020-10-05", "d1", sexe="femme"))
    line = bench.line("R1-4", "A1")
    assert (line["value"], line["target"], line["progress"]) == (100, 35, None)  # an absent baseline is not 0


def test_targets_belong_to_the_declared_total_of_a_year_and_the_last_to_the_project(bench: Bench) -> None:
    visits(bench, visit(1, "2020-10-05"))
    found = bench.connection.execute(
        "select periode, cumul, dimension, cible from indicators.valeur where code = 'R1-2' and cible is not null"
    ).fetchall()
    assert sorted(found) == [
        (year, "cumulatif", "total", cible)
        for year, cible in (("A1", 500), ("A2", 1700), ("A3", 3500), ("projet", 3500))
    ]


def test_a_percentage_comes_from_its_sums(bench: Bench) -> None:
    women = [visit(n, "2021-01-10", f"f{n}", sexe="femme") for n in range(1)]
    mixed = [visit(9 + n, "2021-02-10", f"m{n}", sexe="femme" if n == 0 else "homme") for n in range(4)]
    visits(bench, *women, *mixed)
    assert [bench.value("R1-4", month) for month in ("2021-01", "2021-02")] == [100, 25]
    line = bench.line("R1-4", "2021-T1")
    assert (line["value"], line["numerator"], line["denominator"]) == (40, 2, 5)  # not 62.5, the mean of the months


def test_a_percentage_or_an_average_of_nothing_is_not_known(bench: Bench) -> None:
    bench.give(
        {
            "marts.fct_visite": [visit(1, "2021-01-10", "d1", sexe="nr")],
            "marts.fct_suivi": [follow_up(1, "2021-01-11", "d1")],
        }
    )
    bench.compute()
    for code in ("R1-4", "R1-5", "OC1-1", "OC1-2"):
        assert bench.value(code, "2021-01") is None  # neither 0 nor infinity
    assert db.scalar(bench.connection, "select count(*) from indicators.valeur where not isfinite(valeur)") == 0


def test_parts_and_unknown_make_the_total(bench: Bench) -> None:
    rows = [visit(1, "2021-01-10", "d1", sexe="femme"), visit(2, "2021-01-10", "d2"), visit(3, "2021-01-11")]
    visits(bench, *rows)
    assert bench.parts("R1-2", "2021-01", "sexe", cumul="cumulatif") == {"femme": 1, UNKNOWN: 2}
    assert bench.parts("R1-3", "2021-01", "sexe", cumul="cumulatif") == {"femme": 1, UNKNOWN: 1}
    assert bench.parts("R1-2", "2021-01", "vulnerabilites", cumul="cumulatif") == {}


def test_the_unknown_part_is_shown_even_when_nobody_is_in_it(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10", "d1", sexe="femme"))
    assert bench.parts("R1-2", "2021-01", "sexe", cumul="cumulatif") == {"femme": 1, UNKNOWN: 0}


def test_the_parts_of_a_list_may_exceed_the_total(bench: Bench) -> None:
    rows = [
        visit(1, "2021-01-10", services=["retraite", "foncier", "retraite"]),
        visit(2, "2021-01-10", services=[]),
        visit(3, "2021-01-10"),
    ]
    visits(bench, *rows)
    parts = bench.parts("R1-2", "2021-01", "service", cumul="cumulatif")
    assert parts == {"retraite": 1, "foncier": 1, UNKNOWN: 2}
    assert bench.value("R1-2", "2021-01") == 3


def test_zero_is_said_only_where_an_office_was_reporting(bench: Bench) -> None:
    rows = {
        "marts.fct_visite": [visit(1, "2020-12-10", sexe="femme")],
        "marts.fct_suivi": [follow_up(1, "2021-01-10", "d1")],
    }
    bench.give(rows)
    bench.compute("R1-2", "R1-3")
    months = ("2020-11", "2020-12", "2021-01", "2021-02")
    assert [bench.value("R1-2", month, cumul="periode") for month in months] == [None, 1, 0, None]
    assert [bench.value("R1-2", month) for month in months] == [None, 1, 1, 1]
    assert [bench.value("R1-2", month, sexe="femme", cumul="periode") for month in months] == [None, 1, 0, None]
    assert [bench.value("R1-2", month, sexe=UNKNOWN) for month in months] == [None, 0, 0, 0]  # it does not forget
    assert [bench.value("R1-3", month) for month in months] == [None, 0, 0, 0]
    assert [bench.line("R1-2", month)["reporting"] for month in months] == [0, 1, 1, 0]


def test_an_office_that_registered_nothing_is_not_known_to_have_received_nobody(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10", bureau_code="TIZ01"), visit(2, "2021-02-10", bureau_code="TIZ02"))
    months = ("2021-01", "2021-02", "2021-03")
    assert [bench.value("R1-2", month, cumul="periode", bureau="TIZ02") for month in months] == [None, 1, None]
    assert [bench.value("R1-2", month, bureau="TIZ02") for month in months] == [None, 1, 1]
    assert [bench.value("R1-2", month, cumul="periode", bureau=UNKNOWN) for month in months] == [0, 0, None]


def test_of_two_visits_on_one_day_the_last_received_speaks_for_the_person_everywhere(bench: Bench) -> None:
    first = visit(1, "2021-01-10", "d1", sexe="homme", submitted_at="2021-01-10 10:00:00")
    corrected = visit(2, "2021-01-10", "d1", sexe="femme", submitted_at="2021-01-10 11:00:00")
    visits(bench, corrected, first)
    assert bench.value("R1-4", "2021-01") == 100  # not 0: R1-3 counts a woman
    assert bench.parts("R1-3", "2021-01", "sexe", cumul="cumulatif") == {"femme": 1, UNKNOWN: 0}


def test_completeness_counts_the_offices_expected_by_then(bench: Bench) -> None:
    bench.give(
        {
            "marts.dim_bureau": [{"bureau_code": "A"}, {"bureau_code": "B", "attendu_depuis_date": "2021-02-01"}],
            "marts.fct_visite": [visit(1, "2021-01-10")],
        }
    )
    bench.compute("R1-2")
    assert [bench.line("R1-2", month)["expected"] for month in ("2021-01", "2021-02")] == [1, 2]


def test_the_day_of_the_visit_decides_and_a_period_ends_before_the_next_begins(bench: Bench) -> None:
    days = ["2020-09-30", "2020-10-01", "2020-12-31", "2021-01-01", "2023-12-31", "2024-01-01"]
    visits(bench, *(visit(n, day, submitted_at="2021-06-01 00:00:00") for n, day in enumerate(days)))
    wanted = ("2020-10", "2020-12", "2020-T4", "2020-S2", "2021-01", "2023-12", "projet")
    found = [bench.value("R1-2", period, cumul="periode") for period in wanted]
    assert found == [1, 1, 2, 2, 1, 1, 4]
    assert bench.value("R1-2", "projet") == 4


def test_a_period_to_come_is_not_there(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10"), visit(2, "2021-03-10"), today=date(2021, 2, 15))
    assert db.scalar(bench.connection, "select max(debut_date) from indicators.valeur") == date(2021, 2, 1)
    assert bench.value("R1-2", "projet") == 1  # a visit dated after today waits


def test_a_delay_still_running_is_not_judged(bench: Bench) -> None:
    rows = [visit(1, "2021-01-01", "d1"), visit(2, "2021-01-10", "d2")]
    referred = [{**row, "service": "retraite", "reponse": "oriente"} for row in rows]
    columns = ("visite_id", "dossier_uuid", "date_visite", "bureau_code", "service", "reponse")
    bench.give(
        {"marts.fct_visite": rows, "marts.fct_orientation": [{name: row[name] for name in columns} for row in referred]}
    )
    bench.compute("R1-5", "OC1-1", today=date(2021, 2, 8))
    assert bench.line("R1-5", "2021-02")["denominator"] == 0  # d2 has until the ninth
    bench.compute("R1-5", "OC1-1", today=date(2021, 2, 9))
    assert bench.line("R1-5", "2021-02")["denominator"] == 1
    assert bench.value("OC1-1", "A1") is None
    bench.compute("R1-5", "OC1-1", today=date(2021, 3, 2))
    assert bench.line("OC1-1", "A1")["denominator"] == 1


def test_a_person_whose_category_changed_has_the_latest_of_the_period(bench: Bench) -> None:
    rows = [visit(1, "2021-01-10", "d1", cat_migrant="mre"), visit(2, "2021-02-10", "d1", cat_migrant="mre_retour")]
    visits(bench, *rows)
    assert bench.parts("R1-3", "2021-01", "categorie", cumul="cumulatif") == {"mre": 1, "mre_retour": 0, UNKNOWN: 0}
    assert bench.parts("R1-3", "2021-02", "categorie", cumul="cumulatif") == {"mre": 0, "mre_retour": 1, UNKNOWN: 0}
    assert bench.value("R1-3", "2021-02") == 1  # the parts are not 2


def test_the_same_rows_in_another_order_give_the_same_values(bench: Bench) -> None:
    rows = [visit(n, "2021-01-10", "d1", sexe=sexe) for n, sexe in enumerate(("femme", "homme", "femme"))]
    found = []
    for order in (rows, rows[::-1]):
        visits(bench, *order)
        found.append(db.rows(bench.connection, "from indicators.valeur order by all"))
    assert found[0] == found[1]


def test_an_interrupted_computation_leaves_the_former_values(
    bench: Bench, declared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visits(bench, visit(1, "2021-01-10"))
    query = logframe.query
    monkeypatch.setattr(logframe, "query", lambda one, _folder=None: query(one, declared))
    (declared / "indicators" / "R1-4.sql").write_text("select nul from marts.fct_visite")
    with pytest.raises(IndicatorError):
        visits(bench, visit(1, "2021-01-10"), visit(2, "2021-01-11"))
    assert bench.value("R1-2", "2021-01") == 1


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select disparue from marts.fct_visite", "IND-010 · R1-4.sql.*disparue"),
        (
            "select visite_id as unit_id, sexe from marts.fct_visite",
            "IND-011 · R1-4.sql: .*bureau, event_date",
        ),
        ("select * from staging.tpm_visite", "WH-012 · R1-4.sql.*staging.tpm_visite"),
    ],
)
def test_a_query_that_is_wrong_is_named(
    bench: Bench, declared: Path, monkeypatch: pytest.MonkeyPatch, sql: str, message: str
) -> None:
    (declared / "indicators" / "R1-4.sql").write_text(sql)
    query = logframe.query
    monkeypatch.setattr(logframe, "query", lambda one, _folder=None: query(one, declared))
    with pytest.raises(TpmError, match=message):
        bench.compute("R1-4")


def test_the_declarations_travel_with_the_values(bench: Bench) -> None:
    bench.compute()
    found = db.rows(bench.connection, "select code, cumul, resultat, reference from indicators.indicateur order by 1")
    assert found[0] == {"code": "IMP-1", "cumul": "dernier", "resultat": "OG", "reference": 5}
    assert [row["code"] for row in found] == [one.code for one in bench.framework.indicators]


def test_a_framework_without_indicators_computes_nothing(bench: Bench) -> None:
    bench.compute("none")
    assert db.scalar(bench.connection, "select count(*) from indicators.valeur") == 0


def changed_indicator(framework: Logframe, code: str, **changes: Any) -> Logframe:
    """The framework with one declaration changed."""
    kept = tuple(
        logframe.Indicator.model_validate({**one.model_dump(), **changes}) if one.code == code else one
        for one in framework.indicators
    )
    return framework.model_copy(update={"indicators": kept})


def test_a_numerator_is_never_more_than_its_denominator(bench: Bench) -> None:
    rows = [visit(n, f"2021-01-{n + 1:02}", f"d{n % 7}", sexe="femme" if n % 3 else "homme") for n in range(25)]
    columns = {"service": "retraite", "reponse": "oriente"}
    referred = [
        {k: row[k] for k in ("visite_id", "dossier_uuid", "date_visite", "bureau_code")} | columns for row in rows
    ]
    issues = [
        {
            "suivi_id": f"s{n}",
            "rang": 1,
            "dossier_uuid": f"d{n % 9}",
            "date_suivi": "2021-03-01",
            "service": "retraite",
            "issue": "obtenu",
        }
        for n in range(20)
    ]
    bench.give({"marts.fct_visite": rows, "marts.fct_orientation": referred, "marts.fct_issue": issues})
    bench.compute("R1-4", "R1-5", "OC1-1")
    found = "select max(numerateur / nullif(denominateur, 0)), max(denominateur) from indicators.valeur"
    ((share, most),) = bench.connection.execute(found).fetchall()
    assert share <= 1
    assert most == 7
