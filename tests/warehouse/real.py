"""The project's three forms, and submissions that answer every question of them."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from tests.warehouse.lab import Lab
from tpm_pipeline.forms import catalog
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import FormVersion, Question, Table
from tpm_pipeline.warehouse.build import HIDDEN_FROM_MARTS

CANARY = "canari"

_VALUES: Mapping[str, Any] = {"integer": 3, "decimal": 1.5, "date": "2021-01-10", "datetime": "2021-01-10T10:00:00Z"}
_ANSWERS = {
    "consent_dossier": "oui",
    "dossier_mode": "nouveau",
    "services": "retraite",
    "o_service": "retraite",
    "i_service": "retraite",
    "bureau_code": "TIZ01",
    "satisfaction": "4",
}


@cache
def forms() -> tuple[FormVersion, ...]:
    """The three forms, compiled."""
    compiled = [compile_form(catalog.path_of(form_id), "central", validate=False)[0] for form_id in catalog.form_ids()]
    return tuple(FormVersion(form.form_id, form.version, form.xform) for form in compiled)


def deploy(lab: Lab) -> None:
    """Let the warehouse know the three forms."""
    lab.deploy(*forms())


def answers(table: Table) -> dict[str, Any]:
    """An answer to every question; those no mart may hold say so."""
    tree: dict[str, Any] = {}
    for question in table.questions:
        _plant(tree, question.path[len(table.path) :], _answer(question))
    for repeat in table.repeats:
        _plant(tree, repeat.path[len(table.path) :], [answers(repeat)])
    return tree


def _answer(question: Question) -> Any:
    if question.privacy in HIDDEN_FROM_MARTS:
        return f"{CANARY}-{question.name}"
    return _ANSWERS.get(question.name, _VALUES.get(question.type, question.name))


def _plant(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *groups, name = path
    for group in groups:
        tree = tree.setdefault(group, {})
    tree[name] = value
