from collections import Counter
from datetime import date

import pytest

from tests.demo.rows import of, rows
from tpm_pipeline.demo import sessions
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.dice import Dice


@pytest.fixture
def held(events: list[Event]) -> list[Answers]:
    return of(events, sessions.FORM)


def test_sixteen_sessions_are_held_and_four_times_something_is_shared_back(held: list[Answers]) -> None:
    assert Counter(each["type_espace"] for each in held) == {"atelier": 8, "groupe_temoin": 8, "restitution": 4}


def test_sessions_of_each_kind_are_numbered_in_their_order(held: list[Answers]) -> None:
    for kind, months in sessions.MONTHS.items():
        own = sorted(
            (str(each["date_seance"]), str(each["num_seance"])) for each in held if each["type_espace"] == kind
        )
        assert [number for _, number in own] == [str(number) for number in range(1, len(months) + 1)]


def test_only_the_witness_group_votes(held: list[Answers]) -> None:
    for each in held:
        votes = [each.get(name) for name in ("score_acces", "score_accueil", "score_participation", "nb_votants")]
        if each["type_espace"] == "groupe_temoin":
            assert all(votes)
            assert int(str(each["nb_votants"])) <= int(str(each["nb_presents"]))
        else:
            assert each["g_scores"] is None
            assert not any(votes)


def test_those_present_add_up(held: list[Answers]) -> None:
    for each in held:
        women, men, abroad, third = (int(str(each[name])) for name in ("nb_femmes", "nb_hommes", "nb_mre", "nb_rpt"))
        assert women + men == int(str(each["nb_presents"])) <= int(str(each["nb_prevus"]))
        assert abroad + third <= women + men


def test_lessons_are_as_many_as_announced(held: list[Answers]) -> None:
    assert all(len(rows(each, "enseignements")) == int(str(each["nb_ens"])) for each in held)


def test_lessons_are_known_from_the_day_after_their_session() -> None:
    filled = list(sessions.events(Dice(1)))
    first = date.fromisoformat(str(filled[0].answers["date_seance"]))

    assert sessions.lessons_by(filled, first) == 0
    assert sessions.lessons_by(filled, date(2021, 4, 1)) == int(str(filled[0].answers["nb_ens"])) > 0
