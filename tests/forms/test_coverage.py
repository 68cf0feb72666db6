from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forms import coverage, logic
from tests.forms.coverage import Seen
from tests.forms.logic import Form, Rule

Write = Callable[..., Path]

FORM = """
    survey
    | type         | name  | relevant   | constraint          | calculation            | repeat_count | default |
    | integer      | age   |            | . >= 0 and . <= 120 |                        |              | 18      |
    | begin_group  | g     | ${age} > 1 |                     |                        |              |         |
    | begin_repeat | r     |            |                     |                        | 2            |         |
    | calculate    | somme |            |                     | if(${age} > 3, 1, 2)   |              |         |
    | end_repeat   |       |            |                     |                        |              |         |
    | end_group    |       |            |                     |                        |              |         |
    entities
    | list_name | label  | entity_id | create_if | update_if |
    | dossiers  | ${age} | ${age}    | ${age} = 3 | ${age} = 4 |
    settings
    | form_id | version | instance_name |
    | essai   | 1       | ${age}        |
"""


@pytest.fixture
def form(write: Write) -> Form:
    return logic.read(write(FORM))


def missing(form: Form, name: str, found: Seen) -> list[str]:
    rules = [rule for rule in form.rules if rule.name == name]
    return [str(gap).partition(f"{name}: ")[2] for gap in coverage.gaps(rules, found)]


def test_the_rules_of_a_form_are_read_from_its_sheets(form: Form) -> None:
    assert [(rule.kind, rule.name) for rule in form.rules] == [
        ("constraint", "age"),
        ("default", "age"),
        ("relevant", "g"),
        ("repeat_count", "r"),
        ("calculation", "somme"),
        ("relevant", "entité.create_if"),
        ("relevant", "entité.update_if"),
        ("calculation", "entité.label"),
        ("calculation", "entité.entity_id"),
        ("calculation", "étiquette"),
    ]


def test_a_question_is_within_its_groups(form: Form) -> None:
    assert form.within == {"age": ("age",), "g": ("g",), "r": ("g", "r"), "somme": ("g", "r", "somme")}


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        (". > 0", [". > 0"]),
        (". > 0 and . < 9", [". > 0", ". < 9"]),
        ("(. > 0 and . < 9) and not(a and b)", ["(. > 0 and . < 9)", "not(a and b)"]),
    ],
)
def test_a_constraint_is_cut_at_its_outer_ands(expression: str, parts: list[str]) -> None:
    assert logic.conditions(expression) == parts


def test_a_constraint_wants_an_accepted_answer_and_a_refused_one_for_each_condition(form: Form) -> None:
    found: Seen = {("essai", "constraint", "age", "refused"): {"-1"}}

    assert missing(form, "age", found) == ["accepted 0 of 1", "refused 1 of 2", "worth 0 of 1"]


def test_a_relevance_wants_to_be_asked_and_skipped(form: Form) -> None:
    assert missing(form, "g", {("essai", "relevant", "g", "asked"): {""}}) == ["skipped 0 of 1"]


def test_a_calculation_wants_a_value_for_each_branch(form: Form) -> None:
    assert missing(form, "somme", {("essai", "calculation", "somme", "worth"): {"1"}}) == ["worth 1 of 2"]
    assert missing(form, "somme", {("essai", "calculation", "somme", "worth"): {"1", "2"}}) == []


def test_the_table_counts_what_is_exercised_of_what_can_be(form: Form) -> None:
    found: Seen = {("essai", "default", "age", "worth"): {"18"}}
    gaps = coverage.gaps(form.rules, found)

    header, line, total = coverage.table({"essai": form}, gaps).splitlines()

    assert header.split() == ["rules", "exercised", *logic.KINDS, "out", "of", "reach"]
    assert line.split() == ["essai", "0/1", "0/3", "0/4", "0/0", "0/0", "0/1", "1/1", "0"]
    assert total.split() == ["all", *line.split()[1:]]


def test_what_is_out_of_reach_is_read_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "out_of_reach.md"
    path.write_text("# x\n\n| form | kind |\n| --- | --- |\n| essai | relevant | g | skipped | why |\n")

    assert coverage.out_of_reach(path) == {("essai", "relevant", "g", "skipped"): "why"}


def test_a_rule_says_itself(form: Form) -> None:
    gap = coverage.gaps([Rule("essai", "relevant", "g", "")], {})[0]

    assert (str(gap), coverage.key(gap)) == (
        "essai · relevant · g: asked 0 of 1",
        ("essai", "relevant", "g", "asked"),
    )
    assert gap.rule.form_id == form.form_id
