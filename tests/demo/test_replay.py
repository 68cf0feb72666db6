"""The forms themselves, in the engine of ODK Web Forms, agree with what the demo says was filled."""

import csv
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from tpm_pipeline.demo import instances
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.paths import ROOT
from tpm_pipeline.records import CompiledForm

ENGINE = ROOT / "tests" / "engine"
Branch = Callable[[Answers], object]


def rows(answers: Answers) -> list[Answers]:
    found = answers.get("orientations") or answers.get("issues") or answers.get("enseignements") or []
    return [] if isinstance(found, str) else list(found)


def says(**expected: object) -> Branch:
    return lambda answers: all(answers.get(name) == value for name, value in expected.items())


def says_in_a_row(**expected: object) -> Branch:
    return lambda answers: any(says(**expected)(row) for row in rows(answers))


def asks(name: str) -> Branch:
    return lambda answers: answers.get(name, "") is not None and name in answers


def across_ramadan(answers: Answers) -> bool:
    """The clock went back an hour between the opening and the outcome."""
    dates = [str(row.get("i_date") or "") for row in rows(answers)]
    return str(answers["date_ouverture"]) < "2023-03-19" and any("2023-03-19" < day < "2023-04-23" for day in dates)


VISITS: Mapping[str, Branch] = {
    "nouveau dossier": says(dossier_mode="nouveau", groupe_cat="mre"),
    "dossier existant ouvert": says(dossier_mode="existant", statut_dossier="ouvert", nb_a_suivre="0"),
    "dossier existant clos": says(dossier_mode="existant", statut_dossier="clos_immediat"),
    "troisième visite": says(nb_visites="3"),
    "anonyme": says(consent_dossier="non", groupe_cat="mre"),
    "anonyme RPT": says(consent_dossier="non", groupe_cat="rpt"),
    "anonyme orienté": lambda answers: answers["consent_dossier"] == "non" and answers["nb_a_suivre"] != "0",
    "mineur": says(tranche_age="a15_17", cat_migrant="famille_rpt"),
    "mineur isolé": says(cat_migrant="mna", consent_dossier="oui"),
    "demandeur d’asile": says(cat_migrant="demandeur_asile", consent_dossier="oui"),
    "ne répond pas": says(cat_migrant="nr"),
    "sexe non dit": says(sexe="nr"),
    "hors région": says(province="hors_region"),
    "accompagnée": says(nb_accompagnants="3"),
    "un service": says(orientations_count="1", service_principal="foncier"),
    "quatre services": says(orientations_count="4"),
    "autre service": asks("service_autre"),
    "séjour demandé": lambda answers: bool(answers["situation_sejour"]),
    "séjour passé": says(situation_sejour=""),
    "vulnérabilités": lambda answers: " " in str(answers["vulnerabilites"]),
    "danger": says(protection_urgente="oui"),
    "protection": lambda answers: "protection" in str(answers["vulnerabilites"]).split(),
    "oriente par appel": says_in_a_row(o_reponse="oriente", o_mode="appel"),
    "accompagne": says_in_a_row(o_reponse="accompagne", o_mode="physique"),
    "attente": says_in_a_row(o_reponse="attente"),
    "impossible": says_in_a_row(o_reponse="impossible"),
    "vers une OSC": says_in_a_row(o_institution="osc"),
    "vers une autre institution": says_in_a_row(o_institution="autre"),
    "contact refusé": says(contact_accepte="non"),
    "repasse au bureau": says(contact_mode="bureau"),
    "laisse un numéro": asks("telephone"),
}
FOLLOW_UPS: Mapping[str, Branch] = {
    "résolu": says(decision="clos_resolu"),
    "sans suite": says(decision="clos_sans_suite"),
    "poursuivi": says(decision="poursuivre", joint="oui"),
    "injoignable": says(joint="injoignable", services_suivis=""),
    "injoignable, l’institution répond": says(joint="injoignable", issues_count="1"),
    "numéro erroné": says(joint="numero"),
    "refus": says(joint="refus"),
    "perdu": says(decision="clos_perdu"),
    "retrait": says(consent_maintenu="non"),
    "transfert": says(decision="transfert"),
    "bureau d’arrivée": lambda answers: not str(answers["code_dossier"]).startswith(str(answers["bureau_code"])),
    "plusieurs services": says(issues_count="3"),
    "joint sans nouvelle": says(joint="oui", consent_maintenu="oui", issues_count="0"),
    "changement d’heure": across_ramadan,
    "délai négatif": lambda answers: str(answers["delai_echeance_j"]).startswith("-"),
    "date non dite": says_in_a_row(i_issue="obtenu", i_date=""),
    "réorienté": says_in_a_row(i_action="reorientation"),
    "autre obstacle": lambda answers: any(row["i_obstacle_autre"] for row in rows(answers)),
    "nouveau besoin": says(nouveau_besoin="oui"),
    "plainte": says(plainte="oui"),
    "troisième suivi": says(nb_suivis="3"),
}
INTERVIEWS: Mapping[str, Branch] = {
    "refusé": says(consent="non"),
    "sans enregistrement": says(consent_audio="non"),
    "enregistré": says(consent_audio="oui"),
    "hors région": says(province="hors_region"),
    "migrante": asks("cat_migrant"),
    "OSC": asks("osc"),
    "élu": says(type_acteur="elu"),
    "sans enseignement": says(nb_ens="0"),
    "trois enseignements": says(nb_ens="3"),
    "documents": says(documents_remis="oui"),
    "sans restitution": says(restitution="non"),
}
# Mistakes put into a sample (the branch, what is replaced, by what), and what the enumerator must say of each.
WRONG: Mapping[str, tuple[str, str, str, str]] = {
    "mauvais calcul": ("attente", "<nb_a_suivre>[0-9]", "<nb_a_suivre>9", '/g_cloture/nb_a_suivre: the form gives "'),
    "choix non proposé": ("attente", "<canal>[a-z_]+", "<canal>pigeon", "/data/g_bureau/canal: not offered: pigeon"),
    "contrainte": ("attente", "<duree_min>[0-9]+", "<duree_min>999", "/data/g_cloture/duree_min: constraint"),
    "requise, vide": ("attente", "<sexe>[a-z]+", "<sexe>", "/data/g_profil/sexe: required"),
    "non envoyée": ("attente", "<satisfaction>[0-9]</satisfaction>", "", "/data/g_cloture/satisfaction: asked, 0"),
    "non demandée": ("anonyme", "<info_lue>", "<forme_consent/><info_lue>", "/g_consent: the form gives [note_info"),
    "rangée de trop": (
        "un service",
        "<g_cloture>",
        "<orientations/><g_cloture>",
        "/data/orientations: 1 asked, 2 sent",
    ),
    "version oubliée": ("dossier existant ouvert", 'baseVersion="[0-9]+', 'baseVersion="', "/meta/entity/@baseVersion"),
}
BRANCHES = {"tpm_visite": VISITS, "tpm_suivi": FOLLOW_UPS, "tpm_entretien": INTERVIEWS}
SAMPLES = [(form_id, branch) for form_id, branches in BRANCHES.items() for branch in branches]


@pytest.fixture(scope="module")
def differences(
    compiled: Mapping[str, CompiledForm], events: list[Event], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, list[str]]:
    folder = tmp_path_factory.mktemp("replay")
    for form_id, form in compiled.items():
        filled = [event for event in events if event.form_id == form_id]
        lay_out(folder / form_id, form, sample(filled, BRANCHES[form_id]))
    return replay(folder)


def sample(events: list[Event], branches: Mapping[str, Branch]) -> dict[str, Event]:
    """One event for each branch; no case twice, so that one list holds each as it was before its event."""
    chosen: dict[str, Event] = {}
    used: set[str] = set()
    for name, branch in branches.items():
        found = next((event for event in events if case_of(event) not in used and branch(event.answers)), None)
        assert found, f"nothing to try « {name} » with"
        chosen[name] = found
        used |= {case_of(found)} - {""}
    return chosen


def case_of(event: Event) -> str:
    return event.entity.id if event.entity else ""


def lay_out(folder: Path, form: CompiledForm, samples: Mapping[str, Event]) -> None:
    (folder / "media").mkdir(parents=True)
    (folder / "samples").mkdir()
    (folder / "form.xml").write_bytes(form.xform)
    for file in form.media:
        (folder / "media" / file.name).write_bytes(file.content)
    write_cases(folder / "media" / "dossiers.csv", (event.case for event in samples.values() if event.case))
    empty = instances.template(form.xform)
    written = {name: instances.written(event, empty) for name, event in samples.items()}
    if form.form_id == "tpm_visite":
        written |= {name: spoil(written[branch], *change) for name, (branch, *change, _) in WRONG.items()}
    for name, xml in written.items():
        (folder / "samples" / f"{name}.xml").write_bytes(xml)


def spoil(xml: bytes, pattern: str, replacement: str) -> bytes:
    spoiled, times = re.subn(pattern, replacement, xml.decode(), count=1)
    assert times == 1
    return spoiled.encode()


def write_cases(path: Path, cases: Iterable[Mapping[str, str]]) -> None:
    if path.exists():
        columns = ["__version", *path.read_text(encoding="utf-8").strip().split(",")]
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, columns, restval="")
            table.writeheader()
            table.writerows(cases)


def replay(folder: Path) -> Mapping[str, list[str]]:
    if not (ENGINE / "node_modules").is_dir():
        pytest.fail("The enumerator is not installed: run « npm ci » in tests/engine (make does).")
    environment = {**os.environ, "TZ": "Africa/Casablanca"}
    command = ["node", "replay.mjs", str(folder)]
    done = subprocess.run(
        command, cwd=ENGINE, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found: Mapping[str, list[str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("form_id", "branch"), SAMPLES)
def test_the_form_gives_what_the_demo_sends(form_id: str, branch: str, differences: Mapping[str, list[str]]) -> None:
    assert differences[f"{form_id}/{branch}.xml"] == []


@pytest.mark.parametrize("mistake", WRONG)
def test_the_enumerator_sees_a_mistake(mistake: str, differences: Mapping[str, list[str]]) -> None:
    assert any(problem.startswith(WRONG[mistake][-1]) for problem in differences[f"tpm_visite/{mistake}.xml"])
