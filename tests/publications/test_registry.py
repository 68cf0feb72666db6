"""Publishing: every format, and a plain word when it cannot be done."""

import subprocess
import sys
from pathlib import Path

import pytest

from tpm_pipeline.errors import PublicationError
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.publications import registry
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

from datetime import date  # isort: skip

TODAY = date(2026, 11, 23)


def test_every_publication_is_written(connection: db.Connection, settings: Settings, framework: Logframe) -> None:
    written = registry.publish(connection, settings, framework, TODAY)
    assert written == [settings.analysts_db, settings.dashboard]
    assert all(path.stat().st_size > 0 for path in written)
    assert sorted(path.name for path in settings.data.iterdir()) == ["dashboard.html", "private", "tpm.duckdb"]


def test_data_are_called_synthetic_if_and_only_if_the_demo_says_so(
    connection: db.Connection, settings: Settings, framework: Logframe, tmp_path: Path
) -> None:
    """The folder's name says nothing."""
    for data, marked, banners in (("demo", False, 0), ("data", False, 0), ("data", True, 3)):
        kind = settings.model_copy(update={"data": tmp_path / data})
        if marked:
            (kind.data / "synthetic.txt").write_text("42 5000")
        registry.publish(connection, kind, framework, TODAY)
        assert kind.dashboard.read_text(encoding="utf-8").count('class="banner"') == banners


def test_nothing_is_published_before_the_indicators_are_computed(settings: Settings, framework: Logframe) -> None:
    with db.memory() as empty, pytest.raises(PublicationError, match="PUB-003"):
        registry.publish(empty, settings, framework, TODAY)
    assert not settings.dashboard.exists()


def test_charts_are_loaded_only_when_a_page_is_written() -> None:
    heavy = (
        "import sys, tpm_pipeline.publications.registry; print({'altair', 'vl_convert', 'jinja2'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", heavy], check=True, capture_output=True, text=True)
    assert ran.stdout == "set()\n"
