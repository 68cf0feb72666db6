"""Checks: each query finds the row it was written for, and leaves the others alone."""

from pathlib import Path
from typing import Any

import pytest

from tests.warehouse import real
from tests.warehouse.lab import PADS, Lab, Row
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.warehouse import build, checks

GOOD: dict[str, Any] = {
    "g_bureau": {"date_visite": "2021-01-05", "bureau_code": "TIZ01"},
    "g_consent": {"consent_dossier": "oui"},
    "g_dossier": {"dossier_mode": "nouveau", "dossier_uuid": "d1", "code_dossier": "TIZ01-2101-111111"},
    "g_besoin": {"services": "retraite foncier"},
    "orientations": [{"o_service": "retraite"}, {"o_service": "foncier"}],
    "g_cloture": {"duree_min": 20},
}


def with_group(name: str, **answers: Any) -> dict[str, Any]:
    return {**GOOD, name: {**GOOD[name], **answers}}


FOUND = {
    "bureau_inconnu": (with_group("g_bureau", bureau_code="XXX99"), "bureau_code"),
    "code_dossier_en_double": (with_group("g_dossier", dossier_uuid="d2"), "code_dossier"),
    "dossier_sans_identifiant": (with_group("g_dossier", dossier_uuid=None, code_dossier=None), "dossier_uuid"),
    "orientation_sans_service": (with_group("g_besoin", services="retraite"), "orientations · ligne 2"),
    "reponse_illisible": (with_group("g_cloture", duree_min="vingt"), "tpm_visite · duree_min"),
    "visite_apres_reception": (with_group("g_bureau", date_visite="2021-01-07"), "date_visite"),
    "visite_hors_projet": (with_group("g_bureau", date_visite="2020-09-30"), "date_visite"),
}


def run(lab: Lab, *answers: dict[str, Any]) -> dict[str, int]:
    real.deploy(lab)
    lab.store(*(Row(f"uuid:{number}", answer) for number, answer in enumerate(answers)), form_id="tpm_visite")
    build.build(lab.connection, build.schemas(lab.connection, [f.form_id for f in real.forms()]), PADS)
    return checks.run(lab.connection)


def test_a_good_visit_is_found_by_none(lab: Lab) -> None:
    assert run(lab, GOOD, with_group("g_bureau", date_visite="2021-01-06")) == {}


@pytest.mark.parametrize("name", [path.stem for path in (WAREHOUSE / "checks").glob("*.sql")])
def test_each_check_finds_its_row_and_no_other(lab: Lab, name: str) -> None:
    answers, detail = FOUND[name]
    other = with_group("g_dossier", dossier_uuid="d9", code_dossier="TIZ01-2101-999999")
    found = run(lab, GOOD if name == "code_dossier_en_double" else other, answers)
    both = ["uuid:0", "uuid:1"] if name == "code_dossier_en_double" else ["uuid:1"]
    assert found == {name: len(both)}
    expected = [{"constat": name, "submission_id": submission_id, "detail": detail} for submission_id in both]
    assert lab.rows("from checks.constat order by submission_id") == expected


def test_a_visit_without_a_date_is_outside_the_project(lab: Lab) -> None:
    assert run(lab, with_group("g_bureau", date_visite="2021-02-31")) == {
        "reponse_illisible": 1,
        "visite_hors_projet": 1,
    }


def test_cases_without_a_code_are_not_one_code(lab: Lab) -> None:
    cases = [with_group("g_dossier", dossier_uuid=name, code_dossier=None) for name in ("d1", "d2")]
    assert run(lab, *cases) == {}


def test_running_again_replaces_the_findings(lab: Lab) -> None:
    run(lab, FOUND["visite_hors_projet"][0])
    assert checks.run(lab.connection) == checks.run(lab.connection) == {"visite_hors_projet": 1}


def test_a_check_that_cannot_run_is_named(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "faux.sql").write_text(
        "-- One row per nothing.\nselect x from marts.absente", encoding="utf-8"
    )
    monkeypatch.setattr(checks, "WAREHOUSE", tmp_path)
    with pytest.raises(WarehouseError, match=r"WH-024 · warehouse/checks/faux.sql.*absente"):
        checks.run(lab.connection)
