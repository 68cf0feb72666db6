from collections import defaultdict
from itertools import pairwise

import pytest

from tests.demo.rows import of
from tpm_pipeline.demo import organisations, places
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.dice import Dice

STATES = ("identifie", "formulation", "contractualise", "en_cours", "termine")


@pytest.fixture
def projects(events: list[Event]) -> dict[str, list[Answers]]:
    found: defaultdict[str, list[Answers]] = defaultdict(list)
    for answers in of(events, organisations.FORM, a_projet="oui"):
        found[str(answers["code_projet"])].append(answers)
    return found


def test_an_organisation_is_registered_once_then_chosen_from_the_list(events: list[Event]) -> None:
    known = {row["code_osc"] for row in places.rows("osc")}
    for answers in of(events, organisations.FORM):
        assert (answers["osc_mode"] == "existante") == (answers["osc_code"] in known)
        known.add(str(answers["osc_code"]))
    assert len(known) == organisations.COUNT


def test_the_list_holds_what_the_last_sheet_left(events: list[Event]) -> None:
    versions: dict[str, int] = {row["name"]: 1 for row in places.rows("osc")}
    for event in events:
        if event.form_id == organisations.FORM and event.entity:
            known = versions.get(event.entity.id, 0)
            assert event.entity.base_version == (str(known) if known else "")
            assert event.entity.flags == {"create": str(int(not known)), "update": str(int(bool(known)))}
            versions[event.entity.id] = known + 1


def test_a_project_belongs_to_one_organisation(projects: dict[str, list[Answers]]) -> None:
    assert len(projects) == organisations.PROJECTS
    owners = [{sheet["osc_code"] for sheet in sheets} for sheets in projects.values()]
    assert all(len(owner) == 1 for owner in owners)
    assert len({code for owner in owners for code in owner}) == organisations.PROJECTS


def test_a_project_moves_forward_or_is_given_up(projects: dict[str, list[Answers]]) -> None:
    for sheets in projects.values():
        states = [str(sheet["statut_projet"]) for sheet in sheets]
        moved = [STATES.index(state) for state in states if state != "suspendu"]
        assert moved == sorted(moved)
        for before, after in pairwise(sheets):
            for name in ("avancement", "depense", "benef_f", "benef_h"):
                assert float(str(before[name])) <= float(str(after[name]))
    ends = [sheets[-1]["statut_projet"] for sheets in projects.values()]
    assert ends.count("suspendu") == 1
    assert ends.count("termine") >= 8


def test_a_budget_is_the_sum_of_its_parts_and_never_changes(projects: dict[str, list[Answers]]) -> None:
    for sheets in projects.values():
        assert len({sheet["budget_total"] for sheet in sheets}) == 1
        for sheet in sheets:
            total, *parts = (
                float(str(sheet[name])) for name in ("budget_total", "subvention", "apport_diaspora", "apport_local")
            )
            assert total == sum(parts)
            assert min(parts) >= 0
            assert float(str(sheet["depense"])) <= total


def test_a_finished_project_is_wholly_done(projects: dict[str, list[Answers]]) -> None:
    for sheets in projects.values():
        for sheet in sheets:
            assert (sheet["statut_projet"] == "termine") <= (sheet["avancement"] == "100")


def test_difficulties_are_told_unless_all_is_well(projects: dict[str, list[Answers]]) -> None:
    for sheet in (sheet for sheets in projects.values() for sheet in sheets):
        assert (sheet["difficultes"] is None) == (sheet["feu"] == "vert")


def test_organisations_are_met_over_the_three_years() -> None:
    met = [places.project_year(each.met) for each in organisations.organisations(Dice(3))]
    assert [met.count(year) for year in range(3)] == [9, 10, 8]
