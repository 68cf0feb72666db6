"""A form changed against what is made of it: `tpm check` refuses, and names the indicators it breaks."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from tpm_pipeline import jobs
from tpm_pipeline.cli import app
from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import catalog
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.indicators import effects
from tpm_pipeline.paths import ROOT
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings

Change = Callable[[Workbook], None]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the forms and of the warehouse, to break."""
    for name in ("forms", "warehouse"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def edit(project: Path, form_id: str, change: Change) -> None:
    path = catalog.path_of(form_id, project / "forms")
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(path)


def renamed(old: str, new: str) -> Change:
    """Give a question another name, everywhere the form mentions it."""

    def change(book: Workbook) -> None:
        for sheet in book.worksheets:
            for place, text in ((cell.coordinate, cell.value) for row in sheet.iter_rows() for cell in row):
                if isinstance(text, str):
                    is_name = sheet.title == "survey" and text == old
                    sheet[place] = new if is_name else text.replace(f"${{{old}}}", f"${{{new}}}")

    return change


def retyped(name: str, kind: str) -> Change:
    def change(book: Workbook) -> None:
        survey = book["survey"]
        columns = {cell.value: number for number, cell in enumerate(survey[1], start=1)}
        (row,) = (row for row in range(2, survey.max_row + 1) if survey.cell(row, columns["name"]).value == name)
        survey.cell(row, columns["type"], kind)

    return change


def without_choice(project: Path, list_name: str, code: str) -> None:
    path = project / "forms" / "lists" / "choix.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(f"{list_name},{code},")), encoding="utf-8")


def refusals(project: Path) -> list[str]:
    """What `tpm check` refuses, but for the Markdown that nobody rendered."""
    found = jobs.check(root=project)
    return [f"{one.code} · {one.where}: {one.what}" for one in found if one.level == "error" and one.code != "FORM-023"]


def broken(refusal: str) -> set[str]:
    """The indicators a refusal names."""
    return set(refusal.partition(" Breaks ")[2].removesuffix(".").split(", "))


def differences(project: Path, form_id: str) -> list[str]:
    """What `tpm forms diff` says of a form: here, and in the copy."""
    here, there = (str(catalog.path_of(form_id, root / "forms")) for root in (ROOT, project))
    return [line.strip() for line in effects.lines(jobs.forms_diff(Settings(), here, there))]


def test_a_copy_is_not_refused(project: Path) -> None:
    assert refusals(project) == []
    assert differences(project, "tpm_visite") == ["0 changes, 0 of them breaking"]


def test_a_renamed_question_is_refused_with_the_indicators_it_breaks(project: Path) -> None:
    edit(project, "tpm_visite", renamed("sexe", "genre"))

    (refusal,) = refusals(project)

    assert refusal.startswith(
        'WH-021 · warehouse/marts/fct_visite.sql: Binder Error: Referenced column "sexe" not found'
    )
    assert {"OC1-1", "OC1-2", "R1-2", "R1-3", "R1-4"} <= broken(refusal)
    said = differences(project, "tpm_visite")
    assert (
        said[1]
        == "BREAKING question renamed: sexe «Sexe» → genre «Sexe» (same label, same list sexe, same place g_profil)"
    )
    assert "fct_visite.sexe" in said[2]
    assert {"R1-2", "R1-3", "R1-4"} <= set(said[3].removeprefix("indicators: ").split(", "))


def test_a_removed_choice_is_refused_with_the_indicators_that_name_it(project: Path) -> None:
    without_choice(project, "sexe", "femme")

    found = refusals(project)

    assert (
        "WH-030 · warehouse/indicators/R1-4.sql: The code «femme», compared with sexe, is not in «sexe». Breaks R1-4."
    ) in found
    assert {refusal.partition(" ")[0] for refusal in found} == {"WH-030"}
    said = differences(project, "tpm_visite")
    assert said[1] == "BREAKING choice removed: sexe: femme «Femme»"
    assert "warehouse/indicators/R1-4.sql" in next(line for line in said if line.startswith("named in: "))


def test_a_date_that_becomes_a_text_is_refused_with_the_indicators_it_breaks(project: Path) -> None:
    edit(project, "tpm_visite", retyped("date_visite", "text"))

    found = refusals(project)

    assert found[0].startswith(
        "WH-031 · warehouse/marts/fct_visite.sql: The column date_visite is VARCHAR; its name promises DATE. Breaks "
    )
    assert {"OC1-1", "R1-2", "R1-3", "R1-4", "R1-5"} <= broken(found[0])
    assert "BREAKING question retyped: date_visite «Date de la visite»: date → string" in differences(
        project, "tpm_visite"
    )


def test_a_mart_is_blamed_once_and_not_what_reads_it(project: Path) -> None:
    edit(project, "tpm_visite", renamed("consent_dossier", "consentement"))

    assert [refusal.partition(":")[0] for refusal in refusals(project)] == ["WH-021 · warehouse/marts/fct_visite.sql"]


def test_every_problem_is_said_and_a_form_that_does_not_compile_is_not_blamed_on_marts(project: Path) -> None:
    edit(project, "tpm_visite", retyped("sexe", "select_one inconnue"))
    edit(project, "tpm_suivi", renamed("date_suivi", "jour_suivi"))

    found = refusals(project)

    assert [refusal.partition(",")[0].partition(":")[0] for refusal in found][:2] == [
        "FORM-003 · forms/tpm_visite/tpm_visite.xlsx",
        "WH-021 · warehouse/marts/fct_suivi.sql",
    ]
    assert not any("fct_visite" in refusal for refusal in found)


def test_a_check_loads_nothing_that_would_cost_it_its_second() -> None:
    # DuckDB's client imports pandas as soon as a parameter is bound.
    heavy = "('altair', 'pandas', 'prefect', 'requests')"
    program = (
        f"import sys; from tpm_pipeline import jobs; jobs.check(); print([n for n in {heavy} if n in sys.modules])"
    )

    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed.strip() == "[]"


def test_the_command_says_it_and_exits_with_the_forms_code(project: Path) -> None:
    edit(project, "tpm_suivi", retyped("date_suivi", "text"))
    here, there = (str(catalog.path_of("tpm_suivi", root / "forms")) for root in (ROOT, project))

    same = CliRunner().invoke(app, ["forms", "diff", here, here])
    changed = CliRunner().invoke(app, ["forms", "diff", here, there])

    assert (same.exit_code, same.output) == (0, "0 changes, 0 of them breaking\n")
    assert changed.exit_code == 11
    assert "  BREAKING question retyped: date_suivi «" in changed.output
    assert changed.output.endswith("1 changes, 1 of them breaking\n")


def test_what_is_deployed_is_compared_with_the_files_here(project: Path) -> None:
    settings = Settings(data=project / "data", server="local")
    edit(project, "tpm_suivi", renamed("date_suivi", "jour_suivi"))
    old, _ = compile_form(catalog.path_of("tpm_suivi", project / "forms"), "local", validate=False)
    LocalServer(settings.local_store).deploy([old])

    found = jobs.forms_diff(settings, "server", form_id="tpm_suivi")

    (suivi,) = found.forms
    assert (suivi.old, found.breaking) == (old.version, 1)
    assert suivi.effects[0].difference.what.startswith("jour_suivi «")


def test_a_form_that_nobody_knows_is_refused() -> None:
    here = str(catalog.path_of("tpm_suivi"))

    with pytest.raises(FormError, match="FORM-014"):
        jobs.forms_diff(Settings(), here, form_id="tpm_suivis")
