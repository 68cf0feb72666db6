"""How one answer becomes one typed column, and when it does not fit."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from tests.warehouse.lab import Kind, Lab, Row, form
from tpm_pipeline.records import Question
from tpm_pipeline.warehouse import columns

LONG = "Ligne 1\nLigne 2\t«é» 👩‍🌾 \u200fمرحبا\u200f '; drop table x; --"
POINT = {"type": "Point", "coordinates": [-9.59815, 30.42018, 12.5], "properties": {"accuracy": 4.5}}
HERE = {"latitude": 30.42018, "longitude": -9.59815, "altitude": 12.5, "accuracy": 4.5}
PLAIN = {"latitude": 30.42018, "longitude": -9.59815, "altitude": None, "accuracy": None}

FITS: list[tuple[str, Any, Any]] = [
    ("text", LONG, LONG),
    ("text", "", None),
    ("text", None, None),
    ("text", "NaN", "NaN"),
    ("calculate", "NaN", "NaN"),
    ("calculate", "007", "007"),
    ("integer", 12, 12),
    ("integer", "12", 12),
    ("integer", "12.0", 12),
    ("integer", "-3", -3),
    ("integer", "+5", 5),
    ("integer", "007", 7),
    ("integer", "9007199254740993", 9007199254740993),
    ("integer", "", None),
    ("decimal", 12.5, 12.5),
    ("decimal", "12.5", 12.5),
    ("decimal", 0.1, 0.1),
    ("decimal", "1e3", 1000.0),
    ("date", "2024-02-29", date(2024, 2, 29)),
    ("date", "2024-02-29T10:00:00.000+01:00", date(2024, 2, 29)),
    ("date", "2021-01-05T00:00:00Z", date(2021, 1, 5)),
    ("dateTime", "2026-11-20T00:30:00.000+01:00", datetime.fromisoformat("2026-11-19 23:30:00")),
    ("dateTime", "2026-11-20T12:00:00.000+01", datetime.fromisoformat("2026-11-20 11:00:00")),
    ("time", "08:15:30.000+01:00", time(8, 15, 30)),
    ("time", "08:15", time(8, 15)),
    ("select_one lettre", "a", "a"),
    ("select_multiple lettre", "b a", ["b", "a"]),
    ("select_multiple lettre", " a  b ", ["a", "b"]),
    ("select_multiple lettre", "a\tb", ["a", "b"]),
    ("select_multiple lettre", "a a", ["a", "a"]),
    ("select_multiple lettre", "a", ["a"]),
    ("select_multiple lettre", "", None),
    ("select_multiple lettre", " ", None),
    ("geopoint", POINT, HERE),
    ("geopoint", "30.42018 -9.59815 12.5 4.5", HERE),
    ("geopoint", "30.42018 -9.59815", PLAIN),
    ("image", "photo 1.jpg", "photo 1.jpg"),
]

MISFITS: list[tuple[str, Any]] = [
    ("integer", 1.7),
    ("integer", "1.7"),
    ("integer", "abc"),
    ("integer", "NaN"),
    ("integer", "1_000"),
    ("integer", " 12 "),
    ("integer", "1e2"),
    ("integer", "99999999999999999999"),
    ("decimal", "NaN"),
    ("decimal", "inf"),
    ("decimal", "-Infinity"),
    ("decimal", "1e999"),
    ("decimal", "1,5"),
    ("date", "2021-02-31"),
    ("date", "31/01/2021"),
    ("date", "2021"),
    ("date", "2021-1-5"),
    ("date", " 021-01-05"),
    ("date", "2021-01-5 "),
    ("date", "12021-01-05"),
    ("select_one lettre", "A"),
    ("select_one lettre", "a b"),
    ("select_one lettre", " a"),
    ("dateTime", "2021-02-31T10:00:00Z"),
    ("dateTime", "2021-01-31"),
    ("time", "25:00"),
    ("time", "tôt"),
    ("geopoint", "ici"),
    ("geopoint", {"type": "Point", "coordinates": []}),
]


def stored(lab: Lab, kind: str, value: Any, server: Kind = "central") -> Any:
    """What staging makes of one answer to one public question."""
    lab.deploy(form(f"| type | name | privacy | calculation |\n| {kind} | q | public | {calculation(kind)} |"))
    lab.store(Row("uuid:1", {"q": value}), kind=server)
    lab.stage()
    return lab.column("select q from staging.essai")[0]


def calculation(kind: str) -> str:
    return "1 + 1" if kind == "calculate" else ""


@pytest.mark.parametrize("server", ["central", "local"])
@pytest.mark.parametrize(("kind", "value", "expected"), FITS)
def test_an_answer_that_fits_is_typed(lab: Lab, kind: str, value: Any, expected: Any, server: Kind) -> None:
    found = stored(lab, kind, value, server)
    assert found == expected
    assert not isinstance(found, Decimal)
    assert type(found) is type(expected)
    assert lab.misfits() == []


@pytest.mark.parametrize(("kind", "value"), MISFITS)
def test_an_answer_that_does_not_fit_is_null_and_found_while_raw_keeps_it(lab: Lab, kind: str, value: Any) -> None:
    assert stored(lab, kind, value) is None
    assert lab.rows("from staging.misfit") == [
        {"form_id": "essai", "staging_table": "essai", "submission_id": "uuid:1", "position": None, "question": "q"}
    ]
    (kept,) = lab.column("select json_extract(payload, '$.q') = to_json(?) from raw.submission", value)
    assert kept or isinstance(value, dict)


@pytest.mark.parametrize(
    ("value", "kept"), [("a c b", ["a", "b"]), ("c", []), (" A  b", ["b"]), ("a,b", []), ("b\tc", ["b"])]
)
def test_of_several_codes_those_of_the_list_are_kept_and_the_others_found(
    lab: Lab, value: str, kept: list[str]
) -> None:
    assert stored(lab, "select_multiple lettre", value) == kept
    assert lab.misfits() == ["q"]


@pytest.mark.parametrize("kind", ["text", "integer", "date", "geopoint", "select_multiple lettre"])
@pytest.mark.parametrize("privacy", ["identifying", ""])
def test_identifying_and_unclassified_answers_of_any_type_are_pseudonyms(lab: Lab, kind: str, privacy: str) -> None:
    lab.deploy(form(f"| type | name | privacy |\n| {kind} | q | {privacy} |"))
    lab.store(Row("uuid:1", {"q": "31/02"}), Row("uuid:2", {"q": ""}))
    lab.stage()
    first, second = lab.column("select q_pseudo from staging.essai order by submission_id")
    assert len(first) == 32
    assert second is None
    assert lab.misfits() == []


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            Question(
                ("g", "q"), "select_one", "public", {"fr": "Quoi ?", "ar": "ماذا؟"}, {"fr": "Une lettre."}, "lettre"
            ),
            "Quoi ? · ماذا؟ · Une lettre. · Liste : lettre.",
        ),
        (Question(("q",), "string", "quasi", {}, {}, calculated=True), "Calcul : q."),
        (Question(("q",), "string", "quasi", {}, {}), "Question : q."),
        (
            Question(("q",), "string", None, {"fr": "Nom"}, {}),
            "Nom · Pseudonyme (HMAC) : la réponse reste dans la base privée.",
        ),
    ],
)
def test_a_column_says_what_was_asked(question: Question, expected: str) -> None:
    assert columns.comment(question) == expected
