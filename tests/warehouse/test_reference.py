"""Reference: small tables kept by hand, and the lists phones use."""

from pathlib import Path

import pytest

from tests.warehouse.lab import Lab, form
from tpm_pipeline.forms import schema
from tpm_pipeline.records import FormSchema
from tpm_pipeline.warehouse import reference


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder of lists and one of references, with the two files that complete the forms' choices."""
    write(tmp_path / "reference" / "choix_en.csv", "liste,code,label_en\nlettre,b,Letter b\n")
    write(
        tmp_path / "reference" / "listes.csv",
        "liste,rang,code,label_fr,label_ar,label_en\ngroupe,1,mre,Marocains du monde,مغاربة العالم,Moroccans abroad\n",
    )
    return tmp_path


def load(lab: Lab, folders: Path, forms: list[FormSchema]) -> None:
    reference.load(lab.connection, forms, folders / "lists", folders)


def test_codes_stay_text_and_figures_and_dates_are_typed(lab: Lab, folders: Path) -> None:
    write(
        folders / "reference" / "lieux.csv",
        "code_hcp,nom_ar,pop_2024,tachelhit_pct_2024,lat,attendu_depuis\n"
        '09.001,"أكادير، المدينة",504768,51.7,30.42018,2021-02-01\n010,"Agadir, ""ville""",,,,\n',
    )
    load(lab, folders, [])
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
    load(lab, folders, [])
    assert lab.rows("from reference.bureaux") == [{"code_bureau": "TIZ01", "nom_fr": "Tiznit"}]
    assert lab.rows("from reference.pays") == [{"name": "fr", "label": "France"}]


def test_the_choices_of_every_form_are_there_in_their_order_then_those_of_the_warehouse(
    lab: Lab, folders: Path
) -> None:
    table = "| type | name | privacy |\n| select_one lettre | q | public |"
    forms = [schema.read(form(table, form_id=form_id).xform) for form_id in ("un", "deux")]
    for _ in range(2):
        load(lab, folders, forms)
    columns = "select form_id, liste, rang, code, label_fr, label_en from reference.choix"
    assert lab.connection.execute(
        f"{columns} where form_id is distinct from 'deux' order by form_id, rang"
    ).fetchall() == [
        ("un", "lettre", 1, "a", "Lettre a", None),
        ("un", "lettre", 2, "b", "Lettre b", "Letter b"),
        (None, "groupe", 1, "mre", "Marocains du monde", "Moroccans abroad"),
    ]
    assert lab.column("select count(*) from reference.choix") == [5]


def test_our_own_files_load_and_every_office_has_its_commune_and_province(lab: Lab) -> None:
    reference.load(lab.connection, [])
    assert lab.column("select typeof(attendu_depuis) from reference.bureaux limit 1") == ["DATE"]
    assert lab.column("from reference.bureaux select code_bureau group by 1 having count(*) > 1") == []
    for table, key, column in (("communes", "code_hcp", "code_commune"), ("provinces", "province_iso", "province")):
        orphans = (
            f"select code_bureau from reference.bureaux where {column} not in (select {key} from reference.{table})"
        )
        assert lab.column(orphans) == []
