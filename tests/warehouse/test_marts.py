"""The marts' own decisions, on answers as phones send them."""

from typing import Any

import pytest

from tests.warehouse import real
from tests.warehouse.lab import PADS, Lab, Row
from tpm_pipeline.warehouse import build

VISIT: dict[str, Any] = {
    "g_bureau": {"date_visite": "2021-01-05", "bureau_code": "TIZ01"},
    "g_consent": {"consent_dossier": "oui"},
    "g_dossier": {"dossier_mode": "nouveau", "dossier_uuid": "d1"},
    "g_besoin": {"services": "retraite foncier"},
    "orientations": [{"o_service": "retraite"}, {"o_service": "foncier"}],
}
FOLLOW_UP: dict[str, Any] = {
    "g_dossier": {"dossier": "d1", "bureau_code": "TIZ01"},
    "g_contact": {"date_suivi": "2021-01-20"},
    "issues": [{"i_service": "retraite", "i_issue": "obtenu"}, {"i_issue": "refuse"}],
}


@pytest.fixture
def marts(lab: Lab) -> Lab:
    real.deploy(lab)
    lab.store(
        Row("uuid:1", VISIT),
        Row("uuid:2", {**VISIT, "g_consent": {"consent_dossier": "non"}}),
        Row("uuid:3", {**VISIT, "g_besoin": {"services": "retraite"}}),
        Row("uuid:4", {**VISIT, "g_bureau": {"date_visite": "2021-01-05", "bureau_code": "Amina"}}),
        form_id="tpm_visite",
    )
    lab.store(Row("uuid:5", FOLLOW_UP), form_id="tpm_suivi")
    build.build(lab.connection, build.schemas(lab.connection, [form.form_id for form in real.forms()]), PADS)
    return lab


def test_a_visit_without_consent_has_no_case_whatever_the_phone_sent(marts: Lab) -> None:
    assert marts.column("select dossier_uuid from marts.fct_visite order by visite_id") == ["d1", None, "d1", "d1"]


def test_a_service_that_was_unticked_has_no_orientation(marts: Lab) -> None:
    assert marts.column("select service from marts.fct_orientation where visite_id = 'uuid:3'") == ["retraite"]


def test_an_outcome_without_a_service_is_left_out(marts: Lab) -> None:
    assert marts.column("select issue from marts.fct_issue") == ["obtenu"]


def test_an_office_that_is_not_ours_is_not_known_and_the_visit_still_counts(marts: Lab) -> None:
    assert marts.column("select bureau_code from marts.fct_visite order by visite_id") == [*["TIZ01"] * 3, None]
    assert marts.column("select distinct bureau_code from marts.fct_saisie") == ["TIZ01"]
