"""Staging: one typed table per form and per repeat, generated from the form's deployed versions."""

import hashlib
import hmac
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.warehouse.lab import Kind, Lab, Row, form
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, privacy, raw, staging

VISIT = """
| type               | name     | privacy     | fr              | ar          | hint     |
| text               | nom      | identifying | Nom             | الاسم       |          |
| select_multiple lettre | lettres | quasi   | Quelles lettres ? | أي حروف؟  | Plusieurs. |
| begin_group        | g        |             | Groupe          | مجموعة      |          |
| integer            | age      | quasi       | Âge             | السن        |          |
| end_group          |          |             |                 |             |          |
| begin_repeat       | enfants  |             | Enfant          | طفل         |          |
| text               | prenom   | identifying | Prénom          | الاسم الشخصي |         |
| integer            | annee    | quasi       | Année           | السنة       |          |
| begin_repeat       | ecoles   |             | École           | مدرسة       |          |
| begin_group        | h        |             | H               | ه           |          |
| text               | ville    | public      | Ville           | المدينة     |          |
| begin_repeat       | notes    |             | Note            | نقطة        |          |
| decimal            | note     | public      | Note            | نقطة        |          |
| end_repeat         |          |             |                 |             |          |
| end_group          |          |             |                 |             |          |
| end_repeat         |          |             |                 |             |          |
| end_repeat         |          |             |                 |             |          |
"""
FAMILY: dict[str, Any] = {
    "nom": "Amina",
    "lettres": "a b",
    "g": {"age": 40},
    "enfants": [
        {"prenom": "Ali", "annee": 2010, "ecoles": []},
        {},
        {
            "prenom": "Zineb",
            "annee": "2.5",
            "ecoles": [
                {"h": {"ville": "Tiznit", "notes": [{"note": 12.5}, {"note": "9"}]}},
                {"h": {"ville": "Agadir", "notes": [{"note": 15}]}},
            ],
        },
    ],
}
ROWS = "| type | name | privacy |\n"


LISTED = """
| type                | name  | privacy |
| select_one lettre   | sexe  | quasi   |
| select_multiple lettre | besoins | quasi |
"""


def test_a_code_that_its_list_does_not_have_is_a_finding_and_never_an_answer(lab: Lab) -> None:
    lab.deploy(form(LISTED))
    lab.store(
        Row("uuid:1", {"sexe": "a", "besoins": "a b"}),
        Row("uuid:2", {"sexe": "Amina 0612345678", "besoins": "a Amina"}),
    )
    lab.stage()
    assert lab.rows("select sexe, besoins from staging.essai order by submission_id") == [
        {"sexe": "a", "besoins": ["a", "b"]},
        {"sexe": None, "besoins": ["a"]},
    ]
    assert lab.misfits() == ["besoins", "sexe"]


def names(lab: Lab, table: str = "essai") -> set[str]:
    return {row["column_name"] for row in lab.rows(f"describe staging.{table}")} - set(staging.SYSTEM_COLUMNS)


@pytest.mark.parametrize("kind", ["central", "local"])
def test_repeats_within_repeats_become_tables_with_positions(lab: Lab, kind: Kind) -> None:
    lab.deploy(form(VISIT))
    lab.store(Row("uuid:1", FAMILY), Row("uuid:2", {"nom": "Brahim"}), Row("uuid:3", {"enfants": []}), kind=kind)
    lab.stage()
    assert lab.rows("select submission_id, lettres, age from staging.essai order by 1") == [
        {"submission_id": "uuid:1", "lettres": ["a", "b"], "age": 40},
        {"submission_id": "uuid:2", "lettres": None, "age": None},
        {"submission_id": "uuid:3", "lettres": None, "age": None},
    ]
    select = (
        "select * exclude (submission_id, instance_id, server, form_version, submitted_at, updated_at, review_state)"
    )
    assert lab.rows(f"{select} replace (prenom_pseudo is not null as prenom_pseudo) from staging.essai__enfants") == [
        {"position": 1, "prenom_pseudo": True, "annee": 2010},
        {"position": 2, "prenom_pseudo": True, "annee": None},
    ]
    assert lab.rows(f"{select} from staging.essai__ecoles") == [
        {"position_enfants": 2, "position": 1, "ville": "Tiznit"},
        {"position_enfants": 2, "position": 2, "ville": "Agadir"},
    ]
    assert lab.rows(f"{select} from staging.essai__notes order by all") == [
        {"position_enfants": 2, "position_ecoles": 1, "position": 1, "note": 12.5},
        {"position_enfants": 2, "position_ecoles": 1, "position": 2, "note": 9.0},
        {"position_enfants": 2, "position_ecoles": 2, "position": 1, "note": 15.0},
    ]
    assert lab.rows("select staging_table, position, question from staging.misfit") == [
        {"staging_table": "essai__enfants", "position": 2, "question": "annee"}
    ]


def test_every_table_and_column_says_what_it_is_in_french_and_arabic(lab: Lab) -> None:
    lab.deploy(form(VISIT))
    lab.stage()
    tables = dict(
        lab.connection.execute("select table_name, comment from duckdb_tables() where schema_name='staging'").fetchall()
    )
    assert tables["essai__enfants"].endswith("· Enfant")
    found = "select table_name, column_name, comment from duckdb_columns() where schema_name = 'staging'"
    comments = {(t, c): text for t, c, text in lab.connection.execute(found).fetchall() if t != "misfit"}
    assert comments["essai", "lettres"] == "Quelles lettres ? · أي حروف؟ · Plusieurs. · Liste : lettre."
    assert comments["essai__notes", "note"] == "Note · نقطة"
    assert all(comments.values())


def test_a_row_keeps_what_its_server_says_of_it(lab: Lab) -> None:
    lab.deploy(form(VISIT))
    lab.store(Row("uuid:1", {}, "uuid:9", "7", updated="2021-02-01T00:00:00Z", review="rejected"))
    lab.stage()
    (row,) = lab.rows(f"select {', '.join(staging.SYSTEM_COLUMNS)} from staging.essai")
    assert [str(value) for value in row.values()] == [
        *("uuid:1", "uuid:9", "central", "7", "2021-01-05 10:00:00", "2021-02-01 00:00:00", "rejected")
    ]


def test_only_the_latest_version_of_a_submission_is_staged(lab: Lab) -> None:
    lab.deploy(form(VISIT))
    lab.store(Row("uuid:1", FAMILY), Row("uuid:2", {"g": {"age": 20}}))
    lab.store(Row("uuid:1", {"g": {"age": "quarante"}, "enfants": [{"annee": 2012}]}, "uuid:9", review="edited"))
    lab.stage()
    assert lab.rows("select submission_id, instance_id, age from staging.essai order by all") == [
        {"submission_id": "uuid:1", "instance_id": "uuid:9", "age": None},
        {"submission_id": "uuid:2", "instance_id": "uuid:2", "age": 20},
    ]
    assert lab.column("select annee from staging.essai__enfants") == [2012]
    assert lab.misfits() == ["age"]


def test_deleted_submissions_leave_and_restored_ones_return(lab: Lab) -> None:
    lab.deploy(form(VISIT))
    row = Row("uuid:1", FAMILY)
    for deleted, count in ((None, 1), ("2021-02-01T00:00:00Z", 0), (None, 1)):
        lab.store(replace(row, deleted=deleted))
        lab.stage()
        assert lab.column("select count(*) from staging.essai") == [count]
        assert lab.column("select count(*) from staging.essai__enfants") == [2 * count]
        assert len(lab.misfits()) == count


def test_two_servers_are_united_each_in_its_dialect(lab: Lab) -> None:
    lab.deploy(form(VISIT), server="https://odk.example.org")
    lab.deploy(form(VISIT), server="local")
    lab.store(Row("uuid:1", {"g": {"age": 40}}), kind="central", server="https://odk.example.org")
    lab.store(Row("uuid:2", {"g": {"age": "41"}}), kind="local")
    lab.stage()
    found = lab.rows("select server, age from staging.essai order by age")
    assert found == [{"server": "https://odk.example.org", "age": 40}, {"server": "local", "age": 41}]


def test_a_question_dropped_keeps_its_answers_and_a_new_one_has_none_before(lab: Lab) -> None:
    lab.deploy(form(ROWS + "| text | ancienne | public |\n| text | a | public |", "1"))
    lab.deploy(form(ROWS + "| text | a | public |\n| integer | nouvelle | public |", "2"))
    lab.store(Row("uuid:1", {"ancienne": "gardée", "a": "x"}), Row("uuid:2", {"a": "y", "nouvelle": 3}, version="2"))
    lab.stage()
    assert lab.rows("select ancienne, a, nouvelle from staging.essai order by submission_id") == [
        {"ancienne": "gardée", "a": "x", "nouvelle": None},
        {"ancienne": None, "a": "y", "nouvelle": 3},
    ]


def test_a_question_retyped_is_read_as_its_newest_version_says(lab: Lab) -> None:
    lab.deploy(form(ROWS + "| text | q | public |", "1"), form(ROWS + "| integer | q | public |", "2"))
    lab.store(Row("uuid:1", {"q": "douze"}), Row("uuid:2", {"q": "12"}))
    lab.stage()
    assert lab.column("select q from staging.essai order by submission_id") == [None, 12]
    assert lab.misfits() == ["q"]


GROUPED = "| begin_group | {0} | |\n| text | q | public |\n| end_group | | |"


def test_a_question_moved_to_another_group_stays_one_column(lab: Lab) -> None:
    lab.deploy(*(form(ROWS + GROUPED.format(group), group) for group in ("un", "deux", "trois")))
    answers: list[dict[str, Any]] = [
        {"un": {"q": "1"}},
        {"deux": {"q": "2"}},
        {"trois": {"q": "3"}, "un": {"q": "old"}},
    ]
    lab.store(*(Row(f"uuid:{number}", answer) for number, answer in enumerate(answers)))
    lab.stage()
    assert names(lab) == {"q"}
    assert lab.column("select q from staging.essai order by submission_id") == ["1", "2", "3"]


def test_a_group_that_became_a_repeat_does_not_stop_the_build(lab: Lab) -> None:
    group, repeat = (ROWS + GROUPED.format("g").replace("group", kind) for kind in ("group", "repeat"))
    lab.deploy(form(group, "1"), form(repeat, "2"), form(ROWS + "| text | g | public |", "3"), form(repeat, "4"))
    lab.store(Row("uuid:1", {"g": {"q": "1"}}), Row("uuid:2", {"g": [{"q": "2"}]}), Row("uuid:3", {"g": "texte"}))
    lab.stage()
    assert lab.column("select q from staging.essai__g") == ["2"]
    assert lab.column("select count(*) from staging.essai") == [3]


def test_a_repeat_dropped_keeps_its_rows(lab: Lab) -> None:
    repeat = GROUPED.format("r").replace("group", "repeat")
    lab.deploy(form(ROWS + repeat, "1"), form(ROWS + "| text | a | public |", "2"))
    lab.store(Row("uuid:1", {"r": [{"q": "x"}]}))
    lab.stage()
    assert lab.column("select q from staging.essai__r") == ["x"]


def test_names_that_collide_are_told_apart_by_their_path(lab: Lab) -> None:
    table = ROWS + "\n".join(
        [
            GROUPED.format("un"),
            GROUPED.format("deux").replace("| q |", "| Q |"),
            "| text | server | public |",
            "| text | seul | identifying |",
            "| text | seul_pseudo | public |",
        ]
    )
    lab.deploy(form(table))
    answers = {"un": {"q": "1"}, "deux": {"Q": "2"}, "server": "3", "seul": "4", "seul_pseudo": "5"}
    lab.store(Row("uuid:1", answers))
    lab.stage()
    assert names(lab) == {"un__q", "deux__Q", "server_", "seul_pseudo", "seul_pseudo_"}
    assert lab.rows("select un__q, deux__Q, server_, server, seul_pseudo_ from staging.essai") == [
        {"un__q": "1", "deux__Q": "2", "server_": "3", "server": "central", "seul_pseudo_": "5"}
    ]


def test_repeats_whose_names_differ_only_in_case_are_two_tables(lab: Lab) -> None:
    repeats = [GROUPED.format(name).replace("group", "repeat") for name in ("r", "R")]
    wrapped = [f"| begin_group | g{number} | |\n{repeat}\n| end_group | | |" for number, repeat in enumerate(repeats)]
    lab.deploy(form(ROWS + "\n".join(wrapped)))
    lab.store(Row("uuid:1", {"g0": {"r": [{"q": "1"}]}, "g1": {"R": [{"q": "2"}]}}))
    lab.stage()
    assert lab.column("select q from staging.essai__g0__r") == ["1"]
    assert lab.column("select q from staging.essai__g1__R") == ["2"]


@pytest.mark.parametrize("key", ["courte", "clé accentuée", "x" * 200])
def test_a_pseudonym_is_the_hmac_of_the_answer_and_the_same_everywhere(lab: Lab, settings: Settings, key: str) -> None:
    chosen = settings.model_copy(update={"pseudonym_key": SecretStr(key)})
    lab.deploy(form(VISIT))
    lab.store(Row("uuid:1", {"nom": "أمينة é", "enfants": [{"prenom": "أمينة é"}]}), Row("uuid:2", {"nom": "Zineb"}))
    lab.stage(pads=privacy.pads(chosen))
    expected = hmac.new(key.encode(), "أمينة é".encode(), hashlib.sha256).hexdigest()[:32]
    first, second = lab.column("select nom_pseudo from staging.essai order by submission_id")
    assert [first, *lab.column("select prenom_pseudo from staging.essai__enfants")] == [expected, expected]
    assert second != expected


@pytest.mark.parametrize("warehouse_key", ["", "coffre"])
def test_neither_the_key_nor_an_identifying_answer_leaves_raw(tmp_path: Path, warehouse_key: str) -> None:
    key, phone = "cle-des-pseudonymes", "0600000042"
    settings = Settings(data=tmp_path / "data", pseudonym_key=SecretStr(key), warehouse_key=SecretStr(warehouse_key))
    pads = privacy.pads(settings)
    with db.warehouse(settings) as connection:
        raw.create(connection)
        lab = Lab(connection, tmp_path)
        lab.deploy(form(VISIT))
        lab.store(Row("uuid:1", {"nom": phone, "enfants": [{"prenom": phone}]}))
        lab.stage(pads=pads)
        pseudonym = lab.column("select nom_pseudo from staging.essai")[0]
        assert lab.column("select getvariable('inner_pad'), getvariable('outer_pad')") == [None]
        assert lab.column("select count(*) from duckdb_tables() where temporary") == [0]
        db.attach(connection, tmp_path / "exported.duckdb", "exported")
        for table in lab.column("select table_name from duckdb_tables() where schema_name = 'staging'"):
            connection.execute(f"create table exported.{table} as from staging.{table}")
        connection.execute("detach exported")
    exported = (tmp_path / "exported.duckdb").read_bytes()
    private = b"".join(path.read_bytes() for path in settings.data.rglob("*") if path.is_file())
    assert pseudonym.encode() in exported
    assert phone.encode() not in exported
    assert (b"observed_at" in private) is (not warehouse_key)
    assert phone.encode() not in private or not warehouse_key
    for secret in (key.encode(), *pads):
        assert secret not in exported
        assert secret not in private
