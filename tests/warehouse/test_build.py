"""Build: raw becomes staging, staging becomes marts, every table with its description."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.warehouse import real
from tests.warehouse.lab import PADS, Lab, Row, form
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms import schema
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.warehouse import build

TABLE = """
| type    | name      | privacy     |
| text    | nom       | identifying |
| text    | recit     | text        |
| text    | sejour    | sensitive   |
| integer | age       | quasi       |
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of marts of its own, with one form's table in it."""
    for name in ("marts", "reference"):
        (tmp_path / name).mkdir()
    (tmp_path / "columns.yml").write_text("age: {fr: Âge, ar: السن, en: Age}\n", encoding="utf-8")
    monkeypatch.setattr(build, "WAREHOUSE", tmp_path)
    return tmp_path


def mart(house: Path, sql: str, name: str = "fct_essai") -> None:
    (house / "marts" / f"{name}.sql").write_text(f"-- One row per answer.\n{sql}\n", encoding="utf-8")


def made(lab: Lab) -> None:
    build.build(lab.connection, build.schemas(lab.connection, ["essai"]), PADS)


def everything(lab: Lab) -> list[str]:
    return lab.column("select schema_name || '.' || table_name || ' ' || sql from duckdb_tables() order by 1")


def test_a_form_never_deployed_is_named(lab: Lab) -> None:
    with pytest.raises(WarehouseError, match=r"WH-020 · essai.*tpm deploy"):
        build.schemas(lab.connection, ["essai"])


def test_a_mart_is_built_with_its_grain_and_descriptions(lab: Lab, house: Path) -> None:
    lab.deploy(form(TABLE))
    lab.store(Row("uuid:1", {"age": 40}))
    mart(house, "select age from staging.essai")
    made(lab)
    assert lab.rows("from marts.fct_essai") == [{"age": 40}]
    assert lab.column("select comment from duckdb_tables() where schema_name = 'marts'") == ["One row per answer."]
    assert lab.column("select comment from duckdb_columns() where schema_name = 'marts'") == ["Âge"]


def test_a_mart_that_was_renamed_leaves_nothing_under_its_old_name(lab: Lab, house: Path) -> None:
    lab.deploy(form(TABLE))
    mart(house, "select age from staging.essai", "fct_ancien")
    made(lab)
    (house / "marts" / "fct_ancien.sql").rename(house / "marts" / "fct_nouveau.sql")
    made(lab)
    assert marts(lab) == ["fct_nouveau"]


@pytest.mark.parametrize(
    ("sql", "code", "named"),
    [
        ("select disparue from staging.essai", "WH-021", "warehouse/marts/fct_faux.sql.*disparue"),
        ("select error('Mme Amina') as age", "WH-021", r"A value made it fail \(InvalidInputException\)\. (?!.*Amina)"),
        ("select age from staging.absente", "WH-021", "warehouse/marts/fct_faux.sql.*absente"),
        ("select age as poids from staging.essai", "WH-022", "warehouse/marts/fct_faux.sql.*poids"),
        ("select 1 as recit, 1 as age", "WH-02[23]", "recit"),
    ],
)
def test_a_mart_that_fails_leaves_everything_as_it_was(lab: Lab, house: Path, sql: str, code: str, named: str) -> None:
    lab.deploy(form(TABLE))
    lab.store(Row("uuid:1", {"age": 40}))
    mart(house, "select age from staging.essai")
    made(lab)
    before = everything(lab)
    lab.store(Row("uuid:2", {"age": 50}))
    mart(house, sql, "fct_faux")
    with pytest.raises(WarehouseError, match=f"{code} · .*{named}"):
        made(lab)
    assert lab.rows("from marts.fct_essai") == [{"age": 40}]
    assert lab.column("select count(*) from staging.essai") == [1]
    assert everything(lab) == before


@pytest.mark.parametrize("column", ["recit", "sejour", "nom"])
def test_a_mart_may_not_hold_what_only_leaves_as_an_aggregate(lab: Lab, house: Path, column: str) -> None:
    lab.deploy(form(TABLE))
    described = "age: {fr: Âge, ar: السن, en: Age}\n" + f"{column}: {{fr: a, ar: b, en: c}}\n"
    (house / "columns.yml").write_text(described, encoding="utf-8")
    source = "nom_pseudo as nom" if column == "nom" else column
    mart(house, f"select age, {source} from staging.essai")
    with pytest.raises(WarehouseError, match=f"WH-023 · marts.fct_essai.*{column}"):
        made(lab)
    assert lab.column("select count(*) from duckdb_tables() where schema_name in ('marts', 'staging')") == [0]


@pytest.fixture
def built(lab: Lab) -> Lab:
    """The real forms, each answered once from its first question to its last."""
    real.deploy(lab)
    for number, version in enumerate(real.forms()):
        row = Row(f"uuid:{number}", real.answers(schema.read(version.xform).root))
        lab.store(row, form_id=version.form_id)
    build.build(lab.connection, build.schemas(lab.connection, [f.form_id for f in real.forms()]), PADS)
    return lab


def marts(lab: Lab) -> list[str]:
    return lab.column("select table_name from duckdb_tables() where schema_name = 'marts' order by 1")


def test_our_marts_bind_on_an_empty_warehouse(lab: Lab) -> None:
    real.deploy(lab)
    build.build(lab.connection, build.schemas(lab.connection, [f.form_id for f in real.forms()]), PADS)
    assert marts(lab) == sorted(path.stem for path in (WAREHOUSE / "marts").glob("*.sql"))
    for name in marts(lab):
        assert (lab.column(f"select count(*) from marts.{name}") == [0]) is (name != "dim_bureau")


def test_building_twice_gives_the_same(built: Lab) -> None:
    before = {name: built.rows(f"from marts.{name}") for name in marts(built)}
    build.build(built.connection, build.schemas(built.connection, [f.form_id for f in real.forms()]), PADS)
    assert {name: built.rows(f"from marts.{name}") for name in marts(built)} == before


def test_no_mart_holds_a_sensitive_identifying_or_free_answer(built: Lab) -> None:
    held = {name: str(built.rows(f"from marts.{name}")) for name in marts(built)}
    assert all(len(text) > 10 for text in held.values())
    assert [name for name, text in held.items() if real.CANARY in text] == []
    staged = built.rows("from staging.tpm_visite")
    assert f"{real.CANARY}-nationalite" in str(staged)
    assert f"{real.CANARY}-observations" in str(staged)
    assert f"{real.CANARY}-telephone" not in str(staged)


def test_every_mart_column_is_described_and_no_description_is_left_over(built: Lab) -> None:
    described = build.descriptions(WAREHOUSE / "columns.yml")
    columns = built.column("select distinct column_name from duckdb_columns() where schema_name = 'marts'")
    assert set(described) == set(columns)
    assert all(text.strip() for one in described.values() for text in (one.fr, one.ar, one.en))


def test_a_rejected_submission_is_in_staging_and_in_no_mart(built: Lab) -> None:
    for number, version in enumerate(real.forms()):
        row = Row(f"uuid:{number}", real.answers(schema.read(version.xform).root))
        built.store(replace(row, review="rejected"), form_id=version.form_id)
    build.build(built.connection, build.schemas(built.connection, [f.form_id for f in real.forms()]), PADS)
    assert built.column("select count(*) from staging.tpm_visite") == [1]
    assert [name for name in marts(built) if built.column(f"select count(*) from marts.{name}") != [0]] == [
        "dim_bureau"
    ]


def test_a_question_the_marts_need_cannot_vanish_unseen(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "warehouse"
    shutil.copytree(WAREHOUSE, copy)
    monkeypatch.setattr(build, "WAREHOUSE", copy)
    version = next(form for form in real.forms() if form.form_id == "tpm_visite")
    renamed = replace(version, xform=version.xform.replace(b"date_visite", b"jour_visite"))
    lab.deploy(renamed, *(form for form in real.forms() if form.form_id != "tpm_visite"))
    with pytest.raises(WarehouseError, match=r"WH-021 · warehouse/marts/fct_visite.sql.*date_visite"):
        build.build(lab.connection, build.schemas(lab.connection, [f.form_id for f in real.forms()]), PADS)


def visit(lab: Lab, number: int, day: str | None, sexe: str, submitted: str = "2021-05-01T00:00:00Z") -> None:
    """A visit of one and the same case."""
    group = {"g_bureau": {"date_visite": day, "bureau_code": "TIZ01"}, "g_profil": {"sexe": sexe}}
    case = {"g_consent": {"consent_dossier": "oui"}, "g_dossier": {"dossier_uuid": "d1"}}
    lab.store(Row(f"uuid:{number}", {**group, **case}, submitted=submitted), form_id="tpm_visite")


def test_a_case_has_the_profile_of_its_latest_visit(lab: Lab) -> None:
    real.deploy(lab)
    visit(lab, 1, "2021-02-01", "nr")
    visit(lab, 2, "2021-03-01", "homme", submitted="2021-05-01T00:00:00Z")
    visit(lab, 3, "2021-03-01", "femme", submitted="2021-05-02T00:00:00Z")
    visit(lab, 4, "2021-02-31", "illisible", submitted="2021-05-03T00:00:00Z")
    build.build(lab.connection, build.schemas(lab.connection, [f.form_id for f in real.forms()]), PADS)
    (case,) = lab.rows("select sexe, nb_visites, premiere_visite_date::varchar as premiere from marts.dim_dossier")
    assert case == {"sexe": "femme", "nb_visites": 4, "premiere": "2021-02-01"}


def test_a_service_unticked_after_its_row_was_filled_was_not_asked_for(lab: Lab) -> None:
    real.deploy(lab)
    rows = [{"o_service": "retraite"}, {"o_service": "foncier"}, {"o_service": None}]
    lab.store(Row("uuid:1", {"g_besoin": {"services": "retraite"}, "orientations": rows}), form_id="tpm_visite")
    build.build(lab.connection, build.schemas(lab.connection, [f.form_id for f in real.forms()]), PADS)
    assert lab.rows("select service, rang from marts.fct_orientation") == [{"service": "retraite", "rang": 1}]
