"""KoboToolbox compiles with pyxform 3.0: what we derive for it must pass there too, without a warning."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import openpyxl
import pytest

from tpm_pipeline.forms import catalog, schema, sheets
from tpm_pipeline.forms import compile as compiling
from tpm_pipeline.paths import ROOT

# Beside the environment, not in it: two versions of one library cannot share it. make installs it.
PYXFORM_3: Final = ROOT / ".venv" / "pyxform-3.0"
CONVERT: Final = """
import json, sys
sys.path.insert(0, sys.argv[1])
from importlib.metadata import version
from pyxform.xls2xform import convert
results = {path: convert(path, validate=True) for path in sys.argv[2:]}
said = {path: [result.xform, result.warnings] for path, result in results.items()}
json.dump({"version": version("pyxform"), "said": said}, sys.stdout)
"""


def write_derived(form_id: str, folder: Path) -> str:
    """Write the workbook of a form as it goes to KoboToolbox: without entities, the shared lists in it."""
    path = catalog.path_of(form_id)
    derived = compiling._workbook(sheets.with_shared(path, sheets.read(path)), "kobo")
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name in (name for name in derived["sheet_names"] if name in derived):
        headers = list(derived[f"{name}_header"][0])
        sheet = book.create_sheet(name)
        sheet.append(headers)
        for row in derived[name]:
            sheet.append([row.get(header) for header in headers])
    target = folder / f"{form_id}.xlsx"
    book.save(target)
    return str(target)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    if not PYXFORM_3.is_dir():
        pytest.fail("pyxform 3.0 is not installed: run « make .venv/pyxform-3.0/.stamp » (make test does).")
    folder = tmp_path_factory.mktemp("kobo")
    paths = [write_derived(form_id, folder) for form_id in catalog.form_ids()]
    # Isolated and without site-packages: nothing but that folder can be imported.
    command = [sys.executable, "-I", "-S", "-c", CONVERT, str(PYXFORM_3), *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found: Mapping[str, Any] = json.loads(done.stdout)
    return {"version": found["version"], **{Path(path).stem: said for path, said in found["said"].items()}}


def test_it_is_the_version_kobotoolbox_pins(converted: Mapping[str, Any]) -> None:
    assert converted["version"] == "3.0.0"


@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_the_form_passes_there_without_a_warning_and_asks_the_same(form_id: str, converted: Mapping[str, Any]) -> None:
    xform, warnings = converted[form_id]
    ours, _ = compiling.compile_form(catalog.path_of(form_id), "kobo", validate=False)

    assert warnings == []
    # There typographic quotes are straightened, here they are kept.
    straight = ours.xform.decode().replace("’", "'").encode()
    assert schema.read(xform.encode()).root == schema.read(straight).root
