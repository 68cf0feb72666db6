"""Staging reads rows with flat keys as it reads the others: one form, several servers, the same rows."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from tests.warehouse.lab import Lab, Row, form
from tpm_pipeline.records import Page
from tpm_pipeline.servers import kobo, payload
from tpm_pipeline.warehouse import db, raw, staging

FAMILY = """
| type                   | name    | privacy     | calculation |
| text                   | nom     | identifying |             |
| select_multiple lettre | lettres | quasi       |             |
| begin_group            | g       |             |             |
| integer                | age     | quasi       |             |
| geopoint               | lieu    | quasi       |             |
| begin_repeat           | enfants |             |             |
| text                   | prenom  | text        |             |
| begin_group            | h       |             |             |
| decimal                | taille  | public      |             |
| begin_repeat           | ecoles  |             |             |
| text                   | ville   | public      |             |
| select_one lettre      | niveau  | public      |             |
| end_repeat             |         |             |             |
| end_group              |         |             |             |
| end_repeat             |         |             |             |
| end_group              |         |             |             |
"""
FAMILY_FORM = form(FAMILY)
REPEATS = {"g/enfants", "g/enfants/h/ecoles"}
BLANKS = ["", " ", "\n", "\t ", "\u00a0", "\u2003\u3000", "\r"]


def store_flat(lab: Lab, *rows: Mapping[str, Any], server: str = "kobo") -> None:
    """Store rows as KoboToolbox writes them: their answers by path, and an identifier."""
    sent = [
        {"_id": number, "_uuid": row["meta/rootUuid"], "_submission_time": "2021-01-05T10:00:00", **row}
        for number, row in enumerate(rows, 1)
    ]
    path = lab.folder / "flat.json"
    path.write_bytes(orjson.dumps(sent))
    raw.store(lab.connection, server, "essai", kobo.DIALECT, [Page(path, len(sent), "c")])


def identified(number: int) -> dict[str, str]:
    return {"meta/instanceID": f"uuid:{number}", "meta/rootUuid": f"uuid:{number}"}


def staged(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    """Every row of every staging table of the form, without what its server says of it."""
    lab.stage()
    names = lab.column("select table_name from duckdb_tables() where schema_name = 'staging' order by 1")
    told = ", ".join(name for name in staging.SYSTEM_COLUMNS if name != "submission_id")
    return {name: lab.rows(f"select * exclude ({told}) from staging.{name} order by all") for name in names[:-1]}


FLAT = {
    "nom": "Amina",
    "lettres": "a b",
    "g/age": "40",
    "g/lieu": "29.5 -9.5 10 1",
    "g/enfants": [
        {"g/enfants/prenom": "Ali", "g/enfants/h/taille": "1.70"},
        {
            "g/enfants/h/ecoles": [
                {"g/enfants/h/ecoles/ville": "Tiznit", "g/enfants/h/ecoles/niveau": "a"},
                {"g/enfants/h/ecoles/niveau": "b"},
            ]
        },
    ],
}
NESTED: dict[str, Any] = {
    "nom": "Amina",
    "lettres": "a b",
    "g": {
        "age": "40",
        "lieu": "29.5 -9.5 10 1",
        "enfants": [
            {},
            {"prenom": "Ali", "h": {"taille": "1.70"}},
            {"h": {"ecoles": [{"ville": " "}]}},
            {"h": {"ecoles": [{"ville": "Tiznit", "niveau": "a"}, {}, {"niveau": "b"}]}},
        ],
    },
}


def test_one_form_may_have_flat_and_nested_rows_in_one_table(lab: Lab) -> None:
    lab.deploy(FAMILY_FORM)
    lab.store(Row("uuid:1", NESTED), kind="local")
    store_flat(lab, {**FLAT, **identified(2)})
    rows = staged(lab)
    assert rows["essai__enfants"][:2] == [
        {"submission_id": "uuid:1", "position": 1, "prenom": "Ali", "taille": 1.7},
        {"submission_id": "uuid:1", "position": 2, "prenom": None, "taille": None},
    ]
    assert rows["essai__ecoles"][:2] == [
        {"submission_id": "uuid:1", "position_enfants": 2, "position": 1, "ville": "Tiznit", "niveau": "a"},
        {"submission_id": "uuid:1", "position_enfants": 2, "position": 2, "ville": None, "niveau": "b"},
    ]
    for table in rows.values():
        first, second = (
            [{**row, "submission_id": ""} for row in table if row["submission_id"] == f"uuid:{n}"] for n in (1, 2)
        )
        assert first == second != []


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(
    "kind",
    [
        "text",
        "integer",
        "decimal",
        "date",
        "time",
        "dateTime",
        "geopoint",
        "select_one lettre",
        "select_multiple lettre",
        "image",
        "select_one_from_file a.csv",
        "select_multiple_from_file a.csv",
    ],
)
def test_an_answer_of_blanks_is_none(lab: Lab, kind: str, blank: str) -> None:
    lab.deploy(form(f"| type | name | privacy |\n| {kind} | q | public |\n| text | nom | identifying |"))
    lab.store(Row("uuid:1", {"q": blank, "nom": blank}))
    lab.stage()
    assert lab.rows("select q, nom_pseudo from staging.essai") == [{"q": None, "nom_pseudo": None}]
    assert lab.misfits() == []


def test_an_answer_keeps_the_blanks_around_it(lab: Lab) -> None:
    lab.deploy(form("| type | name | privacy |\n| text | q | public |"))
    lab.store(Row("uuid:1", {"q": " a\n"}), Row("uuid:2", {"q": "\u00a0é "}))
    lab.stage()
    assert lab.column("select q from staging.essai order by submission_id") == [" a\n", "\u00a0é "]


def test_a_row_with_only_a_calculated_answer_is_kept(lab: Lab) -> None:
    repeat = (
        "| begin_repeat | r | | |\n| calculate | c | public | 1 + 1 |\n| text | q | public | |\n| end_repeat | | | |"
    )
    lab.deploy(form(f"| type | name | privacy | calculation |\n{repeat}"))
    lab.store(Row("uuid:1", {"r": [{"c": "2"}, {"c": None, "q": " "}, {"c": "3"}]}))
    lab.stage()
    assert lab.rows("select position, c from staging.essai__r") == [
        {"position": 1, "c": "2"},
        {"position": 2, "c": "3"},
    ]


def test_a_repeat_that_asks_nothing_has_no_rows(lab: Lab) -> None:
    repeat = "| begin_repeat | r | |\n| note | n | public |\n| end_repeat | | |"
    lab.deploy(form(f"| type | name | privacy |\n{repeat}"))
    lab.store(Row("uuid:1", {"r": [{}, {}]}))
    lab.stage()
    assert lab.column("select count(*) from staging.essai__r") == [0]


def test_what_does_not_fit_is_found_at_the_position_it_has(lab: Lab) -> None:
    lab.deploy(FAMILY_FORM)
    lab.store(Row("uuid:1", {"g": {"enfants": [{"prenom": "\n"}, {"h": {"taille": "grande"}}]}}))
    lab.stage()
    found = lab.rows("select staging_table, position, question from staging.misfit")
    assert found == [{"staging_table": "essai__enfants", "position": 1, "question": "taille"}]
    assert lab.rows("select position, prenom, taille from staging.essai__enfants") == [
        {"position": 1, "prenom": None, "taille": None}
    ]


def test_a_question_that_moved_is_read_at_its_former_flat_place_too(lab: Lab) -> None:
    group = "| type | name | privacy |\n| begin_group | {0} | |\n| text | q | public |\n| end_group | | |"
    lab.deploy(form(group.format("un"), "1"), form(group.format("deux"), "2"))
    store_flat(lab, {"un/q": "1", **identified(1)}, {"deux/q": "2", **identified(2)})
    lab.store(Row("uuid:3", {"un": {"q": "3"}}))
    lab.stage()
    assert lab.column("select q from staging.essai order by submission_id") == ["1", "2", "3"]


text = st.one_of(
    st.sampled_from([*BLANKS, "a", "b", "a b", "40", "1.70", " é ", "l1\nl2", "<&>\"'", "29.5 -9.5 10 1"]),
    st.text("aé ب\u00a0\n", max_size=3),
)
school = st.fixed_dictionaries({}, optional={"ville": text, "niveau": text})
child = st.fixed_dictionaries(
    {},
    optional={
        "prenom": text,
        "h": st.fixed_dictionaries({}, optional={"taille": text, "ecoles": st.lists(school, max_size=3)}),
    },
)
family = st.fixed_dictionaries(
    {},
    optional={
        "nom": text,
        "lettres": text,
        "g": st.fixed_dictionaries({}, optional={"age": text, "lieu": text, "enfants": st.lists(child, max_size=4)}),
    },
)


def as_xml(answers: Mapping[str, Any]) -> str:
    """The nodes of a submission: every row of a repeat, answered or not."""
    nodes = []
    for name, value in answers.items():
        for one in value if isinstance(value, list) else [value]:
            inner = as_xml(one) if isinstance(one, dict) else escape(one).replace("\r", "&#13;")
            nodes.append(f"<{name}>{inner}</{name}>")
    return "".join(nodes)


def as_flat(xml: str, number: int) -> dict[str, Any]:
    """What KoboToolbox makes of it: blanks between two tags go, then whatever holds nothing."""
    root = payload.read(re.sub(r">\s+<", "><", xml).encode())
    return {**dict(_flat(root, "")), **identified(number)}


def _flat(node: Any, above: str) -> Iterator[tuple[str, Any]]:
    rows: dict[str, list[Any]] = {}
    for child in node:
        path = above + str(child.tag)
        if path in REPEATS:
            row = dict(_flat(child, f"{path}/"))
            rows.setdefault(path, []).extend([row] if row else [])
        elif len(child):
            yield from _flat(child, f"{path}/")
        elif child.text:
            yield path, child.text
    yield from ((path, found) for path, found in rows.items() if found)


@tuned(max_examples=60, deadline=None)
@given(answers=st.lists(family, min_size=1, max_size=4))
def test_whatever_is_sent_staging_is_the_same_from_every_server(
    answers: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    xmls = [f"<data>{as_xml(one)}</data>" for one in answers]
    repeats = payload.shape(FAMILY_FORM.xform).repeats
    nested = [payload.answers(payload.read(xml.encode()), repeats) for xml in xmls]
    found = []
    for kind in ("local", "kobo"):
        with db.memory() as connection:
            raw.create(connection)
            lab = Lab(connection, tmp_path_factory.getbasetemp())
            lab.deploy(FAMILY_FORM)
            if kind == "kobo":
                store_flat(lab, *(as_flat(xml, number) for number, xml in enumerate(xmls)))
            else:
                lab.store(*(Row(f"uuid:{number}", one) for number, one in enumerate(nested)), kind="local")
            found.append((staged(lab), lab.rows("from staging.misfit order by all")))
    assert found[0] == found[1]


def test_forms_of_nested_servers_are_read_without_a_flat_address(lab: Lab) -> None:
    lab.deploy(FAMILY_FORM)
    lab.store(Row("uuid:1", NESTED))
    assert not raw.holds_flat(lab.connection, "essai")
    store_flat(lab, {**FLAT, **identified(2)})
    assert raw.holds_flat(lab.connection, "essai")
    assert not raw.holds_flat(lab.connection, "autre")
