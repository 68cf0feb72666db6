"""Forms from elsewhere: a file, or a revision of a repository made for the test."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import history, schema

Write = Callable[..., Path]

CANAL = """
    survey
    | type             | name  | label | privacy |
    | select_one canal | canal | Canal | public  |
    choices
    | list_name | name | label |
    | canal     | tel  | Tél.  |
"""


def git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=essai", "-c", "user.email=essai@example.org"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(write: Write, tmp_path: Path) -> Path:
    """A repository whose first revision asks `canal` and whose files ask `moyen`."""
    forms = write(CANAL).parent
    shutil.move(forms, tmp_path / "forms" / "essai")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "canal")
    shutil.move(write(CANAL.replace("| canal | Canal", "| moyen | Canal")), tmp_path / "forms" / "essai" / "essai.xlsx")
    return tmp_path


def names(xform: bytes) -> list[str]:
    return [question.name for question in schema.read(xform).root.questions]


def test_a_revision_holds_the_forms_as_they_were(root: Path) -> None:
    found = history.xforms("HEAD", root)

    assert {form_id: names(xform) for form_id, xform in found.items()} == {"essai": ["canal"]}


def test_the_files_here_stay_as_they_are(root: Path) -> None:
    before = {path: path.read_bytes() for path in root.rglob("*.xlsx")}

    history.xforms("HEAD", root)

    assert {path: path.read_bytes() for path in root.rglob("*.xlsx")} == before


def test_a_spreadsheet_may_be_anywhere_under_any_name(root: Path) -> None:
    copy = root / "ancien formulaire.xlsx"
    shutil.copy(root / "forms/essai/essai.xlsx", copy)

    assert {form_id: names(xform) for form_id, xform in history.xforms(str(copy)).items()} == {"essai": ["moyen"]}


def test_a_compiled_form_is_read_as_it_is(root: Path) -> None:
    compiled = root / "essai.xml"
    compiled.write_bytes(history.xforms("HEAD", root)["essai"])

    assert history.xforms(str(compiled)) == {"essai": compiled.read_bytes()}


@pytest.mark.parametrize("source", ["jamais", "--output=x", "forms/essai.xls"])
def test_what_is_neither_file_nor_revision_is_refused(root: Path, source: str) -> None:
    with pytest.raises(FormError, match="FORM-030"):
        history.xforms(source, root)
