"""Reference: small tables kept by hand, and the lists phones use."""

from pathlib import Path

import pytest

from tests.warehouse.lab import Lab, form
from tpm_pipeline.forms import schema
from tpm_pipeline.warehouse import reference


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of lists and one of references."""
    monkeypatch.setattr(reference, "LISTS", tmp_path / "lists")
    monkeypatch.setattr(reference, "WAREHOUSE", tmp_path)
    return tmp_path


def test_codes_stay_text_and_figures_and_dates_are_typed(lab: Lab, folders: Path) -> None:
    write(
        folders / "reference" / "lieux.csv",
        "code_hcp,nom_ar,pop_2024,tachelhit_pct_2024,lat,attendu_depuis\n"
        '09.001,"أكادير، المدينة",504768,51.7,30.42018,2021-02-01\n010,"Agadir, ""ville""",,,,\n',
    )
    reference.load(lab.connection, [])
    assert [row["column_type"] for row in lab.rows("describe reference.lieux")] == [
        *("VARCHAR", "VARCHAR", "BIGINT", "DOUBLE", "DOUBLE", "DATE")
    ]
    assert lab.column("select code_hcp from reference.lieux order by 1") == ["010", "09.001"]
    assert lab.column("select nom_ar from reference.lieux order by code_hcp") == ['Agadir, "ville"', "أكادير، المدينة"]
    assert lab.column("select pop_2024 from reference.lieux order by code_hcp") == [None, 504768]


def test_a_list_kept_by_hand_completes_the_one_phones_use(lab: Lab, folders: Path) -> None:
    write(folders / "lists" / "bureaux.csv", "name,label\nx,Bureau\n")
    write(folders / "lists" / "pays.csv", "name,label\nfr,France\n")
    write(folders / "reference" / "bureaux.csv", "code_bureau,nom_fr\nTIZ01,Tiznit\n")
    reference.load(lab.connection, [])
    assert lab.rows("from reference.bureaux") == [{"code_bureau": "TIZ01", "nom_fr": "Tiznit"}]
    assert lab.rows("from reference.pays") == [{"name": "fr", "label": "France"}]


@pytest.mark.usefixtures("folders")
def test_the_choices_of_every_form_are_there_in_their_order(lab: Lab) -> None:
    table = "| type | name | privacy |\n| select_one lettre | q | public |"
    forms = [schema.read(form(table, form_id=form_id).xform) for form_id in ("un", "deux")]
    for _ in range(2):
        reference.load(lab.connection, forms)
    assert lab.rows("select * exclude (label_ar) from reference.choix where form_id = 'un'") == [
        {"form_id": "un", "liste": "lettre", "rang": 1, "code": "a", "label_fr": "Lettre a"},
        {"form_id": "un", "liste": "lettre", "rang": 2, "code": "b", "label_fr": "Lettre b"},
    ]
    assert lab.column("select count(*) from reference.choix") == [4]


def test_our_own_files_load_and_every_office_has_its_commune_and_province(lab: Lab) -> None:
    reference.load(lab.connection, [])
    assert lab.column("select typeof(attendu_depuis) from reference.bureaux limit 1") == ["DATE"]
    assert lab.column("from reference.bureaux select code_bureau group by 1 having count(*) > 1") == []
    for table, key, column in (("communes", "code_hcp", "code_commune"), ("provinces", "province_iso", "province")):
        orphans = (
            f"select code_bureau from reference.bureaux where {column} not in (select {key} from reference.{table})"
        )
        assert lab.column(orphans) == []
