import re
from collections import Counter, defaultdict
from datetime import date

import pytest

from tests.demo.rows import of, rows
from tpm_pipeline.demo import consultations, trainings
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.trainings import Person


@pytest.fixture
def programme(events: list[Event]) -> list[Answers]:
    return of(events, trainings.FORM)


def test_twenty_events_have_a_code_each(programme: list[Answers]) -> None:
    codes = [str(each["code_evt"]) for each in programme]
    assert len(set(codes)) == len(codes) == 20
    assert all(re.fullmatch(r"[A-Z]{3}-\d{4}", code) for code in codes)


def test_between_twelve_and_thirty_five_people_are_listed_and_nobody_twice(programme: list[Answers]) -> None:
    for each in (each for each in programme if each["liste"] == "oui"):
        keys = [row["p_cle"] for row in rows(each, "participants")]
        assert 12 <= len(set(keys)) == len(keys) <= 35
        assert each["nb_lignes"] == each["nb_presents"] == str(len(keys))


def test_a_large_public_is_only_counted(programme: list[Answers]) -> None:
    counted = [each for each in programme if each["liste"] == "non"]
    assert {each["type_evt"] for each in counted} == {"conference", "sensibilisation", "evenement"}
    for each in counted:
        assert each["participants"] is None
        assert int(str(each["nb_presents"])) == int(str(each["nb_femmes"])) + int(str(each["nb_hommes"]))


def test_only_a_training_has_marks(programme: list[Answers]) -> None:
    for each in programme:
        for row in rows(each, "participants"):
            assert (row["p_pre"] is not None) == (row["p_post"] is not None) == (each["type_evt"] == "formation")


def test_some_people_come_again_and_remain_who_they_are(programme: list[Answers]) -> None:
    people: defaultdict[object, set[tuple[object, ...]]] = defaultdict(set)
    times: Counter[object] = Counter()
    for each in programme:
        for row in rows(each, "participants"):
            people[row["p_cle"]].add((row["p_sexe"], row["p_acteur"]))
            times[row["p_cle"]] += 1
    assert all(len(said) == 1 for said in people.values())
    assert 40 < sum(count > 1 for count in times.values()) < len(times) / 2


def test_marks_rise(programme: list[Answers]) -> None:
    pairs = [
        (float(str(row["p_pre"])), float(str(row["p_post"])))
        for each in programme
        if each["type_evt"] == "formation"
        for row in rows(each, "participants")
    ]
    assert all(0 <= mark <= 20 for pair in pairs for mark in pair)
    assert 0.25 < sum((after - before) / (20 - before) for before, after in pairs) / len(pairs) < 0.5


def test_a_trainer_has_a_contract(programme: list[Answers]) -> None:
    refs = {each["consultant"] for each in programme} - {""}
    assert refs
    assert refs <= {each.ref for each in consultations.CONSULTANCIES if each.kind == "formation"}


def test_a_person_grows_older() -> None:
    person = Person("AB87-123", "femme", "elu", 1987)
    assert [person.age(date(year, 6, 1)) for year in (2021, 2022)] == ["a25_34", "a35_59"]
