"""The catalogue: it lists exactly what the file has, and says what it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.publications import office
from tests.warehouse import real
from tpm_pipeline.forms import catalog
from tpm_pipeline.indicators import compute, logframe
from tpm_pipeline.indicators.calendar import today
from tpm_pipeline.publications import analysts, texts
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import build, db, privacy, raw

OBJECTS = """
    select schema_name as schema, table_name as name, '' as colonne, comment from duckdb_tables()
    where database_name = 'tpm'
    union all
    select schema_name, view_name, '', comment from duckdb_views() where database_name = 'tpm' and not internal
    union all
    select schema_name, table_name, column_name, comment from duckdb_columns()
    where database_name = 'tpm' and not internal
"""


@pytest.fixture(scope="module")
def tpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[db.Connection]:
    """The file of the real forms, marts and indicators, before the first answer."""
    settings = Settings(_env_file=None, data=tmp_path_factory.mktemp("catalogue"))
    with db.memory() as connection:
        raw.create(connection)
        raw.store_versions(connection, "real", list(real.forms()))
        build.build(connection, build.schemas(connection, catalog.form_ids()), privacy.pads(settings))
        compute.compute(connection, logframe.read(), today())
        analysts.write(connection, settings.analysts_db, office.context())
    with office.reading(settings.analysts_db) as opened:
        yield opened


@pytest.fixture
def small(tmp_path: Path) -> Iterator[db.Connection]:
    with db.memory() as connection:
        office.fill(connection)
        analysts.write(connection, tmp_path / "tpm.duckdb", office.context())
    with office.reading(tmp_path / "tpm.duckdb") as opened:
        yield opened


def test_everything_in_the_file_has_a_comment(tpm: db.Connection) -> None:
    described = db.rows(tpm, OBJECTS)
    assert len(described) > 1500
    assert [(row["schema"], row["name"], row["colonne"]) for row in described if not row["comment"]] == []


def test_a_comment_is_french_but_for_a_view_labelled_in_another_language(tpm: db.Connection) -> None:
    arabic = (
        "select schema, name, colonne from objects where regexp_matches(comment, '[ء-ي]') <> ends_with(name, '_ar')"
    )
    tpm.execute(f"create or replace temp table objects as {OBJECTS}")
    assert tpm.execute(arabic).fetchall() == []
    comments = dict(
        tpm.execute("select name, comment from objects where name like 'fct_visite%' and colonne = ''").fetchall()
    )
    assert comments["fct_visite"].startswith("Une ligne par visite")
    assert comments["fct_visite_fr"] == f"{comments['fct_visite']} Codes remplacés par leurs libellés en français."
    assert comments["fct_visite_en"].startswith("One row per reception visit")


def test_the_catalogue_lists_exactly_what_the_file_has(tpm: db.Connection) -> None:
    there = {(row["schema"], row["name"], row["colonne"]) for row in db.rows(tpm, OBJECTS)}
    tables = {(row["schema"], row["table_nom"], "") for row in db.rows(tpm, "from catalogue.tables")}
    columns = {(row["schema"], row["table_nom"], row["colonne"]) for row in db.rows(tpm, "from catalogue.colonnes")}
    assert tables | columns == there


def test_every_description_is_in_three_languages(tpm: db.Connection) -> None:
    for listed in ("tables", "colonnes"):
        spoken = " and ".join(f"description_{language} is not null" for language in texts.LANGUAGES)
        assert tpm.execute(f"select schema, table_nom from catalogue.{listed} where not ({spoken})").fetchall() == []


def test_every_mart_has_its_views(tpm: db.Connection) -> None:
    marts = {
        name for (name,) in tpm.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
    }
    views = {
        name for (name,) in tpm.execute("select view_name from duckdb_views() where schema_name = 'marts'").fetchall()
    }
    assert len(marts) >= 24
    assert views == {f"{mart}_{language}" for mart in marts for language in texts.LANGUAGES}


def test_a_column_s_list_is_in_the_catalogue(tpm: db.Connection) -> None:
    lists = "select distinct liste from catalogue.colonnes where liste is not null"
    missing = f"{lists} except select liste from catalogue.choix"
    # Organisations come with the answers; the list of those known before may be empty one day.
    assert tpm.execute(missing).fetchall() == []
    assert len(tpm.execute(lists).fetchall()) > 50


def test_a_choice_has_a_label_in_each_language(tpm: db.Connection) -> None:
    spoken = " and ".join(f"label_{language} <> ''" for language in texts.LANGUAGES)
    assert (
        tpm.execute(f"select liste, code from catalogue.choix where coalesce({spoken}, false) = false").fetchall() == []
    )


def test_an_indicator_is_described_whole(tpm: db.Connection) -> None:
    declared = {one.code for one in logframe.read().indicators}
    assert {code for (code,) in tpm.execute("select code from catalogue.indicateurs").fetchall()} == declared


def test_a_column_is_described_with_its_list_and_its_unit(tpm: db.Connection) -> None:
    row = db.rows(tpm, "from catalogue.colonnes where table_nom = 'fct_visite' and colonne = 'sexe'")[0]
    assert row == {
        "schema": "marts",
        "table_nom": "fct_visite",
        "colonne": "sexe",
        "rang": row["rang"],
        "type": "VARCHAR",
        "description_fr": "Sexe déclaré.",
        "description_ar": "الجنس المصرح به.",
        "description_en": "Declared sex.",
        "liste": "sexe",
        "unite": None,
    }
    unit = "select unite from catalogue.colonnes where table_nom = 'fct_visite' and colonne = 'duree_min'"
    assert db.scalar(tpm, unit) == "min"


def test_rows_are_counted_for_tables_and_views(small: db.Connection) -> None:
    found = small.execute("select table_nom, genre, nb_lignes from catalogue.tables where table_nom like 'fct_com%'")
    assert sorted(found.fetchall()) == [
        ("fct_com", "table", 3),
        *[(f"fct_com_{language}", "vue", 3) for language in sorted(texts.LANGUAGES)],
    ]
    counts = small.execute("select schema || '.' || table_nom, nb_lignes from catalogue.tables").fetchall()
    assert [name for name, rows in counts if db.scalar(small, f"select count(*) from {name}") != rows] == []


def test_a_view_s_columns_hold_labels_and_name_no_list(small: db.Connection) -> None:
    found = small.execute("select table_nom, liste from catalogue.colonnes where colonne = 'sexe' and schema = 'marts'")
    assert {name for name, codes in found.fetchall() if codes} == {"fct_visite", "fct_suivi"}
