"""The scenarios, played in ODK Web Forms' engine by one Node process."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.forms.scenario import FOLDER, Scenario, read_all
from tpm_pipeline.forms import catalog
from tpm_pipeline.forms.compile import Target, compile_form
from tpm_pipeline.paths import FORMS, ROOT
from tpm_pipeline.records import CompiledForm

ENGINE: Final = ROOT / "tests" / "engine"
Shown = Mapping[str, Any]
Played = list[tuple[Scenario, list[Shown]]]


def play_all(folder: Path = FOLDER, forms: Path = FORMS) -> Played:
    """Play every scenario of a folder; again when midnight came in between."""
    while True:
        day = today()
        scenarios = read_all(day, folder)
        shown = play(scenarios, folder, forms)
        if today() == day:
            return [(scenario, shown[scenario.form_id][scenario.title]) for scenario in scenarios]


def play(
    scenarios: Iterable[Scenario], folder: Path, forms: Path = FORMS, target: Target = "central"
) -> Mapping[str, Mapping[str, list[Shown]]]:
    """Compile the forms, hand them over with the scenarios, and return what each step showed."""
    by_form: dict[str, dict[str, list[dict[str, object]]]] = {}
    for scenario in scenarios:
        steps = [step.played() for step in (*scenario.before, *scenario.steps)]
        by_form.setdefault(scenario.form_id, {})[scenario.title] = steps
    with TemporaryDirectory() as temporary:
        for form_id, steps_of in by_form.items():
            compiled, _ = compile_form(catalog.path_of(form_id, forms), target, validate=False)
            _write(Path(temporary) / form_id, compiled, folder / "lists", steps_of)
        return _run(Path(temporary))


def today() -> date:
    """The day in the zone the engine runs in."""
    return datetime.now(UTC).date()


def _write(target: Path, form: CompiledForm, lists: Path, steps_of: Mapping[str, object]) -> None:
    """Write a form as the engine reads it; a list beside the scenarios stands for the one phones would hold."""
    (target / "media").mkdir(parents=True)
    (target / "form.xml").write_bytes(form.xform)
    for file in form.media:
        own = lists / file.name
        (target / "media" / file.name).write_bytes(own.read_bytes() if own.is_file() else file.content)
    (target / "scenarios.json").write_text(json.dumps(steps_of), encoding="utf-8")


def _run(folder: Path) -> Mapping[str, Mapping[str, list[Shown]]]:
    if not (ENGINE / "node_modules").is_dir():
        raise FileNotFoundError("The enumerator is not installed: run « npm ci » in tests/engine (make does).")
    environment = {**os.environ, "TZ": "UTC"}
    command = ["node", "scenarios.mjs", str(folder)]
    done = subprocess.run(
        command, cwd=ENGINE, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    shown: Mapping[str, Mapping[str, list[Shown]]] = json.loads(done.stdout)
    return shown
