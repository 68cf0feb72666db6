"""Versions as one form: what was answered under an old name, at an old place, and how private it stays."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.warehouse.lab import PADS, Lab, Row, form
from tests.warehouse.test_staging_flat import identified, store_flat
from tpm_pipeline.records import FormSchema, FormVersion
from tpm_pipeline.warehouse import build, db, staging

PHONE = "0600000042"


def version(number: str, *lines: str) -> FormVersion:
    return form("\n".join(["| type | name | privacy |", *lines]), number)


def group(name: str, *lines: str, kind: str = "group") -> list[str]:
    return [f"| begin_{kind} | {name} | |", *lines, f"| end_{kind} | | |"]


def asked(name: str, privacy: str = "public", kind: str = "text") -> str:
    return f"| {kind} | {name} | {privacy} |"


def stage(lab: Lab, *renames: str) -> FormSchema:
    """Build the staging of a form whose folder declares these renames: `old,new`."""
    (lab.folder / "essai").mkdir(exist_ok=True)
    lines = ["ancien,nouveau,date,raison", *(f"{rename},2026-01-31,plus clair" for rename in renames)]
    (lab.folder / "essai/renames.csv").write_text("\n".join(lines), encoding="utf-8")
    (schema,) = build.schemas(lab.connection, ["essai"], lab.folder)
    staging.create(lab.connection)
    staging.build(lab.connection, schema, PADS)
    return schema


def columns(lab: Lab, table: str = "essai") -> list[str]:
    found = lab.column("select column_name from duckdb_columns() where table_name = ? order by column_index", table)
    return [name for name in found if name not in staging.SYSTEM_COLUMNS]


def answers(lab: Lab, column: str, table: str = "essai") -> list[Any]:
    return lab.column(f"select {column} from staging.{table} order by submission_id")


def test_a_renamed_question_stays_one_column_for_all_servers(lab: Lab) -> None:
    lab.deploy(version("1", *group("g", asked("a"))), version("2", *group("g", asked("b"))))
    lab.store(Row("uuid:1", {"g": {"a": "un"}}), Row("uuid:2", {"g": {"b": "deux"}}), kind="central")
    lab.store(Row("uuid:3", {"g": {"a": "trois"}}), kind="local")
    store_flat(lab, {"g/a": "quatre", **identified(4)}, {"g/b": "cinq", **identified(5)})
    stage(lab, "a,b")
    assert columns(lab) == ["b"]
    assert answers(lab, "b") == ["un", "deux", "trois", "quatre", "cinq"]


def test_a_name_that_no_version_here_had_is_read_too(lab: Lab) -> None:
    lab.deploy(version("2", *group("g", asked("b"), asked("c"))))
    store_flat(lab, {"g/a": "1", **identified(1)}, {"a": "2", **identified(2)}, {"vieux/z": "3", **identified(3)})
    stage(lab, "a,b", "vieux/z,g/c")
    assert answers(lab, "b") == ["1", "2", None]
    assert answers(lab, "c") == [None, None, "3"]


def test_names_that_changed_twice_are_one_column_and_the_latest_answer_holds(lab: Lab) -> None:
    lab.deploy(version("1", asked("a")), version("2", asked("b")), version("3", asked("c")))
    lab.store(Row("uuid:1", {"a": "1"}), Row("uuid:2", {"a": "vieux", "b": "2"}), Row("uuid:3", {"b": " ", "a": "3"}))
    stage(lab, "a,b", "b,c")
    assert columns(lab) == ["c"]
    assert answers(lab, "c") == ["1", "2", "3"]


def test_a_renamed_repeat_keeps_its_rows_and_those_inside(lab: Lab) -> None:
    def nested(outer: str, question: str) -> list[str]:
        inner = group("ecoles", asked("ville"), kind="repeat")
        return group(outer, asked(question), *inner, kind="repeat")

    lab.deploy(version("1", *nested("vieux", "x")), version("2", *nested("enfants", "y")))
    school = {"ville": "Tiznit"}
    lab.store(Row("uuid:1", {"vieux": [{"x": "1"}, {}, {"ecoles": [{}, school]}], "enfants": []}))
    lab.store(Row("uuid:2", {"enfants": [{"y": "2"}]}), kind="local")
    inner = [{"vieux/ecoles/ville": "Agadir"}]
    store_flat(lab, {"vieux": [{"vieux/x": "3", "vieux/ecoles": inner}], **identified(3)})
    stage(lab, "vieux,enfants", "vieux/x,enfants/y")
    tables = lab.column("select table_name from duckdb_tables() where schema_name = 'staging' order by 1")
    assert tables == ["essai", "essai__ecoles", "essai__enfants", "misfit"]
    assert columns(lab, "essai__enfants") == ["position", "y"]
    assert lab.connection.execute("select position, y from staging.essai__enfants order by all").fetchall() == [
        (1, "1"),
        (1, "2"),
        (1, "3"),
        (2, None),
    ]
    found = lab.connection.execute("select position_enfants, position, ville from staging.essai__ecoles order by all")
    assert found.fetchall() == [(1, 1, "Agadir"), (2, 1, "Tiznit")]


def test_a_renamed_group_takes_its_questions_along(lab: Lab) -> None:
    lab.deploy(version("2", *group("g", asked("q"))))
    store_flat(lab, {"vieux/q": "1", **identified(1)})
    stage(lab, "vieux,g")
    assert answers(lab, "q") == ["1"]


def test_a_rename_of_what_is_still_asked_joins_nothing(lab: Lab) -> None:
    lab.deploy(version("1", asked("a")), version("2", asked("a"), asked("b")))
    lab.store(Row("uuid:1", {"a": "1"}))
    stage(lab, "a,b")
    assert lab.rows("select a, b from staging.essai") == [{"a": "1", "b": None}]


def test_what_a_version_asked_side_by_side_becomes_one_column_when_the_newest_asks_one(lab: Lab) -> None:
    lab.deploy(version("1", asked("a"), asked("b", "sensitive")), version("2", asked("b")))
    lab.store(Row("uuid:1", {"a": "1", "b": "2"}), Row("uuid:2", {"a": "3"}))
    schema = stage(lab, "a,b")
    assert answers(lab, "b") == ["2", "3"]
    assert [question.privacy for question in schema.root.questions] == ["sensitive"]


def test_what_was_answered_in_other_rows_stays_a_column_of_its_own(lab: Lab) -> None:
    lab.deploy(version("1", asked("a")), version("2", *group("r", asked("b"), kind="repeat")))
    lab.store(Row("uuid:1", {"a": "1"}), Row("uuid:2", {"r": [{"b": "2"}]}))
    stage(lab, "a,r/b")
    assert answers(lab, "a") == ["1", None]
    assert answers(lab, "b", "essai__r") == ["2"]


def test_the_strictest_class_of_the_old_name_and_the_new_holds(lab: Lab) -> None:
    lab.deploy(version("1", asked("a", "sensitive")), version("2", asked("b", "quasi")))
    (question,) = stage(lab, "a,b").root.questions
    assert (question.name, question.privacy) == ("b", "sensitive")


# The versions, the renames, what Central and the local server wrote, and what KoboToolbox did.
LEAKS: Mapping[str, tuple[list[FormVersion], list[str], dict[str, Any], dict[str, Any]]] = {
    "a renamed question": (
        [version("1", asked("a", "identifying")), version("2", asked("b"))],
        ["a,b"],
        {"a": PHONE},
        {"a": PHONE},
    ),
    "a question renamed twice": (
        [version("1", asked("a", "identifying")), version("2", asked("b")), version("3", asked("c"))],
        ["a,b", "b,c"],
        {"a": PHONE},
        {"a": PHONE},
    ),
    "a question that moved": (
        [version("1", *group("g", asked("a", "identifying"))), version("2", *group("h", asked("a")))],
        [],
        {"g": {"a": PHONE}},
        {"g/a": PHONE},
    ),
    "a question in a renamed repeat": (
        [
            version("1", *group("r", asked("a", "identifying"), kind="repeat")),
            version("2", *group("s", asked("a"), kind="repeat")),
        ],
        ["r,s"],
        {"r": [{"a": PHONE}]},
        {"r": [{"r/a": PHONE}]},
    ),
    "a name taken again in a renamed repeat": (
        [
            version("1", *group("r", asked("a", "identifying"), kind="repeat")),
            version("2", *group("s", asked("a"), asked("b"), kind="repeat")),
        ],
        ["r,s", "r/a,s/b"],
        {"r": [{"a": PHONE}]},
        {"r": [{"r/a": PHONE}]},
    ),
    "a group that became a question": (
        [version("1", *group("a", asked("b", "identifying"))), version("2", asked("a"))],
        [],
        {"a": {"b": PHONE}},
        {"a/b": PHONE},
    ),
    "a repeat that became a question of another name": (
        [version("1", *group("a", asked("b", "identifying"), kind="repeat")), version("2", asked("c"))],
        ["a,c"],
        {"a": [{"b": PHONE}]},
        {"a": [{"a/b": PHONE}]},
    ),
}


@pytest.mark.parametrize("case", LEAKS)
def test_an_identifying_answer_comes_into_staging_by_no_former_and_no_flat_place(lab: Lab, case: str) -> None:
    versions, renames, nested, flat = LEAKS[case]
    lab.deploy(*versions)
    lab.store(Row("uuid:1", nested))
    lab.store(Row("uuid:2", nested), kind="local")
    store_flat(lab, {**flat, **identified(3)})
    stage(lab, *renames)
    db.attach(lab.connection, lab.folder / "exported.duckdb", "exported")
    for table in lab.column("select table_name from duckdb_tables() where schema_name = 'staging'"):
        lab.connection.execute(f"create table exported.{table} as from staging.{table}")
        assert PHONE not in str(lab.rows(f"from staging.{table}"))
    lab.connection.execute("detach exported")
    assert PHONE.encode() not in (lab.folder / "exported.duckdb").read_bytes()


def test_a_former_place_at_which_something_else_stands_is_left_alone(lab: Lab) -> None:
    moved = [*group("a", asked("x"))], [*group("b", asked("x"))]
    lab.deploy(version("1", asked("a")), *(version(str(n), *lines) for n, lines in enumerate(moved, 2)))
    lab.store(Row("uuid:1", {"a": "texte"}), Row("uuid:3", {"b": {"x": "3"}}))
    lab.stage()
    assert answers(lab, "x") == [None, "3"]


def test_a_name_asked_at_two_new_places_is_as_private_as_it_was(lab: Lab) -> None:
    new = [*group("h", asked("a")), *group("k", asked("a"))]
    lab.deploy(version("1", *group("g", asked("a", "identifying"))), version("2", *new))
    questions = stage(lab).root.questions
    assert {question.path[0]: question.privacy for question in questions} == dict.fromkeys("hkg", "identifying")


def test_a_number_that_was_given_with_a_fraction_keeps_it(lab: Lab) -> None:
    lab.deploy(version("1", asked("duree", kind="decimal")), version("2", asked("duree", kind="integer")))
    lab.store(Row("uuid:1", {"duree": "1.5"}), Row("uuid:2", {"duree": "2"}), kind="local")

    stage(lab)

    assert answers(lab, "duree") == [1.5, 2.0]
    assert lab.misfits() == []
