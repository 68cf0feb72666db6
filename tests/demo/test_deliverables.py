from collections import defaultdict

import pytest

from tests.demo.rows import of
from tpm_pipeline.demo import activities, deliverables
from tpm_pipeline.demo.cases import Answers, Event


@pytest.fixture
def owed(events: list[Event]) -> dict[str, list[Answers]]:
    found: defaultdict[str, list[Answers]] = defaultdict(list)
    for answers in of(events, activities.FORM, objet="livrable"):
        found[str(answers["ref_livrable"])].append(answers)
    return found


def test_a_deliverable_is_not_there_then_is(owed: dict[str, list[Answers]]) -> None:
    assert len(owed) > 30
    for sheets in owed.values():
        handed = [sheet["remis"] for sheet in sheets]
        assert handed in (["oui"], ["non"], ["non", "oui"])
        assert len({(sheet["type_livrable"], sheet["date_due"], sheet["activite"]) for sheet in sheets}) == 1
    assert any(len(sheets) > 1 for sheets in owed.values())


def test_most_come_in_time_some_late(owed: dict[str, list[Answers]]) -> None:
    last = [sheets[-1] for sheets in owed.values()]
    in_time = [each for each in last if each["remis"] == "oui" and str(each["date_remise"]) <= str(each["date_due"])]
    assert 0.7 < len(in_time) / len(last) < 1


def test_every_kind_of_report_is_due(owed: dict[str, list[Answers]]) -> None:
    assert {str(sheets[0]["type_livrable"]) for sheets in owed.values()} == set(deliverables.SERIES)


def test_a_date_is_given_only_with_what_was_handed_over(owed: dict[str, list[Answers]]) -> None:
    for sheet in (sheet for sheets in owed.values() for sheet in sheets):
        assert (sheet["date_remise"] is not None) == (sheet["remis"] == "oui")
