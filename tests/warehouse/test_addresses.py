"""Where answers are: nested addresses alone for servers that write nested rows, the flat ones beside for others."""

import json

import pytest

from tpm_pipeline.records import Question, Table
from tpm_pipeline.warehouse import db
from tpm_pipeline.warehouse.addresses import Addresses


def question(path: str, *former: str) -> Question:
    return Question(
        tuple(path.split("/")), "string", "public", {}, {}, former=tuple(tuple(one.split("/")) for one in former)
    )


VISITS = Table(("g", "r"), (question("g/r/h/x", "g/r/y"),))
FORM = Table((), (question("a"), question("g/b", "c")), (VISITS,))
NESTED, FLAT = Addresses(flat=False), Addresses(flat=True)


def test_nested_rows_have_nested_addresses_only() -> None:
    assert json.loads(NESTED.structure(FORM)) == {
        "a": "VARCHAR",
        "g": {"b": "VARCHAR", "r": [{"h": {"x": "VARCHAR"}, "y": "VARCHAR"}]},
        "c": "VARCHAR",
    }
    assert NESTED.answer(FORM.questions[0], FORM) == 'item."a"'
    assert NESTED.rows(VISITS, FORM) == 'item."g"."r"'


def test_flat_rows_have_the_whole_path_as_a_key_in_repeats_too() -> None:
    row = {"h": {"x": "VARCHAR"}, "y": "VARCHAR", "g/r/h/x": "VARCHAR", "g/r/y": "VARCHAR"}
    assert json.loads(FLAT.structure(FORM)) == {
        "a": "VARCHAR",
        "g": {"b": "VARCHAR", "r": [row]},
        "c": "VARCHAR",
        "g/b": "VARCHAR",
        "g/r": [row],
    }
    assert FLAT.answer(FORM.questions[0], FORM) == 'item."a"'
    assert FLAT.rows(VISITS, FORM) == 'list_concat(item."g"."r", item."g/r")'


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ({"g": {"r": [{"h": {"x": "1"}}, {"h": {"x": " "}, "y": None}, {"y": "2"}]}}, 2),
        ({"g/r": [{"g/r/h/x": "1"}, {"g/r/y": "\n"}, {"g/r/y": "2"}]}, 2),
        ({"g": {"r": []}, "g/r": [{"g/r/y": "2"}]}, 1),
        ({}, 0),
    ],
)
def test_rows_without_an_answer_are_left_out(row: dict[str, object], kept: int) -> None:
    rows = FLAT.answered_rows(VISITS, FLAT.rows(VISITS, FORM))
    read = f"select from_json({db.literal(json.dumps(row))}, {db.literal(FLAT.structure(FORM))}) as item"
    with db.memory() as connection:
        assert db.scalar(connection, f"select len({rows}) from ({read})") == kept
