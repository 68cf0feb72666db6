"""Tables as pandas frames: what an analyst may count on."""

from pathlib import Path

import pandas as pd
import pytest

from tests.publications import office
from tpm_pipeline.errors import PublicationError
from tpm_pipeline.publications import analysts
from tpm_pipeline.publications.frames import frame
from tpm_pipeline.warehouse import db

DTYPES = {
    "visite_id": "string",
    "date_visite": "datetime64[s]",
    "bureau_code": "category",
    "sexe": "category",
    "tranche_age": "category",
    "services": "object",
    "satisfaction": "Int64",
    "submitted_at": "datetime64[us, UTC]",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target: Path = tmp_path_factory.mktemp("frames") / "tpm.duckdb"
    with db.memory() as connection:
        office.fill(connection)
        connection.execute("update reference.choix set label_fr = 'Aide' where liste = 'service'")
        analysts.write(connection, target, office.context())
    return target


def dtypes(found: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in found.dtypes.items()}


@pytest.mark.parametrize("labels", [None, "fr"])
def test_each_type_has_one_dtype(labels: None, file: Path) -> None:
    assert dtypes(frame("marts.fct_visite", labels, file)) == DTYPES
    assert dtypes(frame("marts.fct_com", labels, file)) == {
        "com_id": "string",
        "est_conforme": "boolean",
        "montant": "Float64",
    }


def test_an_empty_table_keeps_them(file: Path) -> None:
    found = frame("marts.fct_suivi", "fr", file)
    expected = {"suivi_id", "sexe", "services", "sat_bureau", "date_suivi", "submitted_at", "est_bureau"}
    assert len(found) == 0
    assert {*dtypes(found)} == expected
    assert dtypes(found)["est_bureau"] == "boolean"
    assert dtypes(found)["date_suivi"] == "datetime64[s]"
    assert dtypes(found)["submitted_at"] == "datetime64[us, UTC]"
    assert [*found["sexe"].cat.categories] == ["Femme", "Homme"]


def test_age_bands_are_in_the_form_s_order(file: Path) -> None:
    ages = frame("marts.fct_visite", "fr", file)["tranche_age"]
    assert ages.cat.ordered
    assert [*ages.sort_values().dropna()] == ["Moins de 15 ans", "15 à 24 ans", "25 ans et plus"]
    assert ages.max() == "25 ans et plus"
    assert ages.isna().sum() == 1


def test_codes_stay_without_labels_and_keep_the_order(file: Path) -> None:
    ages = frame("marts.fct_visite", database=file)["tranche_age"]
    assert [*ages.cat.categories] == ["moins_15", "a15_24", "a25_plus"]


def test_a_code_that_no_list_holds_comes_last(file: Path) -> None:
    assert [*frame("marts.fct_visite", "en", file)["sexe"].cat.categories] == ["Female", "Male", "ni_l_un"]


def test_labels_are_arabic_too(file: Path) -> None:
    found = frame("marts.fct_visite", "ar", file)
    assert [*found["sexe"][:3]] == ["أنثى", "ذكر", "أنثى"]
    assert [*found["bureau_code"][:2]] == ["مكتب تيزنيت", "مكتب تيزنيت"]


def test_two_codes_never_show_the_same(file: Path) -> None:
    assert frame("marts.fct_visite", "fr", file)["services"][0] == ["Aide (sante)", "Aide (juridique)"]


def test_a_list_is_a_python_list(file: Path) -> None:
    services = frame("marts.fct_visite", "en", file)["services"]
    assert services[0] == ["Health", "Legal aid"]
    assert services[1] == ["autre", "Health"]
    assert pd.isna(services[2])
    assert services[3] == []
    assert services.explode().value_counts()["Health"] == 2


def test_figures_are_sql_s(file: Path) -> None:
    visits, actions = frame("marts.fct_visite", "fr", file), frame("marts.fct_com", "fr", file)
    with office.reading(file) as tpm:
        assert visits["satisfaction"].sum() == db.scalar(tpm, "select sum(satisfaction) from marts.fct_visite")
        assert actions["montant"].mean() == db.scalar(tpm, "select avg(montant) from marts.fct_com")
        by_sex = dict(tpm.execute("select sexe, count(*) from marts.fct_visite_fr group by 1").fetchall())
    assert visits.groupby("sexe", observed=True).size().to_dict() == by_sex
    assert actions["est_conforme"].sum() == 1


def test_rows_are_in_one_order_with_and_without_labels(file: Path) -> None:
    assert [*frame("marts.fct_visite", "ar", file)["visite_id"]] == [
        *frame("marts.fct_visite", None, file)["visite_id"]
    ]


def test_a_moment_is_in_utc_and_a_day_has_no_zone(file: Path) -> None:
    found = frame("marts.fct_visite", None, file).iloc[0]
    assert found["submitted_at"] == pd.Timestamp("2021-01-05 17:30", tz="UTC")
    assert found["date_visite"] == pd.Timestamp("2021-01-05")


def test_the_parts_of_values_are_labelled(file: Path) -> None:
    found = frame("indicators.valeur", "fr", file).set_index("dimension")["part"]
    assert found["Sexe"].tolist() == ["Femme", "Non renseigné"]
    assert found["Tranche d’âge × Sexe"] == "15 à 24 ans × Femme"
    assert found["Total"] is pd.NA


def test_a_view_can_be_read(file: Path) -> None:
    assert [*frame("marts.fct_visite_fr", None, file)["sexe"]].count("Femme") == 2


def test_an_unknown_table_lists_the_known_ones(file: Path) -> None:
    with pytest.raises(PublicationError, match=r"PUB-011 · marts\.visites: .* marts\.fct_visite"):
        frame("marts.visites", None, file)


def test_an_unknown_language_is_refused(file: Path) -> None:
    with pytest.raises(PublicationError, match=r"PUB-012 · de: .* fr, ar, en"):
        frame("marts.fct_visite", "de", file)  # type: ignore[arg-type]
