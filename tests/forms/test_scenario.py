from datetime import date
from pathlib import Path

import pytest

from tests.forms import scenario
from tests.forms.scenario import Scenario, Step

TODAY = date(2024, 3, 1)
TABLE = """# essai

## Premier

| question | réponse | résultat |
| --- | --- | --- |
| age | -1 ; 121 | refusé : Entre 0 et 120.<br>بين 0 و120. |
| age | 30 ; 34 |  |
| jour | aujourd’hui - 2 |  |
| note [2] | é × 3 |  |
| nom, prenom |  | passé |
| envoi |  | incomplet : jour [1], note |

## Second

Suite de « Premier ».

| question | réponse | résultat |
| --- | --- | --- |
| somme |  | vaut (rien) |
| debut |  | vaut aujourd’hui |
| rangs |  | 3 fois |
| entité |  | mise à jour |
"""


@pytest.fixture
def read(tmp_path: Path) -> list[Scenario]:
    path = tmp_path / "essai.md"
    path.write_text(TABLE, encoding="utf-8")
    return scenario.read(path, TODAY)


def test_a_table_is_a_scenario_of_the_form_its_file_names(read: list[Scenario]) -> None:
    assert [(each.form_id, each.title) for each in read] == [("essai", "Premier"), ("essai", "Second")]


def test_answers_are_tried_one_after_the_other_and_questions_looked_at_one_by_one(read: list[Scenario]) -> None:
    words = ("Entre 0 et 120.", "بين 0 و120.")

    assert read[0].steps == (
        Step("age", 1, "-1", "refused", words, 7),
        Step("age", 1, "121", "refused", words, 7),
        Step("age", 1, "30", "accepted", (), 8),
        Step("age", 1, "34", "accepted", (), 8),
        Step("jour", 1, "2024-02-28", "accepted", (), 9),
        Step("note", 2, "ééé", "accepted", (), 10),
        Step("nom", 1, "", "skipped", (), 11),
        Step("prenom", 1, "", "skipped", (), 11),
        Step("envoi", 1, "", "unsent", ("jour [1]", "note"), 12),
    )


def test_a_scenario_that_continues_another_takes_the_last_answer_of_each_line(read: list[Scenario]) -> None:
    assert [(step.question, step.answer) for step in read[1].before] == [
        ("age", "34"),
        ("jour", "2024-02-28"),
        ("note", "ééé"),
    ]


def test_a_result_is_a_value_a_number_of_times_or_what_becomes_of_the_entity(read: list[Scenario]) -> None:
    assert [(step.result, step.words) for step in read[1].steps] == [
        ("worth", ("",)),
        ("worth", ("2024-03-01",)),
        ("times", ("3",)),
        ("updated", ()),
    ]


@pytest.mark.parametrize("line", ["| age | 3 | accepté |", "| a b | 3 |  |"])
def test_a_line_that_says_nothing_known_is_refused_with_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "essai.md"
    path.write_text(f"## Un\n\n{line}\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"essai\.md, line 3: cannot read"):
        scenario.read(path, TODAY)
