"""A small synthetic project made once and copied; and what a test wants said at the end of a run."""

import shutil
from pathlib import Path

import pytest

from tpm_pipeline import jobs
from tpm_pipeline.settings import Settings


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 25 visits and the project's other forms, sent over HTTP to its local server."""
    data = tmp_path_factory.mktemp("small") / "demo"
    jobs.demo(Settings(_env_file=None, data=data, server="local"), seed=1, visits=25)
    return data


@pytest.fixture
def demo_data(small_demo: Path, tmp_path: Path) -> Path:
    """A copy of that folder to do anything with."""
    return Path(shutil.copytree(small_demo, tmp_path / "demo"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded with `record_property("summary", text)`, wherever xdist ran them."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    for report in (report for report in reports if getattr(report, "when", "") == "call"):
        for name, text in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(f"\n{text}")
