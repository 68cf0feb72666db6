"""What is behind a value: the same figure, and every submission that speaks in it."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.indicators.conftest import AFTER, Bench
from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.indicators.explain import Explanation, explain
from tpm_pipeline.warehouse import db, raw

VISITS = [
    {"visite_id": "v1", "date_visite": "2021-01-10", "dossier_uuid": "d1", "sexe": "femme", "services": ["retraite"]},
    {"visite_id": "v2", "date_visite": "2021-02-10", "dossier_uuid": "d1", "sexe": "femme", "services": []},
    {"visite_id": "v3", "date_visite": "2021-02-11", "dossier_uuid": "d2", "sexe": "homme", "services": ["foncier"]},
    {"visite_id": "v4", "date_visite": "2021-11-11", "dossier_uuid": "d3", "services": ["foncier", "retraite"]},
]


@pytest.fixture
def filled(bench: Bench) -> Iterator[Bench]:
    rows = [{**row, "consent_dossier": "oui", "bureau_code": "TIZ01"} for row in VISITS]
    bench.give({"marts.fct_visite": rows})
    bench.compute("R1-2", "R1-3", "R1-4")
    raw.create(bench.connection)
    bench.connection.execute(
        "insert into raw.submission (server, form_id, submission_id, observed_at, pull_id)"
        " values ('local', 'tpm_visite', 'v3', '2021-03-01', 1)"
    )
    yield bench
    bench.connection.execute("delete from raw.submission")


def explained(bench: Bench, code: str, period: str | None = None, **where: str) -> Explanation:
    return explain(bench.connection, bench.framework, code, period=period, where=where, today=AFTER)


def days(found: Explanation) -> list[str]:
    return [str(fact.day) for fact in found.facts]


def test_a_running_total_shows_every_fact_since_the_project_began(filled: Bench) -> None:
    found = explained(filled, "R1-2", "2021-02")
    assert found.line is not None
    assert (found.line.value, len(found.facts)) == (3, 3)
    assert days(found) == ["2021-01-10", "2021-02-10", "2021-02-11"]


def test_a_person_is_shown_once_by_the_visit_that_speaks_for_them(filled: Bench) -> None:
    found = explained(filled, "R1-3", "2021-02")
    assert [(fact.unit, str(fact.day)) for fact in found.facts] == [("d1", "2021-02-10"), ("d2", "2021-02-11")]
    assert found.line is not None
    assert found.line.value == 2


def test_what_counts_above_the_line_is_told_from_what_does_not(filled: Bench) -> None:
    found = explained(filled, "R1-4", "2021-02")
    assert [fact.counted for fact in found.facts] == [True, False]
    assert found.line is not None
    assert (found.line.value, found.line.numerator, found.line.denominator) == (50, 1, 2)


def test_a_part_has_its_own_figure_and_its_own_facts(filled: Bench) -> None:
    women = explained(filled, "R1-2", "A1", sexe="femme")
    assert women.line is not None
    assert (women.line.value, days(women)) == (2, ["2021-01-10", "2021-02-10"])
    service = explained(filled, "R1-2", "A2", service="retraite")
    assert service.line is not None
    assert (service.line.value, days(service)) == (2, ["2021-01-10", "2021-11-11"])
    unknown = explained(filled, "R1-2", "A1", service="non_renseigne")
    assert days(unknown) == ["2021-02-10"]


def test_an_allowed_cross_has_a_figure_and_another_only_its_facts(filled: Bench) -> None:
    crossed = explained(filled, "R1-2", "A1", age="non_renseigne", sexe="femme")
    assert crossed.line is not None
    assert (crossed.line.value, len(crossed.facts)) == (2, 2)
    other = explained(filled, "R1-2", "A1", bureau="TIZ01", sexe="femme")
    assert (other.line, len(other.facts)) == (None, 2)


def test_without_a_period_the_latest_reporting_year_is_explained(filled: Bench) -> None:
    assert explained(filled, "r1-2").period.code == "A3"


def test_a_fact_names_the_submission_its_form_and_its_server(filled: Bench) -> None:
    by_id = {fact.submission_id or "": fact for fact in explained(filled, "R1-2", "A1").facts}
    third: Any = by_id.get("v3")
    assert third is not None
    assert (third.form_id, third.server) == ("tpm_visite", "local")


@pytest.mark.parametrize(
    ("code", "period", "where", "said"),
    [
        ("R9-9", None, {}, "IND-040 .*R1-2"),
        ("R1-2", "2021-13", {}, "IND-041 .*2021-T1"),
        ("R1-2", "A1", {"pointure": "42"}, "IND-042 .*sexe"),
        ("R1-2", "A1", {"sexe": "martien"}, "IND-045 .*femme"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    code: str, period: str | None, where: dict[str, str], said: str, filled: Bench
) -> None:
    with pytest.raises(IndicatorError, match=said):
        explained(filled, code, period, **where)


def test_nothing_computed_yet_is_said() -> None:
    with db.memory() as empty, pytest.raises(IndicatorError, match=r"IND-043 .*tpm refresh"):
        explain(empty, None, "R1-2", period=None, where={}, today=AFTER)  # type: ignore[arg-type]
