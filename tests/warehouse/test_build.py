"""Build: raw becomes staging, staging becomes marts, every table with its description."""

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.warehouse import real
from tests.warehouse.lab import PADS, Lab, Row, form
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.paths import LISTS, WAREHOUSE
from tpm_pipeline.warehouse import build, db, raw

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
    describe(tmp_path, AGE)
    monkeypatch.setattr(build, "WAREHOUSE", tmp_path)
    return tmp_path


AGE = "age: {fr: Âge, ar: السن, en: Age}\n"


def describe(house: Path, columns: str, *titles: str) -> None:
    """Describe these columns, and these tables, else every mart."""
    named = titles or [f"marts.{path.stem}" for path in (house / "marts").glob("*.sql")]
    (house / "columns.yml").write_text(columns, encoding="utf-8")
    tree: dict[str, dict[str, dict[str, str]]] = {}
    for title in named:
        schema_name, _, table = title.partition(".")
        tree.setdefault(schema_name, {})[table] = {"fr": f"Une ligne par {table}.", "ar": "سطر", "en": "One row."}
    (house / "tables.yml").write_text(yaml.safe_dump(tree), encoding="utf-8")


def mart(house: Path, sql: str, name: str = "fct_essai") -> None:
    (house / "marts" / f"{name}.sql").write_text(f"-- One row per answer.\n{sql}\n", encoding="utf-8")
    describe(house, AGE)


def made(lab: Lab) -> None:
    build.build(lab.connection, build.schemas(lab.connection, ["essai"]), PADS)


def everything(lab: Lab) -> list[str]:
    return lab.column("select schema_name || '.' || table_name || ' ' || sql from duckdb_tables() order by 1")


def test_a_form_never_deployed_is_named(lab: Lab) -> None:
    with pytest.raises(WarehouseError, match=r"WH-020 · essai.*tpm deploy"):
        build.schemas(lab.connection, ["essai"])


def test_a_mart_reads_what_was_answered_under_an_old_name(lab: Lab, house: Path, tmp_path: Path) -> None:
    lab.deploy(form(TABLE.replace("age  ", "annee"), "1"), form(TABLE, "2"))
    lab.store(Row("uuid:1", {"annee": 40}), Row("uuid:2", {"age": 50}))
    mart(house, "select age from staging.essai")
    (tmp_path / "essai").mkdir()
    (tmp_path / "essai/renames.csv").write_text("ancien,nouveau,date,raison\nannee,age,2026-01-31,plus clair\n")
    build.build(lab.connection, build.schemas(lab.connection, ["essai"], tmp_path), PADS)
    assert lab.column("select age from marts.fct_essai order by 1") == [40, 50]


def test_a_mart_is_built_with_its_grain_and_descriptions(lab: Lab, house: Path) -> None:
    lab.deploy(form(TABLE))
    lab.store(Row("uuid:1", {"age": 40}))
    mart(house, "select age from staging.essai")
    made(lab)
    assert lab.rows("from marts.fct_essai") == [{"age": 40}]
    assert lab.column("select comment from duckdb_tables() where schema_name = 'marts'") == ["Une ligne par fct_essai."]
    assert lab.column("select comment from duckdb_columns() where schema_name = 'marts'") == ["Âge"]


def test_a_mart_that_was_renamed_leaves_nothing_under_its_old_name(lab: Lab, house: Path) -> None:
    lab.deploy(form(TABLE))
    mart(house, "select age from staging.essai", "fct_ancien")
    made(lab)
    (house / "marts" / "fct_ancien.sql").rename(house / "marts" / "fct_nouveau.sql")
    describe(house, AGE)
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
    source = "nom_pseudo as nom" if column == "nom" else column
    mart(house, f"select age, {source} from staging.essai")
    describe(house, AGE + f"{column}: {{fr: a, ar: b, en: c}}\n")
    with pytest.raises(WarehouseError, match=f"WH-023 · marts.fct_essai.*{column}"):
        made(lab)
    assert lab.column("select count(*) from duckdb_tables() where schema_name in ('marts', 'staging')") == [0]


@pytest.mark.parametrize(
    ("value", "made_of"),
    [
        ("recit", "essai.recit, whose answers are free text"),
        ("coalesce(sejour, 'nr')", "essai.sejour, whose answers are sensitive"),
        ("sejour = 'irregulier'", "essai.sejour, whose answers are sensitive"),
    ],
)
def test_another_name_does_not_make_such_an_answer_fit_for_a_mart(
    lab: Lab, house: Path, value: str, made_of: str
) -> None:
    lab.deploy(form(TABLE))
    mart(house, f"select {value} as age from staging.essai where recit is not null")
    with pytest.raises(WarehouseError, match=f"WH-023 · marts.fct_essai: The column age is made of {made_of}"):
        made(lab)


@pytest.mark.parametrize(
    "value",
    ["nom_pseudo", "recit is not null", "contains(recit, 'a')", "sejour is not null", "if(sejour is null, 0, 1)"],
)
def test_a_pseudonym_may_stand_in_a_mart_and_whether_there_is_an_answer(lab: Lab, house: Path, value: str) -> None:
    lab.deploy(form(TABLE))
    mart(house, f"select {value} as age from staging.essai where sejour <> 'nr'")
    made(lab)
    assert marts(lab) == ["fct_essai"]


def with_age(extra: str) -> str:
    return AGE.replace("}", f", {extra}}}")


@pytest.mark.parametrize(
    ("columns", "titles", "refusal"),
    [
        (AGE + "poids: {fr: a, ar: b, en: c}\n", [], r"WH-025 · warehouse/columns.yml: No mart has a column poids"),
        (with_age("liste: chiffre"), [], r"WH-026 · warehouse/columns.yml, age: Nothing is called chiffre"),
        (with_age("reference: lieux"), [], r"WH-026 · .*reference.lieux"),
        (AGE, ["marts.fct_autre"], r"WH-027 · marts.fct_essai"),
        (
            AGE,
            ["marts.fct_essai", "marts.fct_autre"],
            r"WH-028 · warehouse/tables.yml: There is no table marts.fct_autre",
        ),
        (AGE, ["marts.fct_essai", "reference.lieux"], r"WH-028 · .*reference.lieux"),
    ],
)
def test_what_is_described_and_what_is_there_cannot_drift_apart(
    lab: Lab, house: Path, columns: str, titles: list[str], refusal: str
) -> None:
    lab.deploy(form(TABLE + "| select_one lettre | choix | public |"))
    mart(house, "select age from staging.essai")
    describe(house, columns, *titles)
    with pytest.raises(WarehouseError, match=refusal):
        made(lab)


def test_a_table_kept_by_hand_is_described_too(lab: Lab, house: Path) -> None:
    lab.deploy(form(TABLE))
    mart(house, "select age from staging.essai")
    (house / "reference" / "lieux.csv").write_text("code\n", encoding="utf-8")
    with pytest.raises(WarehouseError, match=r"WH-027 · reference.lieux"):
        made(lab)


def test_a_column_says_its_list_its_table_and_its_unit(lab: Lab, house: Path) -> None:
    lab.deploy(form(TABLE + "| select_one lettre | choix | public |"))
    mart(house, "select age from staging.essai")
    describe(house, with_age("liste: lettre, reference: communes, unite: ans"))
    made(lab)
    assert build.descriptions(house / "columns.yml")["age"] == build.Description(
        "Âge", "السن", "Age", liste="lettre", reference="communes", unite="ans"
    )


@pytest.fixture
def built(lab: Lab) -> Lab:
    """The real forms, each answered from its first question to its last."""
    return answered(lab)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The same, built once for those who only look."""
    with db.memory() as connection:
        raw.create(connection)
        yield answered(Lab(connection, tmp_path_factory.mktemp("pages")))


def answered(lab: Lab) -> Lab:
    real.deploy(lab)
    real.answer_all(lab)
    real.rebuild(lab)
    return lab


def marts(lab: Lab) -> list[str]:
    return lab.column("select table_name from duckdb_tables() where schema_name = 'marts' order by 1")


LISTED = ["dim_activite", "dim_bureau", "dim_collectivite", "dim_osc"]


def test_our_marts_bind_on_an_empty_warehouse(lab: Lab) -> None:
    real.deploy(lab)
    real.rebuild(lab)
    assert marts(lab) == sorted(path.stem for path in (WAREHOUSE / "marts").glob("*.sql"))
    for name in marts(lab):
        assert (lab.column(f"select count(*) from marts.{name}") == [0]) is (name not in LISTED)


def test_building_twice_gives_the_same(built: Lab) -> None:
    before = {name: built.rows(f"from marts.{name} order by all") for name in marts(built)}
    real.rebuild(built)
    assert {name: built.rows(f"from marts.{name} order by all") for name in marts(built)} == before


def test_no_mart_holds_a_sensitive_identifying_or_free_answer(shown: Lab) -> None:
    held = {name: str(shown.rows(f"from marts.{name}")) for name in marts(shown)}
    assert all(len(text) > 10 for text in held.values())
    assert [name for name, text in held.items() if real.CANARY in text] == []
    staged = shown.rows("from staging.tpm_visite")
    assert f"{real.CANARY}-nationalite" in str(staged)
    assert f"{real.CANARY}-observations" in str(staged)
    assert f"{real.CANARY}-telephone" not in str(staged)


def test_everything_is_described_in_three_languages(shown: Lab) -> None:
    columns, tables = build.descriptions(WAREHOUSE / "columns.yml"), build.tables(WAREHOUSE / "tables.yml")
    texts: list[build.Description | build.TableDescription] = [*columns.values(), *tables.values()]
    assert all(text.strip() for one in texts for text in (one.fr, one.ar, one.en))
    assert len({one.fr for one in texts}) == len(texts)
    bare = "select count(*) from duckdb_{}() where schema_name = 'marts' and comment is null"
    assert [shown.column(bare.format(kind)) for kind in ("tables", "columns")] == [[0], [0]]


def test_a_table_kept_by_hand_says_its_source_its_licence_and_its_date() -> None:
    kept = {name: one for name, one in build.tables(WAREHOUSE / "tables.yml").items() if name.startswith("reference.")}
    assert [name for name, one in kept.items() if not (one.source and one.licence and one.date)] == []


def test_only_texts_have_a_list_or_a_table_and_every_code_they_hold_is_explained(shown: Lab) -> None:
    described = build.descriptions(WAREHOUSE / "columns.yml")
    typed = dict(shown.connection.execute(TYPES).fetchall())
    explained = {name for name, one in described.items() if one.liste or one.reference}
    assert {name: typed[name] for name in explained if not typed[name].startswith("VARCHAR")} == {}
    keys = {"bureaux": "code_bureau", "collectivites": "code", "communes": "code_hcp", "osc": "code_osc"}
    for name, one in described.items():
        if table := one.reference:
            column = keys.get(table, "code")
            assert shown.column(f"select count(*) - count(distinct {column}) from reference.{table}") == [0], name


TYPES = "select column_name, any_value(data_type) from duckdb_columns() where schema_name = 'marts' group by 1"


def test_every_choice_of_the_forms_speaks_english_and_no_translation_is_left_over(shown: Lab) -> None:
    asked = {
        (name, one.name) for form in real.schemas().values() for name, known in form.lists.items() for one in known
    }
    spoken = shown.connection.execute("select liste, code from reference.choix_en").fetchall()
    assert sorted(spoken) == sorted(asked)
    assert shown.column("select code from reference.choix where label_fr is null or trim(label_en) = ''") == []
    assert shown.column("select code from reference.choix where label_ar is null or label_en is null") == []


def test_a_code_of_the_warehouse_is_explained_like_a_choice(shown: Lab) -> None:
    own = "select distinct liste from reference.choix where form_id is null order by 1"
    assert shown.column(own) == ["groupe_cat", "public_bureau", "source_enseignement"]
    named = "select label_en from reference.choix where liste = 'groupe_cat' order by rang"
    assert shown.column(named) == [
        "Moroccans abroad and their families",
        "Third-country nationals",
        "Other or not stated",
    ]
    known = "select distinct public from reference.bureaux where public not in (select code from reference.listes)"
    assert shown.column(known) == []


def test_the_countries_are_those_of_the_phones(shown: Lab) -> None:
    with (LISTS / "pays.csv").open(encoding="utf-8") as phones:
        offered = [(row["name"], row["label"]) for row in csv.DictReader(phones)]
    kept = shown.connection.execute("select code, nom_fr || ' / ' || nom_ar from reference.pays").fetchall()
    assert sorted(kept) == sorted(offered)


def test_a_rejected_submission_is_in_staging_and_in_no_mart(built: Lab) -> None:
    real.answer_all(built, review="rejected")
    real.rebuild(built)
    assert built.column("select count(*) from staging.tpm_visite") == [1]
    assert [name for name in marts(built) if built.column(f"select count(*) from marts.{name}") != [0]] == LISTED


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
        real.rebuild(lab)


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
    real.rebuild(lab)
    (case,) = lab.rows("select sexe, nb_visites, premiere_visite_date::varchar as premiere from marts.dim_dossier")
    assert case == {"sexe": "femme", "nb_visites": 4, "premiere": "2021-02-01"}


def test_a_service_unticked_after_its_row_was_filled_was_not_asked_for(lab: Lab) -> None:
    real.deploy(lab)
    rows = [{"o_service": "retraite"}, {"o_service": "foncier"}, {"o_service": None}]
    lab.store(Row("uuid:1", {"g_besoin": {"services": "retraite"}, "orientations": rows}), form_id="tpm_visite")
    real.rebuild(lab)
    assert lab.rows("select service, rang from marts.fct_orientation") == [{"service": "retraite", "rang": 1}]
