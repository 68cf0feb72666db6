"""Labelled views: the table's rows and columns, with labels instead of codes."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.publications import office
from tpm_pipeline.publications import analysts
from tpm_pipeline.publications.texts import LANGUAGES
from tpm_pipeline.warehouse import db

OFFICE = {"fr": "Bureau Tiznit", "ar": "مكتب تيزنيت", "en": "Bureau Tiznit"}
SEX = {"fr": ["Femme", "Homme"], "ar": ["أنثى", "ذكر"], "en": ["Female", "Male"]}
SERVICES = {"fr": ["Santé", "Aide juridique"], "ar": ["الصحة", "المساعدة القانونية"], "en": ["Health", "Legal aid"]}
YES_NO = {"fr": ["Oui", "Non"], "ar": ["نعم", "لا"], "en": ["Yes", "No"]}


@pytest.fixture(scope="module")
def tpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[db.Connection]:
    target: Path = tmp_path_factory.mktemp("labelled") / "tpm.duckdb"
    with db.memory() as connection:
        office.fill(connection)
        analysts.write(connection, target, office.context())
    with office.reading(target) as opened:
        yield opened


def column(tpm: db.Connection, name: str, table: str, key: str) -> list[object]:
    return [value for (value,) in tpm.execute(f"select {name} from marts.{table} order by {key}").fetchall()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_codes_become_labels_and_what_has_none_stays(language: str, tpm: db.Connection) -> None:
    view = f"fct_visite_{language}"
    assert column(tpm, "sexe", view, "visite_id") == [SEX[language][0], SEX[language][1], SEX[language][0], "ni_l_un"]
    assert column(tpm, "bureau_code", view, "visite_id")[:3] == [OFFICE[language], OFFICE[language], None]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_keeps_its_order_and_its_emptiness(language: str, tpm: db.Connection) -> None:
    health, _ = SERVICES[language]
    found = column(tpm, "services", f"fct_visite_{language}", "visite_id")
    assert found == [SERVICES[language], ["autre", health], None, []]


@pytest.mark.parametrize("language", LANGUAGES)
def test_yes_and_no_are_words(language: str, tpm: db.Connection) -> None:
    assert column(tpm, "est_conforme", f"fct_com_{language}", "com_id") == [*YES_NO[language], None]


def test_numbers_and_dates_are_the_table_s(tpm: db.Connection) -> None:
    assert column(tpm, "satisfaction", "fct_visite_fr", "visite_id") == [5, None, 3, 4]
    assert column(tpm, "date_visite", "fct_visite_ar", "visite_id")[0] == date(2021, 1, 5)


def test_a_site_is_an_office_or_the_team(tpm: db.Connection) -> None:
    assert column(tpm, "site_code", "fct_saisie_fr", "saisie_date") == ["Bureau Tiznit", "Équipe du projet"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_view_has_its_table_s_columns_in_order_and_its_rows(language: str, tpm: db.Connection) -> None:
    tables = tpm.execute("select schema, table_nom from catalogue.tables where schema = 'marts' and genre = 'table'")
    for schema, table in tables.fetchall():
        coded, labelled = f"{schema}.{table}", f"{schema}.{table}_{language}"
        assert names(tpm, labelled) == names(tpm, coded)
        assert db.scalar(tpm, f"select count(*) from {labelled}") == db.scalar(tpm, f"select count(*) from {coded}")


def names(tpm: db.Connection, table: str) -> list[object]:
    return [row["column_name"] for row in db.rows(tpm, f"describe {table}")]


def test_the_parts_of_values_are_named_by_their_dimension(tpm: db.Connection) -> None:
    found = tpm.execute("select dimension, part, type_periode from indicators.valeur_fr order by all").fetchall()
    assert found == [
        ("Bureau", "Bureau Tiznit", "Année de rapport"),
        ("Sexe", "Femme", "Année de rapport"),
        ("Sexe", "Non renseigné", "Année de rapport"),
        ("Total", None, "Année de rapport"),
        ("Tranche d’âge × Sexe", "15 à 24 ans × Femme", "Année de rapport"),
    ]


def test_the_file_opens_under_any_name(tmp_path: Path) -> None:
    """A view that named the database it was made in would hold only there."""
    copy = tmp_path / "copie.duckdb"
    with db.memory() as connection:
        office.fill(connection)
        analysts.write(connection, copy, office.context())
        db.attach(connection, copy, "autre", wishes=["READ_ONLY"])
        connection.execute("drop schema marts cascade")
        assert db.scalar(connection, "select count(*) from autre.marts.fct_visite_fr") == 4
