from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import sheets

Write = Callable[..., Path]
Share = Callable[..., None]

ASKED = """
    survey
    | type                | name  |
    | select_one canal    | canal |
    | select_multiple age | ages  |
    choices
    | list_name | name  | label::Français (fr) | groupe |
    | age       | adult | Adulte               | a      |
"""


def test_a_row_keeps_the_number_excel_shows(write: Write) -> None:
    path = write("""
        survey
        | type | name | label |
        | text | a    | A     |
        |      |      |       |
        | text | b    |       |
    """)

    rows = sheets.read(path)["survey"].rows

    assert [(row.number, dict(row.cells)) for row in rows] == [
        (2, {"type": "text", "name": "a", "label": "A"}),
        (4, {"type": "text", "name": "b"}),
    ]


def test_numbers_booleans_and_spaces_of_excel_become_text(write: Write) -> None:
    path = write("survey\n| type | name | default | required | label |")
    book = openpyxl.load_workbook(path)
    book["survey"].append(["text", " a ", 1.0, True, "Prêt\u00a0?"])
    book.save(path)

    (row,) = sheets.read(path)["survey"].rows

    assert dict(row.cells) == {"type": "text", "name": "a", "default": "1", "required": "TRUE", "label": "Prêt ?"}


def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "essai.xlsx"
    path.write_text("type,name")

    with pytest.raises(FormError, match=r"FORM-001 .*essai\.xlsx: This is not an Excel workbook"):
        sheets.read(path)


def test_a_missing_sheet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "essai.xlsx"
    openpyxl.Workbook().save(path)

    with pytest.raises(FormError, match=r"FORM-002 .* «survey» is missing"):
        sheets.read(path)


def test_a_missing_column_is_named(write: Write) -> None:
    with pytest.raises(FormError, match=r"FORM-012 .*survey row 1: Missing columns: name\."):
        sheets.read(write("survey\n| type | label |"))


@pytest.mark.parametrize("missing", ["form_id", "version"])
def test_a_form_without_id_or_version_is_refused(write: Write, missing: str) -> None:
    values = {"form_id": "essai", "version": "1"} | {missing: ""}
    path = write(f"survey\n| type | name |\nsettings\n| {' | '.join(values)} |\n| {' | '.join(values.values())} |")

    with pytest.raises(FormError, match=rf"FORM-004 .*settings row 2: The {missing} is missing"):
        sheets.settings(path, sheets.read(path))


def test_a_form_has_the_name_of_its_folder(write: Write) -> None:
    path = write("survey\n| type | name |\nsettings\n| form_id | version |\n| autre | 1 |")

    with pytest.raises(FormError, match=r"FORM-005 .*settings row 2: The form_id is «autre» but the folder is «essai»"):
        sheets.settings(path, sheets.read(path))


def test_the_shared_lists_a_form_asks_for_come_below_its_own(write: Write, share: Share) -> None:
    share("sexe,f,Femme,امرأة", "canal,tel,Téléphone,الهاتف", "canal,sms,SMS,رسالة")
    path = write(ASKED)

    choices = sheets.with_shared(path, sheets.read(path))["choices"]

    assert choices.headers == ("list_name", "name", "label::Français (fr)", "groupe", "label::العربية (ar)")
    assert [(row.number, row.cells["list_name"], row.cells["name"]) for row in choices.rows] == [
        (2, "age", "adult"),
        (3, "canal", "tel"),
        (4, "canal", "sms"),
    ]


def test_a_form_without_a_list_of_its_own_gets_the_shared_ones(write: Write, share: Share) -> None:
    share("canal,tel,Téléphone,الهاتف")
    path = write("survey\n| type | name |\n| select_one canal | canal |")

    assert len(sheets.with_shared(path, sheets.read(path))["choices"].rows) == 1


def test_a_list_of_the_form_hides_the_shared_one(write: Write, share: Share) -> None:
    share("age,enfant,Enfant,طفل")
    path = write(ASKED)
    book = sheets.read(path)

    assert sheets.with_shared(path, book) == book


def test_without_shared_lists_a_form_stays_as_it_is(write: Write) -> None:
    path = write(ASKED)
    book = sheets.read(path)

    assert sheets.with_shared(path, book) == book
