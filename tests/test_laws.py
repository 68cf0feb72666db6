"""The laws of imports and of SQL: one violation planted for each, and the check names it.

That nothing here violates them is said by `lint-imports` and `tpm check`, both part of `make check`.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.warehouse import db, graph

ROOT = Path(__file__).parents[1]
LINT = Path(sys.executable).with_name("lint-imports")

IMPORTS = [
    ("tpm_pipeline/paths.py", "import tpm_pipeline.settings", "tpm_pipeline.paths -> tpm_pipeline.settings"),
    ("tpm_pipeline/forms/up.py", "from tpm_pipeline import jobs", "tpm_pipeline.forms.up -> tpm_pipeline.jobs"),
    ("tpm_pipeline/servers/side.py", "import tpm_pipeline.warehouse.raw", "servers.side -> tpm_pipeline.warehouse.raw"),
    ("tpm_pipeline/demo/side.py", "from tpm_pipeline.web import app", "demo.side -> tpm_pipeline.web.app"),
    ("tpm_pipeline/helpers.py", "", "- tpm_pipeline.helpers\n"),
    ("tpm_pipeline/web/plant.py", "from prefect import flow", "tpm_pipeline.web.plant -> prefect"),
    ("tpm_pipeline/indicators/plant.py", "import duckdb", "tpm_pipeline.indicators.plant -> duckdb"),
    ("tpm_pipeline/servers/plant.py", "def late():\n    import requests", "tpm_pipeline.servers.plant -> requests"),
    ("tpm_pipeline/forms/plant.py", "import pyxform.xls2xform", "tpm_pipeline.forms.plant -> pyxform"),
    ("tpm_pipeline/servers/plant.py", "from cryptography import x509", "tpm_pipeline.servers.plant -> cryptography"),
    ("flows/plant.py", "from tpm_pipeline.warehouse import db", "flows.plant -> tpm_pipeline.warehouse.db"),
]

READS = [
    ("marts", "select * from raw.submission"),
    ("marts", "with a as (select 1) select * from a join indicators.value using (code)"),
    ("indicators", "select * from staging.tpm_visite"),
    ("indicators", "select (select count(*) from raw.submission) from marts.fct_visite"),
]


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says of a copy of the sources with every violation in it."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("tpm_pipeline", "flows"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    for path, code, _ in IMPORTS:
        with (tree / path).open("a") as planted:
            planted.write(f"\n{code}\n")
    checked = subprocess.run([str(LINT), "--no-cache"], cwd=tree, capture_output=True, text=True, check=False)
    assert checked.returncode == 1
    return checked.stdout


@pytest.mark.parametrize("found", [found for *_, found in IMPORTS])
def test_a_forbidden_import_is_found(found: str, linted: str) -> None:
    assert found in linted


def test_every_contract_is_shown_to_bite(linted: str) -> None:
    assert " 0 kept," in linted


@pytest.mark.parametrize(("schema", "sql"), READS)
def test_a_forbidden_read_is_found(schema: str, sql: str) -> None:
    with db.memory() as connection, pytest.raises(WarehouseError, match="WH-012"):
        graph.check_reads(connection, schema, "plant.sql", sql)
