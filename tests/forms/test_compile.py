import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import catalog, schema
from tpm_pipeline.forms.compile import Target, compile_form, compile_sheets
from tpm_pipeline.paths import ROOT

Write = Callable[..., Path]
Share = Callable[..., None]

LISTED = """
    survey
    | type             | name  | label  | privacy |
    | select_one canal | canal | Canal  | public  |
    choices
    | list_name | name | label     |
    | canal     | tel  | Téléphone |
"""
FROM_FILE = """
    survey
    | type                           | name  | label | privacy |
    | text                           | autre | Autre | text    |
    | select_one_from_file villes.csv | ville | Ville | quasi   |
"""


def compiled(path: Path, target: Target = "local") -> str:
    """The version of a form, without ODK Validate."""
    return compile_form(path, target, validate=False)[0].version


def set_cell(path: Path, sheet: str, cell: str, value: str) -> None:
    book = openpyxl.load_workbook(path)
    book[sheet][cell] = value
    book.save(path)


@pytest.mark.parametrize("target", ["central", "kobo"])
@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_the_forms_pass_odk_validate_without_a_warning(form_id: str, target: Target) -> None:
    form, findings = compile_form(catalog.path_of(form_id), target)

    assert findings == ()
    assert form.form_id == form_id
    assert schema.read(form.xform).version == form.version


@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_the_local_server_and_central_get_the_same(form_id: str) -> None:
    local, central = (
        compile_form(catalog.path_of(form_id), target, validate=False)[0] for target in ("local", "central")
    )

    assert local == central


def test_a_shared_list_is_compiled_into_the_form(write: Write, share: Share) -> None:
    share("canal,tel,Téléphone,الهاتف")

    form, _ = compile_form(write(LISTED[: LISTED.index("choices")]), "local", validate=False)

    assert "<value>Téléphone</value>" in form.xform.decode()


def test_the_media_are_the_lists_the_form_reads_and_the_entity_lists_those_it_writes() -> None:
    form, _ = compile_form(catalog.path_of("tpm_visite"), "central", validate=False)

    assert [file.name for file in form.media] == ["bureaux.csv", "communes.csv", "dossiers.csv", "osc.csv", "pays.csv"]
    assert form.media[2].content.startswith(b"name,label,code_dossier,")
    assert form.entity_lists == ("dossiers",)
    assert form.title.startswith("TPM — Enregistrement d’une visite (BAOM)")


def test_typographic_quotes_are_kept_in_what_people_read_and_straight_in_expressions(write: Write) -> None:
    path = write("""
        survey
        | type             | name | label             | hint  | relevant     | required | required_message | privacy |
        | text             | nom  | L’accueil “BAOM”  | ‘Ici’ |              | yes      | L’eau ?          | quasi   |
        | select_one canal | tel  | L’appel à ${nom}  |       | ${nom} = ‘x’ |          |                  | quasi   |
        choices
        | list_name | name | label  |
        | canal     | oui  | L’oral |
        settings
        | form_id | form_title | version |
        | essai   | L’essai    | 1       |
    """)

    xform = compile_form(path, "local", validate=False)[0].xform.decode()

    for text in ("L’accueil “BAOM”", "‘Ici’", "L’eau ?", "L’appel à <output", "L’oral", "<h:title>L’essai"):
        assert text in xform
    assert "/nom  = 'x'" in xform


@pytest.mark.parametrize("form_id", ["tpm_visite", "tpm_suivi"])
def test_kobo_gets_the_same_questions_without_entities(form_id: str) -> None:
    central, _ = compile_form(catalog.path_of(form_id), "central", validate=False)
    kobo, _ = compile_form(catalog.path_of(form_id), "kobo", validate=False)

    assert b"entities" in central.xform
    assert b"entit" not in kobo.xform.replace(b"entite_id", b"")
    assert kobo.entity_lists == central.entity_lists == ("dossiers",)
    assert schema.read(kobo.xform).root == schema.read(central.xform).root


def test_the_same_content_has_the_same_version_everywhere() -> None:
    path = catalog.path_of("tpm_visite")
    code = (
        "import pathlib, sys; from tpm_pipeline.forms.compile import compile_form;"
        "print(compile_form(pathlib.Path(sys.argv[1]), 'central', validate=False)[0].version)"
    )

    elsewhere = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()

    assert elsewhere == compiled(path, "central")
    assert elsewhere.startswith("2026112301-")


@pytest.mark.parametrize(
    ("sheet", "cell", "value"),
    [("survey", "C2", "Voie"), ("survey", "D2", "quasi"), ("choices", "C2", "Tél."), ("settings", "B2", "2")],
)
def test_a_changed_label_class_choice_or_date_is_another_version(
    write: Write, sheet: str, cell: str, value: str
) -> None:
    path = write(LISTED)
    before = compiled(path)

    set_cell(path, sheet, cell, value)

    assert compiled(path) != before


def test_a_changed_list_is_another_version_unless_the_form_writes_it(write: Write, tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "villes.csv").write_text("name,label\nagadir,Agadir\n")
    reads = write(FROM_FILE)
    writes = write(FROM_FILE + "entities\n| list_name | label |\n| villes | ${autre} |", "ecrit")
    before = compiled(reads), compiled(writes)

    (lists / "villes.csv").write_text("name,label\ntiznit,Tiznit\n")

    assert compiled(reads) != before[0]
    assert compiled(writes) == before[1]


def test_on_kobo_a_list_that_any_form_writes_is_no_other_version(write: Write, tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "villes.csv").write_text("name,label\nagadir,Agadir\n")
    reads = write(FROM_FILE)
    alone = compiled(reads, "kobo")
    write(FROM_FILE + "entities\n| list_name | label |\n| villes | ${autre} |", "ecrit")
    before = compiled(reads, "kobo"), compiled(reads, "central")

    (lists / "villes.csv").write_text("name,label\ntiznit,Tiznit\n")

    assert compiled(reads, "kobo") == before[0] != alone
    assert compiled(reads, "central") != before[1]
    write(FROM_FILE, "ecrit")
    assert compiled(reads, "kobo") not in (alone, before[0])


def test_for_kobo_the_rows_behind_the_form_come_with_it(write: Write, share: Share) -> None:
    share("canal,tel,Téléphone,الهاتف")
    path = write("""
        survey
        | type             | name  | label | privacy | save_to |
        | select_one canal | canal | Canal | public  |         |
        |                  |       |       |         |         |
        | text             | a     | L’eau | text    | nom     |
        entities
        | list_name | label |
        | gens      | ${a}  |
    """)

    form, _ = compile_form(path, "kobo", validate=False)

    assert form.sheets == {
        "survey": (
            {"type": "select_one canal", "name": "canal", "label": "Canal", "bind::tpm:privacy": "public"},
            {"type": "text", "name": "a", "label": "L’eau", "bind::tpm:privacy": "text"},
        ),
        "choices": (
            {
                "list_name": "canal",
                "name": "tel",
                "label::Français (fr)": "Téléphone",
                "label::العربية (ar)": "الهاتف",
            },
        ),
        "settings": ({"form_id": "essai", "version": form.version, "namespaces": 'tpm="https://migdev.org/tpm"'},),
    }
    assert compile_form(path, "local", validate=False)[0].sheets == {}


@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_the_rows_compile_to_the_same_form(form_id: str) -> None:
    form, _ = compile_form(catalog.path_of(form_id), "kobo", validate=False)

    assert form.xform.startswith(compile_sheets(form.sheets))


def test_rows_of_a_server_that_do_not_compile_name_the_form() -> None:
    sheets = {
        "survey": ({"type": "text", "name": "a", "label": "Et ${b} ?"},),
        "settings": ({"form_id": "essai"},),
    }

    with pytest.raises(FormError, match=r"FORM-029 · essai: The version on the server .*Could not find the name 'b'"):
        compile_sheets(sheets)


def test_a_missing_choice_list_is_named_with_its_row(write: Write) -> None:
    path = write(LISTED.replace("| canal     | tel", "| voie      | tel"))

    with pytest.raises(
        FormError, match=r"FORM-003 .*essai\.xlsx, survey row 2: The choice list «canal» does not exist"
    ):
        compile_form(path, "local")


def test_a_question_without_a_privacy_class_does_not_compile(write: Write) -> None:
    path = write(LISTED.replace("| public  |", "|         |"))

    with pytest.raises(FormError, match=r"FORM-006 .*survey row 2: «canal» has no privacy class"):
        compile_form(path, "local")


def test_a_question_pyxform_adds_has_no_class_either(write: Write) -> None:
    path = write(LISTED.replace("select_one canal", "select_one canal or_other"))

    with pytest.raises(FormError, match=r"FORM-015 .*: pyxform adds questions without a privacy class: canal_other"):
        compile_form(path, "local", validate=False)


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        ("relevant", "${b} = = 1"),
        ("constraint", ". >= 1 and ("),
        ("calculation", "concat('a"),
        ("required", "${b} >"),
        ("default", "today("),
        ("calculation", "nombre(${b})"),
    ],
)
def test_a_syntax_error_is_named_with_its_row(write: Write, column: str, expression: str) -> None:
    path = write(f"""
        survey
        | type        | name | label | privacy | {column} |
        | text        | b    | B     | public  |          |
        | begin_group | g    | G     |         |          |
        |             |      |       |         |          |
        | text        | a    | A     | public  | {expression} |
        | end_group   |      |       |         |          |
    """)

    with pytest.raises(FormError, match=r"FORM-007 .*survey row 5: ") as refusal:
        compile_form(path, "local")

    assert "tmp" not in str(refusal.value)
    assert "java" not in str(refusal.value)


def test_a_question_that_does_not_exist_is_named_with_its_row(write: Write) -> None:
    path = write("survey\n| type | name | label | privacy |\n| text | a | Et ${b} ? | public |")

    with pytest.raises(FormError, match=r"FORM-008 .*survey row 2: .*Could not find the name 'b'"):
        compile_form(path, "local")


def test_a_list_without_its_file_is_named_with_the_row_that_asks(write: Write) -> None:
    with pytest.raises(FormError, match=r"FORM-009 .*survey row 3: The file «villes.csv» is not in forms/lists"):
        compile_form(write(FROM_FILE), "local", validate=False)


def test_without_java_the_remedy_is_to_install_it(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(FormError, match=r"FORM-010 .*Install a Java runtime"):
        compile_form(write(LISTED), "local")


def test_a_warning_of_pyxform_is_a_finding_that_does_not_stop(write: Write) -> None:
    path = write("""
        survey
        | type  | name  | label | privacy     |
        | text  | a     | A     | public      |
        | image | photo | Photo | identifying |
    """)

    _, (finding,) = compile_form(path, "local", validate=False)

    assert (finding.code, finding.level) == ("FORM-011", "warning")
    assert finding.where.endswith("essai.xlsx, survey row 3")
    assert finding.what.startswith("Use the max-pixels parameter")
