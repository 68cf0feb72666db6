from collections.abc import Callable
from pathlib import Path

from tpm_pipeline.forms import catalog, render
from tpm_pipeline.forms.check import check
from tpm_pipeline.records import Finding

Write = Callable[..., Path]

CANAL = """
    survey
    | type             | name  | label::Français (fr) | label::العربية (ar) | privacy |
    | select_one canal | canal | Canal               | القناة             | public  |
    choices
    | list_name | name | label::Français (fr) | label::العربية (ar) |
    | canal     | tel  | Téléphone           | الهاتف             |
"""


def found(path: Path, *form_ids: str) -> list[Finding]:
    """Check forms whose Markdown is fresh."""
    folder = path.parent.parent
    render.render_all(folder)
    return check(form_ids or ["essai"], folder)


def test_the_forms_are_clean() -> None:
    assert check(catalog.form_ids()) == []


def test_a_clean_form_has_no_findings(write: Write) -> None:
    assert found(write(CANAL)) == []


def test_names_are_short_snake_case_in_ascii(write: Write) -> None:
    tables = CANAL.replace("| canal | Canal", "| Moyen | Canal").replace("| tel ", "| té l").replace("canal", "Canaux")

    names = [(finding.code, finding.where.rpartition(", ")[2]) for finding in found(write(tables))]

    assert names == [("FORM-020", "survey row 2"), ("FORM-020", "choices row 2"), ("FORM-020", "choices row 2")]


def test_a_name_of_26_letters_is_too_long(write: Write) -> None:
    (finding,) = found(write(CANAL.replace("| canal | Canal", f"| {'a' * 26} | Canal")))

    assert finding.code == "FORM-020"


def test_french_and_arabic_go_together(write: Write) -> None:
    tables = CANAL.replace("القناة", "      ").replace("Téléphone", "         ")

    assert [(finding.code, finding.where.rpartition(", ")[2], finding.what) for finding in found(write(tables))] == [
        ("FORM-021", "survey row 2", "The label of «canal» has no العربية (ar)."),
        ("FORM-021", "choices row 2", "The label of «tel» has no Français (fr)."),
    ]


def test_a_list_has_the_same_choices_in_every_form(write: Write) -> None:
    write(CANAL, "autre")
    longer = CANAL + "| canal | sms | SMS | رسالة |\n"

    (finding,) = found(write(longer), "autre", "essai")

    assert finding.code == "FORM-022"
    assert finding.where.endswith("essai.xlsx, choices row 3")
    assert "«canal» is not the same as in" in finding.what
    assert finding.what.endswith("autre/autre.xlsx.")


def test_a_list_in_another_language_is_another_list(write: Write) -> None:
    write(CANAL, "autre")

    (finding,) = found(write(CANAL.replace("Téléphone", "Tél.")), "autre", "essai")

    assert (finding.code, finding.where.rpartition(", ")[2]) == ("FORM-022", "choices row 2")


def test_an_unclassified_question_is_found_before_compiling(write: Write) -> None:
    (finding,) = found(write(CANAL.replace("public", "")))

    assert (finding.code, finding.level) == ("FORM-006", "error")


def test_a_stale_markdown_is_found(write: Write) -> None:
    path = write(CANAL)

    (finding,) = check(["essai"], path.parent.parent)

    assert finding.code == "FORM-023"
    assert finding.where.endswith("essai/essai.md")
