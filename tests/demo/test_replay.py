"""The forms themselves, in the engine of ODK Web Forms, agree with what the demo says was filled."""

import csv
import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.demo.branches import BRANCHES, FORMER_BRANCHES, Branch
from tpm_pipeline.demo import instances
from tpm_pipeline.demo.cases import Event
from tpm_pipeline.demo.mess import Sending
from tpm_pipeline.demo.versions import CHANGED
from tpm_pipeline.paths import ROOT
from tpm_pipeline.records import CompiledForm

ENGINE = ROOT / "tests" / "engine"
BLANK_OR_NOT = "<{0}(/|>[0-9]+</{0})>"
# Mistakes put into a sample (the branch, what is replaced, by what), and what the enumerator must say of each.
WRONG: Mapping[str, tuple[str, str, str, str]] = {
    "mauvais calcul": ("attente", "<nb_a_suivre>[0-9]", "<nb_a_suivre>9", '/g_cloture/nb_a_suivre: the form gives "'),
    "choix non proposé": ("attente", "<canal>[a-z_]+", "<canal>pigeon", "/data/g_bureau/canal: not offered: pigeon"),
    "contrainte": (
        "attente",
        BLANK_OR_NOT.format("duree_min"),
        "<duree_min>999</duree_min>",
        "/data/g_cloture/duree_min: constraint",
    ),
    "requise, vide": ("attente", "<sexe>[a-z]+", "<sexe>", "/data/g_profil/sexe: required"),
    "non envoyée": ("attente", BLANK_OR_NOT.format("satisfaction"), "", "/data/g_cloture/satisfaction: asked, 0"),
    "non demandée": ("anonyme", "<info_lue>", "<forme_consent/><info_lue>", "/g_consent: the form gives [note_info"),
    "rangée de trop": (
        "un service",
        "<g_cloture>",
        "<orientations/><g_cloture>",
        "/data/orientations: 1 asked, 2 sent",
    ),
    "version oubliée": ("dossier existant ouvert", 'baseVersion="[0-9]+', 'baseVersion="', "/meta/entity/@baseVersion"),
}
FORMER = "tpm_visite, former"
WAYS = {**BRANCHES, FORMER: FORMER_BRANCHES}
SAMPLES = [(form, branch) for form, branches in WAYS.items() for branch in branches]
LISTS = {"tpm_visite": "dossiers", "tpm_suivi": "dossiers", "tpm_osc": "osc", "tpm_bureau": "bureaux"}


@pytest.fixture(scope="module")
def differences(
    compiled: Mapping[str, CompiledForm],
    former: CompiledForm,
    sendings: list[Sending],
    tmp_path_factory: pytest.TempPathFactory,
) -> Mapping[str, list[str]]:
    folder = tmp_path_factory.mktemp("replay")
    filled = [sending.event for sending in sendings if not sending.again and not sending.event.replaces]
    for name, form in {**compiled, FORMER: former}.items():
        old = name == FORMER
        wanted = [event for event in filled if event.form_id == form.form_id and (not old or is_before(event))]
        samples = sample(wanted, WAYS[name])
        written = write(form, samples)
        if name == "tpm_visite":
            written |= {name: spoil(written[branch], *change) for name, (branch, *change, _) in WRONG.items()}
        lay_out(folder / name, form, [event.case for event in samples.values() if event.case], written)
    return replay(folder)


def is_before(event: Event) -> bool:
    return event.began.date() < CHANGED


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


def write(form: CompiledForm, samples: Mapping[str, Event]) -> dict[str, bytes]:
    empty = instances.template(form.xform)
    return {name: instances.written(event, empty) for name, event in samples.items()}


def lay_out(folder: Path, form: CompiledForm, cases: list[Mapping[str, str]], samples: Mapping[str, bytes]) -> None:
    (folder / "media").mkdir(parents=True)
    (folder / "samples").mkdir()
    (folder / "form.xml").write_bytes(form.xform)
    for file in form.media:
        (folder / "media" / file.name).write_bytes(file.content)
    if form.form_id in LISTS:
        write_cases(folder / "media" / f"{LISTS[form.form_id]}.csv", cases)
    for name, xml in samples.items():
        (folder / "samples" / f"{name}.xml").write_bytes(xml)


def spoil(xml: bytes, pattern: str, replacement: str) -> bytes:
    spoiled, times = re.subn(pattern, replacement, xml.decode(), count=1)
    assert times == 1
    return spoiled.encode()


def write_cases(path: Path, cases: list[Mapping[str, str]]) -> None:
    """Put the cases into the list the phone holds, in place of those it knows."""
    with path.open(encoding="utf-8", newline="") as file:
        table = csv.DictReader(file)
        columns = ["__version", *(table.fieldnames or ())]
        known = {row["name"]: {"__version": "1", **row} for row in table}
    with path.open("w", encoding="utf-8", newline="") as file:
        rewritten = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        rewritten.writeheader()
        rewritten.writerows({**known, **{case["name"]: case for case in cases}}.values())


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
