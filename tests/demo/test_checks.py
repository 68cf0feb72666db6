from collections import Counter, defaultdict

import pytest

from tests.demo.rows import of
from tpm_pipeline.demo import checks, places
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.weights import OFFICES


@pytest.fixture
def found(events: list[Event]) -> dict[str, list[Answers]]:
    offices: defaultdict[str, list[Answers]] = defaultdict(list)
    for answers in of(events, checks.FORM):
        offices[str(answers["bureau_code"])].append(answers)
    return offices


def test_an_office_is_prepared_then_at_work(found: dict[str, list[Answers]]) -> None:
    assert set(found) == set(places.offices())
    for office in OFFICES:
        for each in found[office.code]:
            being_prepared = str(each["date_controle"]) < office.opened.isoformat()
            assert (each["statut"] == "projet") == being_prepared == (each["date_ouverture"] is None)


def test_the_office_that_closes_is_found_closed_that_day_and_not_checked_again(found: dict[str, list[Answers]]) -> None:
    closing = {office.code for office in OFFICES if office.ends}
    assert len(closing) == 1
    assert [found[office.code][-1]["date_controle"] for office in OFFICES if office.ends] == ["2023-02-06"]
    for code, sheets in found.items():
        assert [sheet["statut"] for sheet in sheets].count("ferme") == (code in closing)
        assert (sheets[-1]["statut"] == "ferme") == (code in closing)


def test_an_office_away_for_a_while_is_suspended(found: dict[str, list[Answers]]) -> None:
    assert [sheet["date_controle"] for sheet in found["TAR01"] if sheet["statut"] == "suspendu"]


def test_the_score_is_the_criteria_weighed(found: dict[str, list[Answers]]) -> None:
    assert sum(checks.SCORES.values()) == 100
    for each in (sheet for sheets in found.values() for sheet in sheets):
        points = sum(weight for name, weight in checks.SCORES.items() if each[name] == "oui")
        assert each["score"] == str(points)


def test_scores_rise(found: dict[str, list[Answers]]) -> None:
    at_work = [
        [int(str(sheet["score"])) for sheet in sheets if sheet["statut"] == "actif"] for sheets in found.values()
    ]
    assert all(scores[0] <= scores[-1] for scores in at_work)


def test_no_more_people_are_trained_than_work_there(found: dict[str, list[Answers]]) -> None:
    for each in (sheet for sheets in found.values() for sheet in sheets):
        assert int(str(each["nb_formes"])) <= int(str(each["nb_agents_f"])) + int(str(each["nb_agents_h"]))


def test_a_check_updates_the_list_the_last_one_left(events: list[Event]) -> None:
    versions: Counter[str] = Counter()
    for event in events:
        if event.form_id == checks.FORM and event.entity:
            versions[event.entity.id] += 1
            assert event.entity.base_version == str(versions[event.entity.id])
