"""A small synthetic project made once and copied; and what a test wants said at the end of a run."""

import os
import shutil
from collections.abc import Iterator
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
    for line in _beside([report for report in reports if getattr(report, "when", "")]):
        terminalreporter.write_line(line)
    for report in (report for report in reports if getattr(report, "when", "") == "call"):
        for name, text in report.user_properties:
            if name == "summary":
                terminalreporter.write_line(f"\n{text}")


def _beside(reports: list[pytest.TestReport]) -> Iterator[str]:
    """The contract suite's tables: each case on a fake server beside the real one, where there was one."""
    for product in ("central", "kobo"):
        yield from _table(reports, product, os.environ.get(f"TPM_TEST_{product.upper()}_VERSION", ""))


def _table(reports: list[pytest.TestReport], product: str, version: str) -> Iterator[str]:
    fake, real = f"fake {product}", f"real {product}"
    outcomes: dict[str, dict[str, str]] = {}
    for report in reports:
        kind = next((kind for kind in (fake, real) if f"[{kind}" in report.nodeid), None)
        if kind:
            case = outcomes.setdefault(report.nodeid.replace(kind, product), {})
            # A difference between the two fails at the end of the second; what is skipped ends well all the same.
            case[kind] = min(report.outcome, case.get(kind, "passed"), key=("failed", "skipped", "passed").index)
    both = {name: kinds for name, kinds in outcomes.items() if kinds.get(real, "skipped") != "skipped"}
    if not both:
        return
    yield f"\n{'case':110} {'fake':8} real {product} {version}"
    for name, kinds in sorted(both.items()):
        yield f"{name:110} {kinds.get(fake, '—'):8} {kinds[real]}"
    same = sum(kinds.get(fake) == "passed" == kinds[real] for kinds in both.values())
    yield f"{same} of {len(both)} cases alike on the fake and on the real {product}"
