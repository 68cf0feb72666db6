"""The export read: every answer finds its place, or the submission is left alone."""

import io
from collections.abc import Sequence
from typing import Any
from zipfile import ZipFile

import pytest

from tpm_pipeline.errors import ServerUnavailableError
from tpm_pipeline.servers import central_export as export
from tpm_pipeline.servers.central_export import Export
from tpm_pipeline.servers.central_versions import Shape

SYSTEM = (
    "KEY,SubmitterID,SubmitterName,AttachmentsPresent,AttachmentsExpected,Status,ReviewState,DeviceID,Edits,FormVersion"
)
ROOT = "uuid:1"
Path = tuple[str, ...]


def zipped(**members: str | bytes) -> bytes:
    """A zip; `_` in a keyword begins a folder."""
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("media_", "media/"), content)
    return file.getvalue()


def table(columns: str, *lines: str, root: str = ROOT) -> str:
    """The table of the submissions: one line for each."""
    begin = f"SubmissionDate,{columns + ',' if columns else ''}{SYSTEM}"
    ends = [f"{root},5,x,0,1,,,,0,1" for _ in lines]
    return "\n".join(
        [begin, *(f"2026-11-02,{line}{',' if line else ''}{end}" for line, end in zip(lines, ends, strict=True))]
    )


def told(
    columns: str, line: str, answers: Sequence[Path], *tables: str, repeats: Sequence[Path] = (), root: str = ROOT
) -> dict[str, Any] | None:
    """The answers of a submission, by its line and the tables of its repeats."""
    members = {f"form-{number}.csv": content for number, content in enumerate(tables)}
    found = export.read("here", zipped(**{"form.csv": table(columns, line, root=root)}, **members))
    return found.answers(root, Shape(frozenset(answers), frozenset(repeats)))


def test_a_column_is_the_path_of_a_question() -> None:
    assert told("nom,g-h-x,meta-instanceID", "Amina,,uuid:1", [("nom",), ("g", "h", "x")]) == {
        "nom": "Amina",
        "meta": {"instanceID": "uuid:1"},
    }
    assert told("g-h-x", "1", [("g", "h", "x")]) == {"g": {"h": {"x": "1"}}}


@pytest.mark.parametrize(
    ("cells", "point"), [("30.4,-9.6,12,5", "30.4 -9.6 12 5"), ("30.4,-9.6,,", "30.4 -9.6"), (",,,", None)]
)
def test_the_parts_of_a_point_are_one_answer(cells: str, point: str | None) -> None:
    columns = ",".join(f"g-lieu-{part}" for part in ("Latitude", "Longitude", "Altitude", "Accuracy"))
    assert told(columns, cells, [("g", "lieu")]) == ({"g": {"lieu": point}} if point else {})


@pytest.mark.parametrize(
    ("column", "answers", "found"),
    [
        ("dot-name", [("dot-name",)], {"dot-name": "x"}),
        ("a-b-c", [("a-b", "c")], {"a-b": {"c": "x"}}),
        ("a-b-c", [("a-b", "c"), ("a", "b-c")], None),
        ("lieu-Latitude", [("lieu",), ("lieu-Latitude",)], None),
        ("enfants_count", [], {"enfants_count": "x"}),
        ("g-enfants_count", [("g", "enfants", "x")], {"g": {"enfants_count": "x"}}),
        ("inconnu-x", [], None),
        ("meta-entity-label", [], {"meta": {"entity": {"label": "x"}}}),
    ],
)
def test_a_column_that_may_be_two_questions_leaves_the_submission_alone(
    column: str, answers: list[Path], found: dict[str, Any] | None
) -> None:
    repeats = [("g", "enfants")]
    assert told(column, "x", answers, repeats=repeats) == found
    assert told(column, " ", answers, repeats=repeats) == {}


def test_of_two_columns_with_one_name_only_an_empty_one_is_no_matter() -> None:
    # Two versions had `a/b-c` and `a-b/c`: this one has the first.
    assert told("a-b-c,a-b-c", "x,", [("a", "b-c")]) == {"a": {"b-c": "x"}}
    assert told("a-b-c,a-b-c", "x,y", [("a", "b-c")]) is None


def test_repeats_in_repeats_come_in_their_order_and_empty_iterations_count() -> None:
    outer = "prenom,PARENT_KEY,KEY\nUn,uuid:1,uuid:1/g/enfants[1]\n,uuid:1,uuid:1/g/enfants[2]"
    inner = (
        "h-jouet,PARENT_KEY,KEY\nb,uuid:1/g/enfants[1],uuid:1/g/enfants[1]/h/jouets[2]\n"
        "a,uuid:1/g/enfants[1],uuid:1/g/enfants[1]/h/jouets[1]"
    )
    enfants, jouets = ("g", "enfants"), ("g", "enfants", "h", "jouets")
    answers = [(*enfants, "prenom"), (*jouets, "h", "jouet")]

    found = told("nom", "x", [("nom",), *answers], outer, inner, repeats=[enfants, jouets])

    iterations = [{"h": {"jouet": "a"}}, {"h": {"jouet": "b"}}]
    assert found == {"nom": "x", "g": {"enfants": [{"prenom": "Un", "h": {"jouets": iterations}}, {}]}}


def test_what_repeats_against_the_form_leaves_the_submission_alone() -> None:
    assert told("nom", "x", [("nom",)], "x,PARENT_KEY,KEY\n1,uuid:1,uuid:1/enfants[1]") is None


def test_another_submissions_iterations_are_not_its_own() -> None:
    other = "x,PARENT_KEY,KEY\n1,uuid:12,uuid:12/r[1]"
    assert told("nom", "n", [("nom",), ("r", "x")], other, repeats=[("r",)]) == {"nom": "n"}


def test_an_identifier_may_hold_anything() -> None:
    root = "visite é/1"
    mine = f"x,PARENT_KEY,KEY\n1,{root},{root}/r[1]"
    assert told("nom", "n", [("nom",), ("r", "x")], mine, repeats=[("r",)], root=root) == {
        "nom": "n",
        "r": [{"x": "1"}],
    }


@pytest.mark.parametrize("text", ['a,"b"', "deux\nlignes", "deux\r\nlignes", "seul\rretour", "ض 📷", "x" * 200_000])
def test_any_text_comes_whole(text: str) -> None:
    quoted = f'"{text.replace(chr(34), chr(34) * 2)}"' if set(text) & set(',"\n') else text
    assert told("nom", quoted, [("nom",)]) == {"nom": text.replace("\r\n", "\n").replace("\r", "\n")}


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.9])
def test_a_zip_that_is_cut_is_not_believed(kept: float) -> None:
    whole = zipped(**{"form.csv": table("nom", "x" * 500)})
    with pytest.raises(ServerUnavailableError, match="SRV-005"):
        export.read("here", whole[: int(len(whole) * kept)])


def test_a_zip_with_a_wrong_checksum_is_not_believed() -> None:
    whole = bytearray(zipped(**{"form.csv": table("nom", "Amina")}))
    whole[whole.index(b"Amina")] ^= 1
    with pytest.raises(ServerUnavailableError, match="SRV-005"):
        export.read("here", bytes(whole))


def test_a_table_that_is_cut_is_not_believed() -> None:
    with pytest.raises(ServerUnavailableError, match="SRV-005"):
        export.read("here", zipped(**{"form.csv": table("nom", "x").rpartition(",")[0]}))


def files(*media: tuple[str, bytes], logs: Sequence[Sequence[str]] = ()) -> Export:
    return Export({}, [], logs, media)


def test_a_file_is_found_under_the_name_central_gives_it() -> None:
    found = files(("ab.jpg", b"1"), ("photo un.jpg", b"2"))
    assert (found.file(ROOT, "a?b.jpg"), found.file(ROOT, "photo un.jpg")) == (b"1", b"2")
    assert found.file(ROOT, "c.jpg") is None


def test_two_files_with_one_name_are_nobodys() -> None:
    assert files(("a.jpg", b"1"), ("a.jpg", b"2")).file(ROOT, "a.jpg") is None


def test_a_log_is_its_submissions_own() -> None:
    lines = [["instance ID", "event", "start"], [ROOT, "form start", "1"], ["uuid:2", "jump", "2"]]
    assert files(logs=lines).file(ROOT, "audit.csv") == b"event,start\r\nform start,1\r\n"
    assert files().file(ROOT, "audit.csv") is None


def test_an_identifier_with_a_quote_cannot_be_asked_for() -> None:
    assert export.can_be_named("uuid:1")
    assert not export.can_be_named("l'une")


def test_a_question_whose_column_is_in_another_table_leaves_the_submission_alone() -> None:
    # As Central writes a question dropped from a repeat `r` when a later one's name begins with `r`.
    repeat = "x,PARENT_KEY,KEY\n1,uuid:1,uuid:1/r[1]"
    assert told("nom,r-y", "n,", [("nom",), ("r", "x"), ("r", "y")], repeat, repeats=[("r",)]) is None
