"""The lists for phones, rebuilt from a synthetic project, agree with those that a server with entities keeps."""

import csv
import io
from collections.abc import Iterator, Mapping

import pytest

from tpm_pipeline import jobs
from tpm_pipeline.deploying import lists, offices
from tpm_pipeline.paths import LISTS
from tpm_pipeline.records import SharedList
from tpm_pipeline.servers import local_entities
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

OFFICES = [*offices.read()]
NAMES = ["bureaux", "dossiers", "osc"]
Rows = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three years with 250 visits: late forms, corrections and transfers, sent to the local server, then built."""
    settings = Settings(_env_file=None, data=tmp_path_factory.mktemp("project") / "demo", server="local")
    jobs.demo(settings, seed=3, visits=250)
    jobs.pull(settings, jobs.form_ids())
    jobs.build(settings)
    return settings


@pytest.fixture(scope="module")
def rebuilt(project: Settings) -> Mapping[str, SharedList]:
    return {one.name: one for one in lists.rebuilt(project, OFFICES)}


@pytest.fixture(scope="module")
def kept(project: Settings) -> Mapping[str, Rows]:
    """The lists as the local server keeps them."""
    with Store(project.local_store).reading() as opened:
        return {name: rows(local_entities.as_csv(opened, name, header(name))) for name in NAMES}


@pytest.fixture
def warehouse(project: Settings) -> Iterator[db.Connection]:
    with db.reading(project) as connection:
        yield connection


def header(name: str) -> bytes:
    return (LISTS / f"{name}.csv").read_bytes().splitlines(keepends=True)[0]


def rows(content: bytes) -> Rows:
    found = csv.DictReader(io.StringIO(content.decode()))
    return {row["name"]: {column: text for column, text in row.items() if column != "__version"} for row in found}


def are_open(cases: Rows) -> Rows:
    return {name: case for name, case in cases.items() if case["statut_dossier"] == "ouvert"}


def test_every_open_case_is_as_the_server_keeps_it_column_by_column(
    rebuilt: Mapping[str, SharedList], kept: Mapping[str, Rows]
) -> None:
    expected = are_open(kept["dossiers"])

    assert rows(rebuilt["dossiers"].whole) == expected
    assert 20 < len(expected) < len(kept["dossiers"])
    assert {case["nb_suivis"] for case in expected.values()} > {"", "1", "2"}
    assert {len(case["services_dossier"].split()) for case in expected.values()} > {1, 2, 3}


@pytest.mark.parametrize("name", ["bureaux", "osc"])
def test_offices_and_organisations_are_as_the_server_keeps_them(
    name: str, rebuilt: Mapping[str, SharedList], kept: Mapping[str, Rows]
) -> None:
    assert rows(rebuilt[name].whole) == kept[name] != rows((LISTS / f"{name}.csv").read_bytes())
    assert rebuilt[name].by_office == {}


@pytest.mark.parametrize(
    ("name", "code"), [("bureaux", "code_bureau"), ("dossiers", "code_dossier"), ("osc", "code_osc")]
)
def test_the_columns_are_those_of_the_file_in_forms_and_the_rows_go_by_code(
    name: str, code: str, rebuilt: Mapping[str, SharedList]
) -> None:
    codes = [row[code] for row in rows(rebuilt[name].whole).values()]

    assert rebuilt[name].whole.startswith(header(name))
    assert codes == sorted(codes)
    assert len(codes) > 1


def test_each_office_has_its_own_cases_those_transferred_to_it_too(
    rebuilt: Mapping[str, SharedList], warehouse: db.Connection
) -> None:
    own = {office: rows(content) for office, content in rebuilt["dossiers"].by_office.items()}

    assert [*own] == OFFICES
    assert {name: case for cases in own.values() for name, case in cases.items()} == rows(rebuilt["dossiers"].whole)
    assert all(case["code_bureau"] == office for office, cases in own.items() for case in cases.values())
    moved = warehouse.execute("""
        select dossier, code_bureau_ent, bureau_code from staging.tpm_suivi
        qualify row_number() over (partition by dossier order by date_suivi desc) = 1 and decision = 'transfert'
    """).fetchall()
    assert moved
    for case, new, old in moved:
        assert case in own[new]
        assert case not in own[old]


def test_a_server_that_has_some_offices_gets_their_cases_only(
    project: Settings, rebuilt: Mapping[str, SharedList]
) -> None:
    (found,) = (one for one in lists.rebuilt(project, ["TIZ01"]) if one.name == "dossiers")

    assert found.by_office == {"TIZ01": rebuilt["dossiers"].by_office["TIZ01"]}
    assert found.whole == found.by_office["TIZ01"]


def test_when_nothing_changed_no_byte_does(project: Settings, rebuilt: Mapping[str, SharedList]) -> None:
    jobs.build(project)

    assert {one.name: one for one in lists.rebuilt(project, OFFICES)} == rebuilt


def test_an_office_without_a_case_has_the_header_alone(project: Settings) -> None:
    found = {one.name: one for one in lists.rebuilt(project, ["AGD09"])}

    assert found["dossiers"].by_office == {"AGD09": header("dossiers")}
    assert found["dossiers"].whole == header("dossiers")
