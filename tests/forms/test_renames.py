"""Declared renames: what the file says, and what of it the form does not bear out."""

from pathlib import Path

import pytest

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms.renames import Place, Rename, Ways, problems, read
from tpm_pipeline.records import FormSchema, Question, Table

HEADER = "ancien,nouveau,date,raison\n"


def question(path: str) -> Question:
    return Question(tuple(path.split("/")), "string", "public", {}, {})


def form(*paths: str, repeat: str = "g/r", asked: tuple[str, ...] = ("g/r/x",)) -> FormSchema:
    """A form with these questions, and one repeat."""
    held = Table(tuple(repeat.split("/")), tuple(map(question, asked)))
    return FormSchema("essai", "1", "Essai", Table((), tuple(map(question, paths)), (held,)), {})


def written(folder: Path, *lines: str) -> tuple[Rename, ...]:
    (folder / "essai").mkdir(exist_ok=True)
    (folder / "essai/renames.csv").write_text(HEADER + "\n".join(lines), encoding="utf-8")
    return read("essai", folder)


def renames(*pairs: tuple[str, str]) -> list[Rename]:
    return [Rename(tuple(old.split("/")), tuple(new.split("/")), f"line {n}") for n, (old, new) in enumerate(pairs, 2)]


def ways(versions: list[FormSchema], *pairs: tuple[str, str]) -> Ways:
    return Ways(renames(*pairs), versions)


def place(path: str) -> Place:
    return tuple(path.split("/"))


def test_a_form_without_the_file_has_none(tmp_path: Path) -> None:
    assert read("essai", tmp_path) == ()


def test_each_line_is_a_rename_with_its_place(tmp_path: Path) -> None:
    assert written(tmp_path, "g/a,g/b,2026-01-31,plus clair", 'c, d ,2026-02-01,"mot, juste"') == (
        Rename(("g", "a"), ("g", "b"), f"{tmp_path.name}/essai/renames.csv, line 2"),
        Rename(("c",), ("d",), f"{tmp_path.name}/essai/renames.csv, line 3"),
    )


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (["a,b,2026-01-31"], "The columns are not"),
        (["a,b,2026-01-31,r,s"], "The columns are not"),
        (["a,,2026-01-31,r"], "A name or the reason is missing"),
        (["g//a,b,2026-01-31,r"], "A name or the reason is missing"),
        (["a,b,2026-01-31, "], "A name or the reason is missing"),
        (["a,b,31/01/2026,r"], "«31/01/2026» is no date"),
        (["a,b,2026-01-31,r", "a,c,2026-01-31,r"], "«a» is renamed on another line too"),
        (['a,b,2026-01-31,"r'], "no CSV file"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, lines: list[str], cause: str) -> None:
    with pytest.raises(FormError, match=f"FORM-016 · .*renames.csv.*{cause}"):
        written(tmp_path, *lines)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "essai").mkdir()
    (tmp_path / "essai/renames.csv").write_bytes(b"ancien,nouveau,date,raison\na,b,2026-01-31,\xe9t\xe9\n")
    with pytest.raises(FormError, match=r"FORM-016 · .*UTF-8"):
        read("essai", tmp_path)


@pytest.mark.parametrize("lines", [["a,a"], ["a,b", "b,a"], ["z,a", "a,b", "b,c", "c,b"]])
def test_a_name_that_comes_back_to_itself_is_refused(tmp_path: Path, lines: list[str]) -> None:
    with pytest.raises(FormError, match=r"FORM-019 · .*comes back to"):
        written(tmp_path, *(f"{line},2026-01-31,r" for line in lines))


@pytest.mark.parametrize(
    ("pairs", "code"),
    [
        ([("a", "b")], None),
        ([("a", "g/c")], None),
        ([("a", "c")], None),
        ([("g/a", "g/c")], None),
        ([("z", "a"), ("a", "b")], None),
        ([("vieux", "r")], None),
        ([("vieux/r", "g/r"), ("vieux/r/y", "g/r/x")], None),
        ([("y", "x")], None),
        ([("vieux", "g")], None),
        ([("a", "absent")], "FORM-017"),
        ([("a", "h/c")], "FORM-017"),
        ([("a", "deux")], "FORM-017"),
        ([("c", "b")], "FORM-018"),
        ([("g/c", "b")], "FORM-018"),
        ([("g", "b")], "FORM-018"),
        ([("a", "b"), ("b", "g/c")], "FORM-018"),
        ([("g/r/y", "b")], "FORM-025"),
        ([("g/y", "g/r/x")], "FORM-025"),
    ],
)
def test_what_the_form_does_not_bear_out_is_named(pairs: list[tuple[str, str]], code: str | None) -> None:
    here = form("b", "g/c", "g/deux", "h/deux")
    assert [problem.code for problem in problems(renames(*pairs), here)] == ([code] if code else [])


def test_an_old_place_leads_to_todays_through_each_name_it_had() -> None:
    found = ways([form("g/c")], ("g/a", "g/b"), ("g/b", "g/c"))
    assert found.now(place("g/a")) == place("g/c")
    assert found.before(place("g/c")) == (place("g/b"), place("g/a"))


def test_what_stands_in_a_renamed_group_or_repeat_goes_with_it() -> None:
    found = ways([form("g/c")], ("vieux", "g"), ("vieux/d", "g/c"))
    assert found.now(place("vieux/r/x")) == place("g/r/x")
    assert found.before(place("g/r/x")) == (place("vieux/r/x"),)
    assert found.before(place("g/c")) == (place("vieux/d"), place("vieux/c"))
    assert found.home(place("g/r/x")) == place("g/r")


def test_a_bare_name_is_looked_for_where_versions_had_it() -> None:
    assert ways([form("h/a"), form("g/b")], ("a", "b")).before(place("g/b")) == (place("h/a"),)


def test_a_bare_name_that_no_version_had_stands_beside_the_new_one_or_outside_its_groups() -> None:
    assert ways([form("g/b")], ("a", "b")).before(place("g/b")) == (place("g/a"), place("a"))
    inside = form("b", asked=("g/r/h/x",))
    assert ways([inside], ("y", "x")).before(place("g/r/h/x")) == (place("g/r/h/y"), place("g/r/y"))


def test_a_new_name_that_is_not_deployed_yet_stands_where_the_old_one_did() -> None:
    found = ways([form("g/a")], ("a", "b"))
    assert found.now(place("g/a")) == place("g/b")


def test_two_questions_of_the_newest_version_stay_two() -> None:
    found = ways([form("a"), form("a", "b")], ("a", "b"))
    assert found.now(place("a")) == place("a")
    assert found.before(place("b")) == ()
