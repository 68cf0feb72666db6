from collections import defaultdict
from datetime import date
from itertools import pairwise

import pytest

from tests.demo.rows import of
from tpm_pipeline.demo import consultations
from tpm_pipeline.demo.cases import Answers, Event


@pytest.fixture
def stages(events: list[Event]) -> dict[str, list[Answers]]:
    found: defaultdict[str, list[Answers]] = defaultdict(list)
    for answers in of(events, consultations.FORM):
        found[str(answers["ref_tdr"])].append(answers)
    return found


def test_each_consultancy_is_told_two_or_three_times(stages: dict[str, list[Answers]]) -> None:
    assert set(stages) == {each.ref for each in consultations.CONSULTANCIES}
    assert {len(sheets) for sheets in stages.values()} == {2, 3}


def test_a_later_sheet_repeats_what_was_known(stages: dict[str, list[Answers]]) -> None:
    same = ("type_consult", "procedure", "budget", "date_tdr", "date_pub")
    for sheets in stages.values():
        for before, after in pairwise(sheets):
            assert [before[name] for name in same] == [after[name] for name in same]
            assert (before["contrat"], after["contrat"]) != ("oui", "non")


def test_a_consultancy_conforms_when_every_control_does(stages: dict[str, list[Answers]]) -> None:
    flawed = {each.ref for each in consultations.CONSULTANCIES if each.flaw}
    for ref, sheets in stages.items():
        assert (sheets[-1]["conforme"] == "0") == (ref in flawed)
        assert sheets[0]["conforme"] == "0"


def test_a_deliverable_follows_a_contract(stages: dict[str, list[Answers]]) -> None:
    for sheets in stages.values():
        last = sheets[-1]
        if last["contrat"] == "oui":
            assert str(last["date_tdr"]) < str(last["date_contrat"]) < str(last["liv_due"])
        else:
            assert last["g_contrat"] is None


def test_a_contract_is_known_once_it_is_signed() -> None:
    assert consultations.contract_for("formation", date(2021, 1, 20)) == ""
    assert consultations.contract_for("formation", date(2021, 6, 1)) == "TDR-2101"
