"""What no longer fits: small marts, indicators and checks over one small form, in a folder of their own."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.warehouse.lab import form
from tpm_pipeline.forms import schema
from tpm_pipeline.indicators import bindings
from tpm_pipeline.paths import LISTS, WAREHOUSE

SURVEY = """
| type                   | name   | privacy |
| date                   | jour   | public  |
| select_one lettre      | lettre | public  |
| integer                | nombre | public  |
"""
MART = "select submission_id as visite_id, jour as date_visite, lettre as sexe, nombre as nb_visites from staging.essai"
CHILD = "select sexe, count(*) as nb_visites from marts.m group by sexe"
FACTS = (
    "select visite_id as unit_id, date_visite as event_date, visite_id as source_id, sexe from marts.m where sexe = 'a'"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A warehouse with a mart, a mart that reads it, a check and the indicator R1-2 on the first."""
    for name in ("marts", "checks", "indicators"):
        (tmp_path / name).mkdir()
    shutil.copytree(WAREHOUSE / "reference", tmp_path / "reference")
    shutil.copy(WAREHOUSE / "logframe.yml", tmp_path)
    words = {"fr": "a", "ar": "a", "en": "a"}
    described = dict.fromkeys(("visite_id", "date_visite", "sexe", "nb_visites"), words)
    (tmp_path / "columns.yml").write_text(yaml.safe_dump(described), encoding="utf-8")
    titles = yaml.safe_load((WAREHOUSE / "tables.yml").read_text(encoding="utf-8"))
    titles["marts"] = {"m": words, "n": words}
    (tmp_path / "tables.yml").write_text(yaml.safe_dump(titles), encoding="utf-8")
    declared = yaml.safe_load((WAREHOUSE / "indicators" / "R1-2.yml").read_text(encoding="utf-8"))
    declared |= {"measure": "count", "as_of": "event", "examples": [], "disaggregation": {"exclusive": ["sexe"]}}
    (tmp_path / "indicators" / "R1-2.yml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    write(tmp_path, "marts/m", MART)
    write(tmp_path, "marts/n", CHILD)
    write(tmp_path, "checks/c", "select visite_id as submission_id, 'x' as detail from marts.m")
    write(tmp_path, "indicators/R1-2", FACTS)
    return tmp_path


def write(folder: Path, name: str, sql: str) -> None:
    (folder / f"{name}.sql").write_text(f"-- One row per row.\n{sql}\n", encoding="utf-8")


def found(folder: Path, survey: str = SURVEY, missing: tuple[str, ...] = ()) -> list[str]:
    forms = [] if missing else [schema.read(form(survey).xform)]
    return [f"{one.code} · {one.where}: {one.what}" for one in bindings.findings(forms, missing, LISTS, folder)]


def test_what_fits_has_no_findings(folder: Path) -> None:
    assert found(folder) == []


def test_a_mart_that_does_not_bind_is_blamed_once_with_its_indicators(folder: Path) -> None:
    assert found(folder, SURVEY.replace("| lettre | public", "| signe  | public")) == [
        (
            'WH-021 · warehouse/marts/m.sql: Binder Error: Referenced column "lettre" not found in FROM clause!.'
            " Breaks R1-2."
        )
    ]


def test_marts_of_a_form_that_is_missing_are_left_out(folder: Path) -> None:
    assert found(folder, missing=("essai",)) == []


def test_the_name_of_a_column_promises_its_type(folder: Path) -> None:
    assert found(folder, SURVEY.replace("| date   ", "| text   ")) == [
        "WH-031 · warehouse/marts/m.sql: The column date_visite is VARCHAR; its name promises DATE. Breaks R1-2."
    ]
    assert found(folder, SURVEY.replace("| integer ", "| text    ")) == [
        "WH-031 · warehouse/marts/m.sql: The column nb_visites is VARCHAR; its name promises a number. Breaks R1-2."
    ]


def test_facts_have_the_types_that_values_are_made_of(folder: Path) -> None:
    write(folder, "indicators/R1-2", FACTS.replace("date_visite as", "date_visite::varchar as"))

    assert found(folder) == [
        (
            "IND-011 · R1-2.sql: The column event_date of the facts is VARCHAR, not DATE."
            " Correct the columns of its facts. Breaks R1-2."
        )
    ]


def test_a_code_that_no_list_has_is_named_in_marts_indicators_and_checks(folder: Path) -> None:
    write(folder, "marts/n", f"{CHILD} having sexe <> 'y'")
    write(folder, "indicators/R1-2", FACTS.replace("'a'", "'z'"))
    write(folder, "checks/c", "select visite_id as submission_id, sexe as detail from marts.m where sexe in ('x')")

    assert found(folder) == [
        "WH-030 · warehouse/marts/n.sql: The code «y», compared with sexe, is not in «lettre».",
        "WH-030 · warehouse/indicators/R1-2.sql: The code «z», compared with sexe, is not in «lettre». Breaks R1-2.",
        "WH-030 · warehouse/checks/c.sql: The code «x», compared with sexe, is not in «lettre».",
    ]


def test_an_answer_that_must_stay_is_found_under_another_name(folder: Path) -> None:
    assert found(folder, SURVEY.replace("| lettre | public", "| lettre | sensitive")) == [
        (
            "WH-023 · marts.m: The column sexe is made of essai.lettre, whose answers are sensitive."
            " Take it out of the mart; publish it only as an aggregate."
        )
    ]


def test_every_problem_is_collected(folder: Path) -> None:
    write(folder, "marts/n", CHILD.replace("nb_visites", "inconnue"))
    write(folder, "indicators/R1-2", "select 1 from staging.essai")
    write(folder, "checks/c", "select absente from marts.m")
    (folder / "marts" / "o.sql").write_text("select 1", encoding="utf-8")

    assert [one.partition(":")[0] for one in found(folder)] == [
        "WH-010 · o.sql",
        "WH-012 · R1-2.sql",
        "WH-022 · warehouse/marts/n.sql",
        "WH-024 · warehouse/checks/c.sql",
    ]
