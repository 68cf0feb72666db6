from collections.abc import Callable
from pathlib import Path

from tpm_pipeline.forms import catalog, render
from tpm_pipeline.forms.check import check, read, schemas
from tpm_pipeline.records import Finding

Write = Callable[..., Path]
Share = Callable[..., None]

ASKED = """
    survey
    | type             | name  | label::Français (fr) | label::العربية (ar) | privacy |
    | select_one canal | canal | Canal               | القناة             | public  |
"""
CANAL = f"""
    {ASKED}
    choices
    | list_name | name | label::Français (fr) | label::العربية (ar) |
    | canal     | tel  | Téléphone           | الهاتف             |
"""


def found(path: Path, *form_ids: str) -> list[Finding]:
    """Check forms whose Markdown is fresh."""
    folder = path.parent.parent
    render.render_all(folder)
    return check(read(form_ids or ["essai"], folder)[0], folder)


def test_the_forms_are_clean() -> None:
    assert check(read(catalog.form_ids())[0]) == []


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


def test_a_list_is_written_once(write: Write) -> None:
    write(CANAL, "autre")

    (finding,) = found(write(CANAL), "autre", "essai")

    assert finding.code == "FORM-022"
    assert finding.where.endswith("essai.xlsx, choices row 2")
    assert "«canal» is also in" in finding.what
    assert finding.what.endswith("autre/autre.xlsx. Keep it once, in forms/lists/choix.csv.")


def test_a_list_of_its_own_name_may_be_in_a_form(write: Write) -> None:
    write(CANAL, "autre")

    assert found(write(CANAL.replace("canal  ", "moyen  ").replace("one canal", "one moyen")), "autre", "essai") == []


def test_a_shared_list_is_not_written_again_in_a_form(write: Write, share: Share) -> None:
    share("canal,tel,Téléphone,الهاتف")

    (finding,) = found(write(CANAL))

    assert (finding.code, finding.where.rpartition(", ")[2]) == ("FORM-022", "choices row 2")
    assert "«canal» is also in" in finding.what
    assert "lists/choix.csv. Keep it once" in finding.what


def test_a_shared_list_follows_the_rules_of_the_forms(write: Write, share: Share) -> None:
    share("canal,té l,Téléphone,الهاتف", "canal,sms,SMS,", "Sexe,f,Femme,امرأة")

    places = [(each.code, each.where.rpartition("/")[2]) for each in found(write(ASKED))]

    assert places == [
        ("FORM-020", "choix.csv, choices row 2"),
        ("FORM-020", "choix.csv, choices row 4"),
        ("FORM-021", "choix.csv, choices row 3"),
    ]


def test_an_unclassified_question_is_found_before_compiling(write: Write) -> None:
    (finding,) = found(write(CANAL.replace("public", "")))

    assert (finding.code, finding.level) == ("FORM-006", "error")


def test_a_stale_markdown_is_found(write: Write) -> None:
    path = write(CANAL)

    (finding,) = check(read(["essai"], path.parent.parent)[0], path.parent.parent)

    assert finding.code == "FORM-023"
    assert finding.where.endswith("essai/essai.md")


def test_a_rule_says_in_words_why_it_refuses(write: Write) -> None:
    table = """
        survey
        | type    | name | label::Français (fr) | label::العربية (ar) | privacy | required | constraint |
        | integer | age  | Âge                  | العمر               | quasi   | yes      | . > 17     |
    """

    assert [(one.code, one.what) for one in found(write(table))] == [
        ("FORM-024", "«age» has a required without a message of its own."),
        ("FORM-024", "«age» has a constraint without a message of its own."),
    ]


def test_what_cannot_be_read_or_compiled_is_a_finding_among_the_others(write: Write) -> None:
    clean, broken = write(CANAL), write(CANAL.replace("select_one canal", "select_one voie"), "casse")
    (clean.parent.parent / "vide").mkdir()
    (clean.parent.parent / "vide" / "vide.xlsx").write_text("rien")

    books, unreadable = read(["casse", "essai", "vide"], clean.parent.parent)
    compiled, refused = schemas(books, validate=False)

    assert [finding.code for finding in unreadable] == ["FORM-001"]
    assert [(finding.code, finding.where) for finding in refused] == [
        ("FORM-003", "/".join(broken.parts[-3:]) + ", survey row 2")
    ]
    assert [form.form_id for form in compiled] == ["essai"]


def test_an_unclassified_question_is_named_once(write: Write) -> None:
    books, _ = read(["essai"], write(CANAL.replace("public", "")).parent.parent)

    assert schemas(books, validate=False) == ([], [])


def test_a_rename_that_the_form_does_not_bear_out_is_a_finding(write: Write) -> None:
    path = write(CANAL)
    renames = path.with_name("renames.csv")
    found = []
    for line in ("moyen,canal,2026-01-31,plus clair", "moyen,voie,2026-01-31,plus clair", "moyen,canal"):
        renames.write_text(f"ancien,nouveau,date,raison\n{line}\n", encoding="utf-8")
        compiled, findings = schemas(read(["essai"], path.parent.parent)[0], validate=False)
        assert [form.form_id for form in compiled] == ["essai"]
        found.append([(one.code, one.level, one.where.rpartition("/")[2]) for one in findings])

    place = "renames.csv, line 2"
    assert found == [[], [("FORM-017", "error", place)], [("FORM-016", "error", place)]]
