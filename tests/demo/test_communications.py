from datetime import date

import pytest

from tests.demo.rows import of
from tpm_pipeline.demo import communications, sessions
from tpm_pipeline.demo.cases import Answers, Event


@pytest.fixture
def actions(events: list[Event]) -> list[Answers]:
    return of(events, communications.FORM)


def test_a_lesson_is_shared_after_a_session_formulated_it(actions: list[Answers], events: list[Event]) -> None:
    held = [event for event in events if event.form_id == sessions.FORM]
    shared = [each for each in actions if each["partage"] == "oui"]
    assert shared
    for each in shared:
        known = sessions.lessons_by(held, date.fromisoformat(str(each["date_com"])))
        assert all(1 <= int(code.removeprefix("ENS-")) <= known for code in str(each["codes_ens"]).split())


def test_some_lessons_are_taken_up_and_it_is_said_by_whom(actions: list[Answers]) -> None:
    taken_up = [each for each in actions if each.get("repris") == "oui"]
    assert 2 < len(taken_up) < sum(each["partage"] == "oui" for each in actions)
    assert all(each["reprise"] for each in taken_up)


def test_an_action_conforms_when_the_five_rules_are_kept(actions: list[Answers]) -> None:
    rules = ("v_logo_bailleur", "v_logo_part", "v_mention", "v_valid", "v_image")
    for each in actions:
        assert (each["conforme"] == "1") == all(each[rule] == "oui" for rule in rules)
    assert 0.75 < sum(each["conforme"] == "1" for each in actions) / len(actions) < 1


def test_links_lead_nowhere(actions: list[Answers]) -> None:
    assert {each["lien"] for each in actions} == {"", "https://exemple.invalid/demonstration"}
