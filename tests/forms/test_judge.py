"""Each way in which a form can do something else than a line says; and what a line that holds has exercised."""

import pytest

from tests.forms import judge
from tests.forms.judge import Evidence
from tests.forms.logic import Form
from tests.forms.player import Shown
from tests.forms.scenario import Result, Step

WORDS = {
    "required_message::Français (fr)": "Réponse exigée.",
    "required_message::العربية (ar)": "إلزامي.",
    "constraint_message::Français (fr)": "L’âge est faux.",
    "constraint_message::العربية (ar)": "العمر خاطئ.",
}
FORM = Form("essai", (), {"age": WORDS}, {"age": ("g", "age"), "r": ("r",)})
BLANK = {"condition": "required", "fr": "Réponse exigée.", "ar": "إلزامي."}
FALSE = {"condition": "constraint", "fr": "L’âge est faux.", "ar": "العمر خاطئ."}
TYPED = {"readonly": False, "blank": None, "offered": True, "refusal": None}


def step(result: Result, *words: str, question: str = "age", answer: str = "") -> Step:
    return Step(question, 1, answer, result, words, 1)


@pytest.mark.parametrize(
    ("line", "shown", "said"),
    [
        (step("accepted", answer="3"), {**TYPED, "blank": BLANK}, None),
        (step("accepted", answer="3"), {**TYPED, "readonly": True}, "cannot be answered"),
        (step("accepted", answer="3"), {**TYPED, "offered": False}, "«3» is not offered"),
        (step("accepted", answer="3"), {**TYPED, "refusal": FALSE}, "«3» is refused: L’âge est faux."),
        (
            step("accepted", answer="3"),
            {**TYPED, "blank": {**BLANK, "ar": "Réponse exigée."}},
            "says ('Réponse exigée.",
        ),
        (step("refused", "L’âge est faux.", answer="3"), {**TYPED, "refusal": FALSE}, None),
        (step("refused", "L’âge est faux.", answer="3"), TYPED, "«3» is accepted"),
        (step("refused", "L’âge est faux.", answer="3"), {**TYPED, "offered": False}, "«3» is not offered"),
        (step("refused", "L’âge est faux.", answer="3"), {**TYPED, "refusal": BLANK}, "«3» is refused as required"),
        (step("refused", "Autre.", answer="3"), {**TYPED, "refusal": FALSE}, "says ('L’âge est faux.',), not"),
        (step("refused", "L’âge est faux.", answer="3"), {**TYPED, "refusal": {**FALSE, "ar": "?"}}, "says ('L’âge"),
        (step("refused", "Réponse exigée."), {**TYPED, "refusal": BLANK}, None),
        (step("not offered", answer="x"), TYPED, "«x» is offered"),
        (step("asked"), {"skipper": "g"}, "not asked, because of g"),
        (step("skipped"), {"value": "3"}, "is asked"),
        (step("worth", "3"), {"value": "4"}, "is worth «4», not «3»"),
        (step("shows", "L’âge"), {"label": "Le nom"}, "shows «Le nom»"),
        (step("times", "2", question="r"), {"times": 3}, "is asked 3 times"),
        (step("sent", question="envoi"), {"violations": ["age"]}, "lacks age"),
        (step("unsent", "age", question="envoi"), {"violations": []}, "lacks nothing"),
        (step("created", question="entité"), {"entity": {"update": "true"}}, "create and update are (False, True)"),
        (step("no entity", question="entité"), {}, None),
        (step("worth", "7", question="entité.id"), {"entity": {"id": "8"}}, "is worth «8», not «7»"),
        (step("worth", "Visite", question="étiquette"), {"instanceName": "Visite "}, None),
        (step("accepted"), {"error": "Error: no"}, "Error: no"),
    ],
)
def test_what_a_form_does_otherwise_is_said(line: Step, shown: Shown, said: str | None) -> None:
    found = judge.problem(FORM, line, shown)

    assert (found is None) if said is None else str(found).startswith(f"{line.question}: {said}")


@pytest.mark.parametrize(
    ("line", "shown", "exercised"),
    [
        (
            step("accepted", answer="3"),
            {**TYPED, "blank": BLANK},
            [
                ("relevant", "g", "asked", ""),
                ("relevant", "age", "asked", ""),
                ("required", "age", "refused", ""),
                ("constraint", "age", "accepted", "3"),
                ("choice_filter", "age", "offered", "3"),
            ],
        ),
        (step("skipped"), {"skipper": "g"}, [("relevant", "g", "skipped", "")]),
        (step("sent", question="envoi"), {"violations": []}, []),
        (
            step("updated", question="entité"),
            {},
            [("relevant", "entité.create_if", "skipped", ""), ("relevant", "entité.update_if", "asked", "")],
        ),
        (step("worth", "7", question="entité.id"), {}, [("calculation", "entité.entity_id", "worth", "7")]),
        (step("worth", "7", question="étiquette"), {}, [("calculation", "étiquette", "worth", "7")]),
    ],
)
def test_a_line_exercises_the_rules_it_speaks_of(line: Step, shown: Shown, exercised: list[Evidence]) -> None:
    assert list(judge.evidence(FORM, line, shown)) == exercised
