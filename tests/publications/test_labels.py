"""The labels of the file: one row per list and code, in three languages, and the parts of values."""

from collections.abc import Iterator

import pytest

from tests.publications import office
from tpm_pipeline.indicators import logframe
from tpm_pipeline.publications import labels, texts
from tpm_pipeline.warehouse import db


@pytest.fixture
def connection() -> Iterator[db.Connection]:
    with db.memory() as opened:
        office.fill(opened)
        opened.execute("create schema catalogue")
        yield opened


def test_a_choice_is_in_three_languages_and_in_its_order(connection: db.Connection) -> None:
    labels.create(connection, texts.labels())
    found = connection.execute("select * exclude (liste) from catalogue.choix where liste = 'sexe'").fetchall()
    assert found == [("femme", 1, "Femme", "أنثى", "Female"), ("homme", 2, "Homme", "ذكر", "Male")]


def test_a_list_that_several_forms_share_is_there_once(connection: db.Connection) -> None:
    connection.execute("insert into reference.choix by name select * replace ('suivi' as form_id) from reference.choix")
    labels.create(connection, texts.labels())
    assert (
        db.scalar(connection, "select max(nb) from (select count(*) as nb from catalogue.choix group by liste, code)")
        == 1
    )
    assert db.scalar(connection, "select max(rang) from catalogue.choix where liste = 'sexe'") == 2


def test_a_choice_without_an_english_label_says_it_in_french(connection: db.Connection) -> None:
    connection.execute("update reference.choix set label_en = null where code = 'homme'")
    labels.create(connection, texts.labels())
    assert db.scalar(connection, "select label_en from catalogue.choix where code = 'homme'") == "Homme"


def test_offices_and_communes_are_named_like_choices(connection: db.Connection) -> None:
    labels.create(connection, texts.labels())
    found = connection.execute("select liste, label_ar from catalogue.choix where code = 'TIZ01' order by 1").fetchall()
    assert found == [("bureaux", "مكتب تيزنيت"), ("site", "مكتب تيزنيت")]
    agadir = "select label_fr from catalogue.choix where liste = 'communes' and code = '09.001.01.01'"
    assert db.scalar(connection, agadir) == "Agadir"


@pytest.mark.parametrize(
    ("dimension", "part", "spoken"),
    [
        ("sexe", "femme", ("Sex", "Female")),
        ("sexe", "non_renseigne", ("Sex", "Not stated")),
        ("age*sexe", "a15_24*femme", ("Age band × Sex", "15 to 24 × Female")),
        ("age*sexe", "non_renseigne*femme", ("Age band × Sex", "Not stated × Female")),
        ("sexe", "autre", ("Sex", "autre")),
        ("inconnue", "x", ("inconnue", "x")),
    ],
)
def test_a_part_is_named(dimension: str, part: str, spoken: tuple[str, str], connection: db.Connection) -> None:
    connection.execute(f"update indicators.valeur set dimension = '{dimension}', part = '{part}'")
    labels.create(connection, texts.labels())
    assert connection.execute("select dimension_en, part_en from catalogue.parts").fetchall() == [spoken]


def test_every_declared_dimension_is_named() -> None:
    dimensions = {name for one in logframe.read().indicators for name in one.disaggregation.dimensions}
    assert dimensions - texts.labels()["dimensions"].keys() == set()
