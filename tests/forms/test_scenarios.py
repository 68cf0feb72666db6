"""Every form, filled in ODK Web Forms' engine as the tables in `scenarios/` say; and what that exercised."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forms import coverage
from tests.forms.coverage import Gap
from tests.forms.logic import Form, forms
from tests.forms.player import Played, play_all, today
from tests.forms.scenario import read_all
from tpm_pipeline.forms import catalog

NAMES = [(scenario.form_id, scenario.title) for scenario in read_all(today())]
PLANTED = """
# tpm_tdr

## Neuf erreurs

| question | réponse | résultat |
| --- | --- | --- |
| ref_tdr | TDR-2105 | refusé : Format TDR-0000. |
| ref_tdr | TDR | refusé : Autre chose. |
| ref_tdr | TDR |  |
| projet | tpm_1 | non proposé |
| nb_offres |  | passé |
| conforme |  | vaut 1 |
| date_contrat | 2021-07-01 |  |
| n_existe_pas |  | demandé |
| envoi |  | envoyé |
"""
NOTICED = [
    "line 7: ref_tdr: «TDR-2105» is accepted",
    "line 8: ref_tdr: says ('Format TDR-0000.',), not ('Autre chose.',)",
    "line 9: ref_tdr: «TDR» is refused: Format TDR-0000.",
    "line 10: projet: «tpm_1» is offered",
    "line 11: nb_offres: is asked",
    "line 12: conforme: is worth «0», not «1»",
    "line 13: date_contrat: not asked, because of g_contrat",
    "line 14: n_existe_pas: there is no such question now",
]


@pytest.fixture(scope="module")
def known() -> dict[str, Form]:
    return forms()


@pytest.fixture(scope="module")
def played() -> Played:
    return play_all()


@pytest.fixture(scope="module")
def missing(played: Played, known: dict[str, Form]) -> list[Gap]:
    rules = (rule for form in known.values() for rule in form.rules)
    return coverage.gaps(rules, coverage.seen(played, known))


@pytest.mark.parametrize(("form_id", "title"), NAMES)
def test_the_form_does_what_the_scenario_says(form_id: str, title: str, played: Played, known: dict[str, Form]) -> None:
    assert coverage.problems(played, known)[form_id, title] == []


def test_every_rule_is_exercised_unless_it_is_listed_with_its_reason(
    missing: list[Gap], known: dict[str, Form], record_property: Callable[[str, object], None]
) -> None:
    record_property("summary", coverage.table(known, missing))

    listed = coverage.out_of_reach()

    assert [str(gap) for gap in missing if coverage.key(gap) not in listed] == []
    assert set(listed) == {coverage.key(gap) for gap in missing}, "a listed rule is exercised, or is no rule any more"
    assert all(listed.values())


def test_every_form_shows_a_refusal_in_both_languages(played: Played) -> None:
    shown = {
        scenario.form_id
        for scenario, _ in played
        for step in scenario.steps
        if step.result == "refused" and len(step.words) == 2
    }

    assert sorted(shown) == catalog.form_ids()


def test_every_mistake_in_a_table_is_noticed(tmp_path: Path, known: dict[str, Form]) -> None:
    (tmp_path / "tpm_tdr.md").write_text(PLANTED.strip(), encoding="utf-8")

    played = play_all(tmp_path)

    *noticed, last = coverage.problems(played, known)["tpm_tdr", "Neuf erreurs"]
    assert noticed == NOTICED
    assert last.startswith("line 15: envoi: lacks agent_code, ref_tdr, objet")
    assert ("tpm_tdr", "constraint", "ref_tdr", "refused") not in coverage.seen(played, known)
