"""A follow-up filled without network on the form KoboToolbox gets, with one office's case list from the warehouse."""

import csv
import io
import shutil
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.forms import coverage, player
from tests.forms.logic import forms
from tests.forms.player import Shown
from tests.forms.scenario import Scenario, read
from tpm_pipeline import jobs
from tpm_pipeline.deploying import lists, offices
from tpm_pipeline.forms import catalog
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import SharedList
from tpm_pipeline.servers import local_submissions, payload
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.settings import Settings

OFFICE, OTHER, EMPTY = "TIZ01", "CHT01", "AGD09"
Case = Mapping[str, str]
FOLLOW_UP = """
# tpm_suivi

## Le suivi d’un dossier ouvert

| question | réponse | résultat |
| --- | --- | --- |
| bureau | {bureau} |  |
| bureau_code |  | vaut {office} |
| agent_code | AG07 |  |
| carte_scan | {other} |  |
| dossier | {other} | non proposé |
| carte_scan | (rien) |  |
| dossier | {label} |  |
| code_dossier |  | vaut {code_dossier} |
| services_prec |  | vaut {services_dossier} |
| echeance_prec |  | vaut {prochaine_echeance} |
| date_suivi | aujourd’hui |  |
| canal_suivi | telephone |  |
| joint | oui |  |
| consent_maintenu | oui |  |
| decision | poursuivre |  |
| echeance | aujourd’hui + 30 |  |
| envoi |  | envoyé |
| entité |  | aucune |
"""
LOOK = """
# tpm_suivi

## Les dossiers que voit un bureau

| question | réponse | résultat |
| --- | --- | --- |
| bureau | {bureau} |  |
| dossier |  | demandé |
"""


@pytest.fixture(scope="module")
def settings(small_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A synthetic project, collected and built."""
    data = shutil.copytree(small_demo, tmp_path_factory.mktemp("project") / "demo")
    settings = Settings(_env_file=None, data=data, server="local")
    jobs.pull(settings, jobs.form_ids())
    jobs.build(settings)
    return settings


@pytest.fixture(scope="module")
def rebuilt(settings: Settings) -> Mapping[str, SharedList]:
    return {one.name: one for one in lists.rebuilt(settings, [OFFICE, OTHER, EMPTY])}


def rows(content: bytes) -> list[Case]:
    return [*csv.DictReader(io.StringIO(content.decode()))]


def on_the_phone(folder: Path, rebuilt: Mapping[str, SharedList], cases: bytes) -> Path:
    """The lists of the form, with these cases among them."""
    files = {f"{name}.csv": one.whole for name, one in rebuilt.items()} | {"dossiers.csv": cases}
    (folder / "lists").mkdir(parents=True)
    for name, content in files.items():
        (folder / "lists" / name).write_bytes(content)
    return folder


def fill(folder: Path, table: str, **words: str) -> tuple[Scenario, list[Shown]]:
    """Fill the form as the table says."""
    path, day = folder / "tpm_suivi.md", player.today()
    path.write_text(table.strip().format(**words), encoding="utf-8")
    (scenario,) = read(path, day)
    return scenario, player.play([scenario], folder, target="kobo")["tpm_suivi"][scenario.title]


def offered(folder: Path, office: str) -> list[str]:
    """The cases the form lists once this office is chosen."""
    _, (_, shown) = fill(folder, LOOK, bureau=offices.read()[office].fr)
    return list(shown["offers"])


@pytest.mark.parametrize("office", [OFFICE, OTHER])
def test_the_form_lists_exactly_the_open_cases_of_the_office(
    office: str, rebuilt: Mapping[str, SharedList], tmp_path: Path
) -> None:
    own, whole = rebuilt["dossiers"].by_office[office], rebuilt["dossiers"].whole
    expected = [case["name"] for case in rows(own)]

    assert offered(on_the_phone(tmp_path / "own", rebuilt, own), office) == expected
    assert offered(on_the_phone(tmp_path / "whole", rebuilt, whole), office) == expected
    assert 0 < len(expected) < len(rows(whole))


def test_a_list_without_a_case_loads_and_offers_none(rebuilt: Mapping[str, SharedList], tmp_path: Path) -> None:
    folder = on_the_phone(tmp_path / "phone", rebuilt, rebuilt["dossiers"].by_office[EMPTY])

    assert offered(folder, OFFICE) == []


def test_a_follow_up_filled_offline_says_which_case_it_is_of_and_reaches_the_next_list(
    settings: Settings, rebuilt: Mapping[str, SharedList], tmp_path: Path
) -> None:
    own = rebuilt["dossiers"].by_office
    case, other = rows(own[OFFICE])[0], rows(own[OTHER])[0]
    folder = on_the_phone(tmp_path / "phone", rebuilt, own[OFFICE])
    words = {**case, "bureau": offices.read()[OFFICE].fr, "office": OFFICE, "other": other["code_dossier"]}

    scenario, shown = fill(folder, FOLLOW_UP, **words)
    sent = payload.parse(shown[-1]["xml"].encode())
    answers = payload.answers(sent.root, frozenset())

    assert coverage.problems([(scenario, shown)], forms())["tpm_suivi", scenario.title] == []
    assert payload.entity_node(sent.root) is None
    assert answers["g_dossier"]["dossier"] == case["name"]
    assert answers["g_dossier"]["code_dossier"] == case["code_dossier"]
    assert answers["g_decision"]["nb_suivis"] == str(int(case["nb_suivis"] or 0) + 1)
    due = (date.fromisoformat(answers["g_contact"]["date_suivi"]) + timedelta(days=30)).isoformat()
    assert answers["g_decision"]["echeance"] == due

    project = settings.model_copy(update={"data": shutil.copytree(settings.data, tmp_path / "demo")})
    found = {row["name"]: row for row in rows(after(project, sent.xml).by_office[OFFICE])}

    assert found[case["name"]] == {
        **case,
        "label": f"{case['code_dossier']} · {answers['g_contact']['date_suivi']}",
        "date_dernier_contact": answers["g_contact"]["date_suivi"],
        "prochaine_echeance": due,
        "nb_suivis": answers["g_decision"]["nb_suivis"],
    }


def after(settings: Settings, xml: bytes) -> SharedList:
    """The case list once this follow-up was sent, by a form that writes to no list of the server, and built."""
    form, _ = compile_form(catalog.path_of("tpm_suivi"), "kobo", validate=False)
    LocalServer(settings.local_store).deploy([form])
    local_submissions.accept(Store(settings.local_store), xml, [])
    jobs.pull(settings, jobs.form_ids())
    jobs.build(settings)
    (cases,) = (one for one in lists.rebuilt(settings, [OFFICE]) if one.name == "dossiers")
    return cases
