"""What the package offers at its door: one function, and nobody waits for it."""

import subprocess
import sys
from pathlib import Path

import pytest

import tpm_pipeline
from tpm_pipeline.errors import PublicationError


def test_importing_the_package_loads_no_library() -> None:
    code = "import sys, tpm_pipeline; print({'pandas', 'duckdb', 'pydantic'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == "set()"


def test_a_frame_is_asked_of_the_package(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match="PUB-001"):
        tpm_pipeline.frame("marts.fct_visite", labels="fr", database=tmp_path / "none.duckdb")
