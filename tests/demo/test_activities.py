from collections import defaultdict
from itertools import pairwise

import pytest

from tests.demo.rows import of
from tpm_pipeline.demo import activities, places
from tpm_pipeline.demo.cases import Answers, Event


@pytest.fixture
def courses(events: list[Event]) -> dict[str, list[Answers]]:
    found: defaultdict[str, list[Answers]] = defaultdict(list)
    for answers in of(events, activities.FORM, objet="activite"):
        found[str(answers["activite"])].append(answers)
    return {code: sorted(sheets, key=lambda sheet: str(sheet["periode"])) for code, sheets in found.items()}


def test_every_activity_has_one_sheet_a_month_while_it_is_open(courses: dict[str, list[Answers]]) -> None:
    assert set(courses) == {row["name"] for row in places.rows("activites")} == set(activities.STARTS)
    for code, sheets in courses.items():
        months = [str(sheet["periode"]) for sheet in sheets]
        last = places.months(activities.STARTS[code], places.END)[: len(months)]
        assert months == [month.isoformat() for month in last]


def test_progress_never_falls_and_moves_in_steps_of_five(courses: dict[str, list[Answers]]) -> None:
    for sheets in courses.values():
        steps = [int(str(sheet["avancement"])) for sheet in sheets]
        assert steps == sorted(steps)
        assert all(step % 5 == 0 for step in steps)


def test_all_are_completed_but_one_that_is_cancelled(courses: dict[str, list[Answers]]) -> None:
    ends = {code: str(sheets[-1]["statut"]) for code, sheets in courses.items()}
    assert [code for code, state in ends.items() if state == "annulee"] == list(activities.CANCELLED)
    assert set(ends.values()) == {"realisee", "annulee"}
    for sheets in courses.values():
        assert all(sheet["statut"] not in {"realisee", "annulee"} for sheet in sheets[:-1])


def test_the_state_agrees_with_the_progress(courses: dict[str, list[Answers]]) -> None:
    for sheet in (sheet for sheets in courses.values() for sheet in sheets):
        assert (
            (sheet["statut"] == "realisee") == (sheet["avancement"] == "100") == (sheet["date_fin_reelle"] is not None)
        )
        assert (sheet["statut"] == "planifiee") <= (sheet["avancement"] == "0")


def test_nothing_moves_while_an_activity_is_put_off(courses: dict[str, list[Answers]]) -> None:
    pairs = [pair for sheets in courses.values() for pair in pairwise(sheets) if pair[1]["statut"] == "reportee"]
    assert pairs
    assert all(before["avancement"] == after["avancement"] for before, after in pairs)


def test_a_delay_has_a_reason_and_measures(courses: dict[str, list[Answers]]) -> None:
    delayed = [sheet for sheets in courses.values() for sheet in sheets if sheet["motif"] != "aucun"]
    assert 20 < len(delayed) < 250
    assert all(sheet["mesures"] for sheet in delayed)
    late = [sheets[-1] for sheets in courses.values() if str(sheets[-1]["periode"]) > str(sheets[-1]["act_fin_prevue"])]
    assert late


def test_vouchers_that_conform_are_some_of_those_expected(courses: dict[str, list[Answers]]) -> None:
    for sheet in (sheet for sheets in courses.values() for sheet in sheets):
        assert 0 <= int(str(sheet["pieces_ok"])) <= int(str(sheet["pieces_total"]))
