from pathlib import Path

import pytest

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import catalog


def test_a_folder_with_its_workbook_is_a_form() -> None:
    assert catalog.form_ids() == [
        "tpm_activite",
        "tpm_atelier",
        "tpm_bureau",
        "tpm_com",
        "tpm_comite",
        "tpm_entretien",
        "tpm_formation",
        "tpm_osc",
        "tpm_partenariat",
        "tpm_suivi",
        "tpm_tdr",
        "tpm_visite",
    ]


def test_a_workbook_with_another_name_is_not_a_form(tmp_path: Path) -> None:
    (tmp_path / "essai").mkdir()
    (tmp_path / "essai" / "~$essai.xlsx").touch()

    assert catalog.form_ids(tmp_path) == []


def test_an_unknown_form_is_refused_with_the_known_ones() -> None:
    with pytest.raises(FormError, match=r"FORM-014 .* «tpm_visit».* tpm_suivi, tpm_tdr, tpm_visite"):
        catalog.path_of("tpm_visit")


def test_a_place_is_said_as_people_say_it() -> None:
    path = Path("/x/forms/essai/essai.xlsx")

    assert catalog.place(path) == "forms/essai/essai.xlsx"
    assert catalog.place(path, "survey") == "forms/essai/essai.xlsx, survey sheet"
    assert catalog.place(path, "survey", 14) == "forms/essai/essai.xlsx, survey row 14"
    assert catalog.place(path, "survey", 14, 17) == "forms/essai/essai.xlsx, survey rows 14, 17"
