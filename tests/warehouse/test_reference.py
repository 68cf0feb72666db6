"""Reference: small tables kept by hand, and the lists phones use."""

from datetime import date
from pathlib import Path

import pytest

from tests.warehouse.lab import Lab, form
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms import schema
from tpm_pipeline.records import FormSchema
from tpm_pipeline.warehouse import reference

PLAN = """
activities:
  - code: A1.1
    names: {fr: "L’annuaire", ar: "الدليل", en: "The directory"}
    result: R1
    weight: 4
    start: 2020-11-01
    end: 2021-06-30
"""


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
    write(tmp_path / "logframe.yml", PLAN)
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


def test_the_plan_of_action_is_the_logframes(lab: Lab, folders: Path) -> None:
    load(lab, folders, [])
    (activity,) = lab.rows("select code, nom_fr, resultat, poids, fin_prevue_date from reference.plan_action")
    assert activity == {
        "code": "A1.1",
        "nom_fr": "L’annuaire",
        "resultat": "R1",
        "poids": 4,
        "fin_prevue_date": date(2021, 6, 30),
    }


@pytest.mark.parametrize("broken", ["activities: [", "results: {}", PLAN.replace("weight", "poids")])
def test_a_plan_that_cannot_be_read_is_said(lab: Lab, folders: Path, broken: str) -> None:
    write(folders / "logframe.yml", broken)
    with pytest.raises(WarehouseError, match=r"WH-032 · logframe.yml.*Correct the activities"):
        load(lab, folders, [])


def test_our_own_files_load_and_every_office_has_its_commune_and_province(lab: Lab) -> None:
    reference.load(lab.connection, [])
    assert lab.column("select typeof(attendu_depuis) from reference.bureaux limit 1") == ["DATE"]
    assert lab.column("from reference.bureaux select code_bureau group by 1 having count(*) > 1") == []
    for table, key, column in (("communes", "code_hcp", "code_commune"), ("provinces", "province_iso", "province")):
        orphans = (
            f"select code_bureau from reference.bureaux where {column} not in (select {key} from reference.{table})"
        )
        assert lab.column(orphans) == []
