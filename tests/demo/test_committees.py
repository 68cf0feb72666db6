import re
from datetime import date

import pytest

from tests.demo.rows import of, rows
from tpm_pipeline.demo import committees
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.committees import Decision
from tpm_pipeline.demo.dice import Dice


@pytest.fixture
def meetings(events: list[Event]) -> list[Answers]:
    return of(events, committees.FORM)


def held(meetings: list[Answers]) -> list[Answers]:
    return sorted((each for each in meetings if each["tenue"] == "oui"), key=lambda each: str(each["date_tenue"]))


def test_every_meeting_has_a_code_of_its_own(meetings: list[Answers]) -> None:
    codes = [str(each["code_comite"]) for each in meetings]
    assert len(set(codes)) == len(codes) > 60
    assert all(re.fullmatch(r"COM-2[0-3]\d\d", code) for code in codes)


def test_the_team_meets_every_month_and_the_steering_committee_twice_a_year(meetings: list[Answers]) -> None:
    kinds = [each["type_comite"] for each in meetings]
    assert (kinds.count("equipe"), kinds.count("suivi"), kinds.count("pilotage")) == (39, 13, 6)


def test_some_meetings_are_late_and_some_are_put_off(meetings: list[Answers]) -> None:
    late = [
        (date.fromisoformat(str(each["date_tenue"])) - date.fromisoformat(str(each["date_prevue"]))).days > 7
        for each in held(meetings)
    ]
    assert 2 < sum(late) < len(late) / 3
    put_off = [each for each in meetings if each["tenue"] == "non"]
    assert 2 < len(put_off) < len(meetings) / 4
    assert all(each["motif"] and each["decisions"] is each["date_tenue"] is None for each in put_off)


def test_a_decision_that_is_followed_was_taken_before(meetings: list[Answers]) -> None:
    taken: set[object] = set()
    followed: set[object] = set()
    for each in held(meetings):
        codes = {row["s_code"] for row in rows(each, "suivi_decisions")}
        assert codes <= taken
        followed |= codes
        taken |= {row["d_code"] for row in rows(each, "decisions")}
    assert len(followed) > 0.9 * len(taken) > 80


def test_a_decision_belongs_to_its_meeting(meetings: list[Answers]) -> None:
    for each in held(meetings):
        decided = rows(each, "decisions")
        assert each["nb_decisions"] == str(len(decided))
        assert each["nb_suivi"] == str(len(rows(each, "suivi_decisions")))
        expected = [f"{each['code_comite']}-{rank:02}" for rank in range(1, len(decided) + 1)]
        assert [row["d_code"] for row in decided] == expected
        assert all(str(row["d_echeance"]) >= str(each["date_tenue"]) for row in decided)


def test_what_is_done_or_cancelled_is_not_looked_at_again(meetings: list[Answers]) -> None:
    over: set[object] = set()
    for each in held(meetings):
        for row in rows(each, "suivi_decisions"):
            assert row["s_code"] not in over
            assert (row["s_date"] is not None) == (row["s_statut"] == "faite")
            assert str(row["s_date"] or "") <= str(each["date_tenue"])
            if row["s_statut"] in {"faite", "annulee"}:
                over.add(row["s_code"])
    assert over


def test_decisions_end_in_every_way(meetings: list[Answers]) -> None:
    states = {row["s_statut"] for each in held(meetings) for row in rows(each, "suivi_decisions")}
    assert states == {"faite", "en_cours", "non_faite", "annulee"}


def test_a_decision_is_under_way_until_its_day_then_late() -> None:
    decision = Decision("COM-2101-01", due=date(2021, 3, 1), done=date(2021, 4, 1), cancelled=False)
    days = (date(2021, 3, 1), date(2021, 3, 2), date(2021, 4, 1))
    assert [decision.state(day)["s_statut"] for day in days] == ["en_cours", "non_faite", "faite"]


def test_the_calendar_is_in_order() -> None:
    planned = [meeting.planned for meeting in committees.calendar(Dice(5))]
    assert planned == sorted(planned)
