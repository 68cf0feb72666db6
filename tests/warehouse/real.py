"""The project's twelve forms, and submissions that answer every question of them."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from tests.warehouse.lab import PADS, Lab, Row
from tpm_pipeline.forms import catalog, schema
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import FormSchema, FormVersion, Question, Table
from tpm_pipeline.warehouse import build
from tpm_pipeline.warehouse.build import HIDDEN_FROM_MARTS

CANARY = "canari"

_VALUES: Mapping[str, Any] = {
    "integer": 3,
    "decimal": 1.5,
    "date": "2021-01-10",
    "datetime": "2021-01-10T10:00:00Z",
    "geopoint": "29.6974 -9.7316 250 5",
}
_ANSWERS: Mapping[str, Any] = {
    "consent_dossier": "oui",
    "dossier_mode": "nouveau",
    "groupe_cat": "mre",
    "services": "retraite",
    "service_principal": "retraite",
    "o_service": "retraite",
    "i_service": "retraite",
    "bureau_code": "TIZ01",
    "commune": "09.581.01.07",
    "satisfaction": "4",
    "osc_mode": "nouvelle",
    "osc_code": "OSC900",
    "activite": "A1.1",
    "objet": "activite",
}
NOTHING: Mapping[str, Any] = MappingProxyType({})


@cache
def forms() -> tuple[FormVersion, ...]:
    """The twelve forms, compiled."""
    compiled = [compile_form(catalog.path_of(form_id), "central", validate=False)[0] for form_id in catalog.form_ids()]
    return tuple(FormVersion(form.form_id, form.version, form.xform) for form in compiled)


@cache
def schemas() -> Mapping[str, FormSchema]:
    """What the forms ask, by form_id."""
    return {form.form_id: schema.read(form.xform) for form in forms()}


def deploy(lab: Lab) -> None:
    """Let the warehouse know the twelve forms."""
    lab.deploy(*forms())


def rebuild(lab: Lab) -> None:
    """Build the warehouse from the twelve forms."""
    build.build(lab.connection, build.schemas(lab.connection, [form.form_id for form in forms()]), PADS)


def answer_all(lab: Lab, review: str = "received") -> None:
    """Send each form answered from its first question to its last; the action plan's twice, for its two objects."""
    for number, (form_id, form) in enumerate(schemas().items()):
        lab.store(Row(f"uuid:{number}", answers(form.root), review=review), form_id=form_id)
    due = Row("uuid:livrable", answers(schemas()["tpm_activite"].root, {"objet": "livrable"}), review=review)
    lab.store(due, form_id="tpm_activite")


def answers(table: Table, given: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
    """An answer to every question, the given ones first; those no mart may hold say so."""
    tree: dict[str, Any] = {}
    for question in table.questions:
        path = question.path[len(table.path) :]
        _plant(tree, path, given[question.name] if question.name in given else _answer(question))
    for repeat in table.repeats:
        _plant(tree, repeat.path[len(table.path) :], [answers(repeat, given)])
    return tree


def placed(form_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """These answers only, each in its group; those of a repeat as a list of rows."""
    return _placed(schemas()[form_id].root, given)


def _placed(table: Table, given: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for question in table.questions:
        if question.name in given:
            _plant(tree, question.path[len(table.path) :], given[question.name])
    for repeat in table.repeats:
        if repeat.path[-1] in given:
            rows = [_placed(repeat, row) for row in given[repeat.path[-1]]]
            _plant(tree, repeat.path[len(table.path) :], rows)
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
