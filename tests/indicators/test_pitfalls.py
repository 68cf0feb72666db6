"""The thirteen pitfalls of indicators: the right figure, and the wrong one that a simpler computation gives."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.indicators.conftest import Bench
from tests.warehouse.lab import Lab
from tests.warehouse.lab import Row as Sent
from tpm_pipeline.indicators import calendar, logframe
from tpm_pipeline.indicators.declared import UNKNOWN
from tpm_pipeline.indicators.logframe import Indicator, Logframe
from tpm_pipeline.publications import suppression
from tpm_pipeline.warehouse import db, raw

Row = dict[str, Any]
QUARTER = ("2021-01", "2021-02", "2021-03")


def visit(number: int, day: str, case: str | None = None, **more: Any) -> Row:
    consent = "oui" if case else "non"
    known = {"visite_id": f"v{number}", "date_visite": day, "dossier_uuid": case, "consent_dossier": consent}
    return {**known, "bureau_code": "TIZ01", **more}


def rating(number: int, day: str, mark: int) -> Row:
    return {"suivi_id": f"s{number}", "date_suivi": day, "bureau_code": "TIZ01", "sat_bureau": mark}


def visits(bench: Bench, *rows: Row, today: date = date(2030, 1, 1)) -> None:
    bench.give({"marts.fct_visite": rows})
    bench.compute("R1-2", "R1-3", "R1-4", today=today)


def values(bench: Bench, code: str, *periods: str, cumul: str | None = None, **part: str) -> list[Any]:
    return [bench.value(code, period, cumul=cumul, **part) for period in periods]


def changed(framework: Logframe, code: str, **changes: Any) -> Logframe:
    kept = tuple(
        Indicator.model_validate({**one.model_dump(), **changes}) for one in framework.indicators if one.code == code
    )
    return framework.model_copy(update={"indicators": kept})


def test_1_persons_are_not_visits_and_do_not_add_up_over_months_or_offices(bench: Bench) -> None:
    back = [visit(2, "2021-02-10", "d1", bureau_code="CHT01"), visit(3, "2021-03-10", "d1")]
    visits(bench, visit(1, "2021-01-10", "d1"), *back, visit(4, "2021-03-11", "d2"))
    right = bench.value("R1-3", "2021-T1", cumul="periode")
    by_month = sum(values(bench, "R1-3", *QUARTER, cumul="periode"))
    by_office = db.scalar(
        bench.connection,
        "select sum(n) from (select count(distinct dossier_uuid) as n from marts.fct_visite group by bureau_code)",
    )
    assert right == 2
    assert (by_month, by_office, bench.value("R1-2", "2021-T1", cumul="periode")) == (4, 3, 4)


def test_1_persons_seen_for_the_first_time_do_add_up(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10", "d1"), visit(2, "2021-02-10", "d1"), visit(3, "2021-03-11", "d2"))
    running = values(bench, "R1-3", "2020-12", *QUARTER)
    new = [after - (before or 0) for before, after in pairwise(running)]
    assert new == [1, 0, 1]
    assert sum(new) == bench.value("R1-3", "2021-T1")
    assert values(bench, "R1-3", *QUARTER, cumul="periode") == [1, 1, 1]  # wrong: three, were they added


def test_2_without_an_identifier_a_visit_is_no_person_and_is_not_dropped(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10", "d1"), *(visit(n, "2021-01-10", consent_dossier="oui") for n in (2, 3, 4)))
    line = bench.line("R1-3", "2021-01")
    assert (line["value"], line["without_id"]) == (1, 3)
    as_one = db.scalar(bench.connection, "select count(distinct coalesce(dossier_uuid, '')) from marts.fct_visite")
    as_many = db.scalar(
        bench.connection, "select count(distinct coalesce(dossier_uuid, visite_id)) from marts.fct_visite"
    )
    assert (as_one, as_many) == (2, 4)  # wrong: all the nulls one person, or each of them one


def test_3_the_total_of_a_running_total_is_its_last_value(bench: Bench) -> None:
    visits(bench, visit(1, "2020-10-05"), visit(2, "2021-11-05"), visit(3, "2022-11-05"))
    years = values(bench, "R1-2", "A1", "A2", "A3")
    assert bench.value("R1-2", "projet") == years[-1] == 3
    assert sum(years) == 6  # wrong: running totals added
    assert values(bench, "R1-2", "A1", "A2", "A3", cumul="periode") == [1, 1, 1]
    year = bench.line("R1-2", "A2")
    assert (year["target"], bench.line("R1-2", "A2", cumul="periode")["target"]) == (1700, None)  # like with like


def test_4_progress_starts_at_the_baseline_and_may_go_down(bench: Bench) -> None:
    falling = changed(
        bench.framework,
        "R1-2",
        direction="decrease",
        baseline={"value": 100, "date": "2020-10-01", "source": "Enquête"},
        targets={"A1": 96, "A2": 100},
    )
    bench.give({"marts.fct_visite": [visit(n, "2020-10-05") for n in range(98)]})
    bench.compute(framework=falling)
    first = bench.line("R1-2", "A1")
    assert first["progress"] == pytest.approx(0.5)
    assert first["value"] / first["target"] > 1  # wrong: half the way would look done
    assert bench.line("R1-2", "A2")["progress"] is None  # the target is the baseline: neither 0 nor infinity


def test_4_progress_is_stored_uncapped_and_judged_against_what_is_due_by_now(bench: Bench) -> None:
    visits(bench, *(visit(n, "2020-10-05") for n in range(250)), today=date(2021, 3, 31))
    year = bench.line("R1-2", "A1")
    assert year["due"] == pytest.approx(500 * 182 / 365)
    assert year["value"] > year["due"]
    assert year["value"] < 0.9 * year["target"]  # wrong: half-way through the year, it would look late
    beyond = changed(bench.framework, "R1-2", targets={"A1": 100})
    bench.compute(framework=beyond)
    assert bench.line("R1-2", "A1")["progress"] == 2.5  # wrong: 1, were it capped


def test_5_an_absent_baseline_is_not_zero(bench: Bench) -> None:
    visits(bench, visit(1, "2020-10-05", "d1", sexe="femme"), visit(2, "2020-10-05", "d2", sexe="homme"))
    line = bench.line("R1-4", "A1")
    assert (line["value"], line["target"], line["progress"]) == (50, 35, None)
    assert (line["value"] - 0) / (line["target"] - 0) == pytest.approx(1.43, abs=0.01)  # wrong: progress from nowhere


def test_6_a_percentage_is_the_ratio_of_its_sums(bench: Bench) -> None:
    few = visit(0, "2021-01-10", "d0", sexe="femme")
    many = [visit(n, "2021-02-10", f"d{n}", sexe="femme" if n == 1 else "homme") for n in range(1, 5)]
    visits(bench, few, *many)
    line = bench.line("R1-4", "2021-T1")
    assert (line["value"], line["numerator"], line["denominator"]) == (40, 2, 5)
    months = values(bench, "R1-4", *QUARTER[:2])
    assert sum(months) / len(months) == 62.5  # wrong: the mean of the months
    assert bench.value("R1-4", "2021-03") is None  # wrong: 0 of 0 is not 0 %


def test_7_an_average_keeps_its_sum_and_its_count(bench: Bench) -> None:
    bench.give({"marts.fct_suivi": [rating(1, "2021-01-10", 5), *(rating(n, "2021-02-10", 2) for n in (2, 3))]})
    bench.compute("OC1-2")
    line = bench.line("OC1-2", "2021-T1")
    assert (line["value"], line["numerator"], line["denominator"]) == (3, 9, 3)
    months = values(bench, "OC1-2", *QUARTER[:2])
    assert sum(months) / len(months) == 3.5  # wrong: the mean of the months


def test_8_exclusive_parts_and_the_unknown_make_the_total(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10", sexe="femme"), visit(2, "2021-01-10"), visit(3, "2021-01-11"))
    parts = bench.parts("R1-2", "2021-01", "sexe", cumul="cumulatif")
    assert parts == {"femme": 1, UNKNOWN: 2}
    assert sum(filter(None, parts.values())) == bench.value("R1-2", "2021-01") == 3
    assert parts["femme"] == 1  # wrong as a total: those who did not answer would be gone


def test_8_the_parts_of_a_list_may_exceed_the_total(bench: Bench) -> None:
    asked = [["retraite", "foncier", "retraite"], ["retraite"], []]
    visits(bench, *(visit(n, "2021-01-10", services=services) for n, services in enumerate(asked)))
    parts = bench.parts("R1-2", "2021-01", "service", cumul="cumulatif")
    assert parts == {"retraite": 2, "foncier": 1, UNKNOWN: 1}
    assert bench.value("R1-2", "2021-01") == 3
    assert sum(filter(None, parts.values())) == 4  # wrong as a total: the parts added


def test_8_a_person_whose_attribute_changed_is_in_one_part(bench: Bench) -> None:
    former, latest = (
        visit(n, f"2021-0{n}-10", "d1", cat_migrant=known) for n, known in ((1, "mre"), (2, "mre_retour"))
    )
    visits(bench, former, latest)
    parts = bench.parts("R1-3", "2021-02", "categorie", cumul="cumulatif")
    assert parts == {"mre": 0, "mre_retour": 1, UNKNOWN: 0}
    naive = "select count(*) from (select distinct dossier_uuid, cat_migrant from marts.fct_visite)"
    assert db.scalar(bench.connection, naive) == 2  # wrong: one person in two parts


def test_9_zero_is_not_missing(bench: Bench) -> None:
    follow_up = {"suivi_id": "s1", "date_suivi": "2021-02-10", "bureau_code": "TIZ01"}
    bench.give({"marts.fct_visite": [visit(1, "2021-01-10")], "marts.fct_suivi": [follow_up]})
    bench.compute("R1-2", today=date(2021, 4, 15))
    assert values(bench, "R1-2", *QUARTER, cumul="periode") == [1, 0, None]
    as_counted = [
        db.scalar(bench.connection, f"select count(*) from marts.fct_visite where date_visite >= '{month}-01'")
        for month in QUARTER[1:]
    ]
    assert as_counted == [0, 0]  # wrong: a silent month would have had nobody
    lines = [bench.line("R1-2", month) for month in QUARTER]
    assert [line["reporting"] for line in lines] == [1, 1, 0]
    assert all(line["expected"] > line["reporting"] for line in lines)
    assert bench.value("R1-2", "2021-05") is None  # a month to come is not there


def test_10_the_day_of_the_visit_decides_and_periods_are_half_open(bench: Bench) -> None:
    days = ["2020-09-30", "2020-10-01", "2021-01-31", "2021-02-01", "2024-01-01"]
    visits(bench, *(visit(n, day, submitted_at="2021-06-01 00:00:00") for n, day in enumerate(days)))
    assert values(bench, "R1-2", "2020-10", "2021-01", "2021-02", "2021-06", cumul="periode") == [1, 1, 1, None]
    received = "select count(*) from marts.fct_visite where submitted_at >= '2021-06-01'"
    closed = "select count(*) from marts.fct_visite where date_visite between '2021-01-01' and '2021-02-01'"
    assert db.scalar(bench.connection, received) == 5  # wrong: all of them in the month they were sent
    assert db.scalar(bench.connection, closed) == 2  # wrong: the first day of February in January
    assert bench.value("R1-2", "projet") == 3  # neither before the project nor after it


def test_10_the_day_is_that_of_moroccos_pinned_clock() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert late.astimezone(calendar.MOROCCO).date() == date(2026, 11, 20)
    as_before_september = timezone(timedelta(hours=1))
    assert late.astimezone(as_before_september).date() == date(2026, 11, 21)  # wrong: the next day, the next period


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with db.memory() as connection:
        raw.create(connection)
        yield Lab(connection, tmp_path)


def test_11_late_answers_change_an_old_period_and_raw_still_tells_what_was_known(lab: Lab) -> None:
    sent = Sent("uuid:1", {"date_visite": "2021-01-10"})
    lab.store(sent)
    (reported,) = lab.column("select max(observed_at) from raw.submission")
    late = replace(sent, submission_id="uuid:2", submitted="2021-07-01T10:00:00.000Z")
    moved = replace(sent, answers={"date_visite": "2021-02-10"}, instance_id="uuid:3")
    lab.store(late, moved)
    by_month = "select json_extract_string(payload, '$.date_visite')[:7] as month, count(*) as n from {} group by 1"
    assert lab.rows(by_month.format("raw.as_of(?::timestamp)"), reported) == [{"month": "2021-01", "n": 1}]
    now = {row["month"]: row["n"] for row in lab.rows(by_month.format("raw.current"))}
    assert now == {"2021-01": 1, "2021-02": 1}
    # Wrong: January has one visit then and now, but not the same: only the versions kept tell late from edited.
    assert len(lab.column("select payload from raw.submission")) == 3


def test_11_an_old_period_is_recomputed_when_a_visit_arrives_late(bench: Bench) -> None:
    visits(bench, visit(1, "2021-01-10"))
    reported = bench.value("R1-2", "2021-01")
    visits(bench, visit(1, "2021-01-10"), visit(2, "2021-01-11", submitted_at="2021-07-01 10:00:00"))
    assert (reported, bench.value("R1-2", "2021-01")) == (1, 2)
    assert bench.value("R1-2", "2021-07", cumul="periode") is None  # wrong: the month in which it came


def test_12_two_versions_of_a_definition_stand_side_by_side_where_both_are_valid(
    bench: Bench, declared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = declared / "indicators"
    text = (folder / "R1-2.yml").read_text(encoding="utf-8").replace("valid_from: 2020-10-01", "valid_from: 2021-02-01")
    old = text.replace("code: R1-2", "code: R1-2.v1").replace(
        "valid_from: 2021-02-01", "valid_from: 2020-10-01\nvalid_to: 2021-03-01"
    )
    (folder / "R1-2.yml").write_text(text.replace("version: 1", "version: 2", 1), encoding="utf-8")
    (folder / "R1-2.v1.yml").write_text(old, encoding="utf-8")
    query = (folder / "R1-2.sql").read_text(encoding="utf-8")
    (folder / "R1-2.v1.sql").write_text(f"{query}where consent_dossier = 'oui'\n", encoding="utf-8")
    read = logframe.query
    monkeypatch.setattr(logframe, "query", lambda one, _folder=None: read(one, declared))
    framework = logframe.read(declared)
    bench.give({"marts.fct_visite": [visit(n, f"{month}-10", None) for n, month in enumerate(QUARTER)]})
    bench.compute("R1-2", "R1-2.v1", framework=framework)
    cells = db.rows(
        bench.connection,
        "select code, periode, valeur from indicators.valeur where valeur is not null"
        " and (type_periode, dimension, cumul) = ('mois', 'total', 'periode')",
    )
    found = {(row["code"], row["periode"]): row["valeur"] for row in cells}
    assert found == {
        ("R1-2.v1", "2021-01"): 0,
        ("R1-2.v1", "2021-02"): 0,
        ("R1-2", "2021-02"): 1,
        ("R1-2", "2021-03"): 1,
    }
    # Wrong: one series 0, 1, 1 would show growth where only the definition changed.


def test_13_what_is_hidden_does_not_come_back_by_subtraction() -> None:
    total, parts, threshold = 40, [3, 9, 28], 5
    own = {index for index, count in enumerate(parts) if suppression.is_small(count, threshold)}
    assert total - sum(count for index, count in enumerate(parts) if index not in own) == 3  # wrong: it is back
    hidden = suppression.protected([(count,) for count in parts], threshold)
    shown = sum(count for index, count in enumerate(parts) if index not in hidden)
    assert hidden == {0, 1}
    assert total - shown == 12


def test_13_two_points_of_a_running_total_do_not_tell_a_small_month() -> None:
    running, threshold = [20, 22, 30], 5
    assert not any(suppression.is_small(count, threshold) for count in running)
    assert running[1] - running[0] == 2  # wrong: each may be shown, their difference may not
    hidden = suppression.thinned(running, threshold)
    shown = [count for index, count in enumerate(running) if index not in hidden]
    assert all(not suppression.is_small(after - before, threshold) for before, after in pairwise(shown))


def test_13_a_percentage_hides_both_of_its_groups() -> None:
    numerator, denominator, threshold = 97, 100, 5
    assert not suppression.is_hidden((numerator, denominator), threshold)  # wrong: three others would be told
    assert suppression.is_hidden((numerator, denominator, denominator - numerator), threshold)
