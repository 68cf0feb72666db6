"""The commands: what they print, how they fail, how little they load."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tpm_pipeline import cli, jobs
from tpm_pipeline.cli import app
from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.trace import TracedLine
from tpm_pipeline.records import Change, Finding

HEAVY = ("altair", "duckdb", "fastapi", "openpyxl", "pandas", "prefect", "pydantic", "pyxform", "requests", "starlette")


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("TPM_DATA", str(tmp_path / "demo"))
    monkeypatch.setenv("TPM_SERVER", "local")
    return tmp_path / "demo"


def run(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int | str | None, str]:
    monkeypatch.setattr(sys, "argv", ["tpm", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code, capsys.readouterr().err


def test_help_loads_nothing_heavy() -> None:
    program = f"import sys, tpm_pipeline.cli; print([name for name in {HEAVY} if name in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed.strip() == "[]"


def test_a_refresh_that_finds_nothing_loads_neither_charts_nor_compilers() -> None:
    program = "import sys, tpm_pipeline.jobs; print([n for n in ('altair', 'pandas', 'pyxform') if n in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout

    assert printed.strip() == "[]"


def test_from_nothing_to_indicators_and_again(data: Path) -> None:
    assert "synthetic submissions sent" in run("demo", "--visits", "30")
    assert "there already" in run("demo", "--visits", "30")
    assert "none: " in run("deploy")
    assert "tpm_visite: 3" in run("pull", "tpm_visite")
    refreshed = run("refresh")
    assert "publications written" in refreshed
    assert re.search(r"to look at: \w+ \d+", refreshed)
    assert "Nothing new" in run("refresh")

    shown = run("indicators")

    assert [line[:6].strip() for line in shown.splitlines()[:33]] == [one.code for one in logframe.read().indicators]
    assert str(data / "dashboard.html") in shown

    explained = run("explain", "R1-2", "--period", "A1", "--limit", "1")

    assert "R1-2 · Visites enregistrées" in explained
    assert "http://127.0.0.1:8010/submissions/tpm_visite/uuid%3A" in explained


@pytest.mark.usefixtures("data")
def test_sharing_says_what_phones_were_given(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("share") == "Nothing to do: phones get the lists from their server, or have the latest.\n"

    monkeypatch.setattr(jobs, "share", lambda *_: [Change("update", "dossiers.csv of tpm_suivi")])

    assert run("share") == "update: dossiers.csv of tpm_suivi\n"


def test_the_trace_follows_the_twenty_lines_and_fails_when_one_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "20 of 20 lines have forms and indicators" in run("trace")

    lost = TracedLine("B2", "Accompagner les bureaux", ("tpm_bureau",), ())
    monkeypatch.setattr(jobs, "trace", lambda: [lost])
    refused = CliRunner().invoke(app, ["trace"])

    assert refused.exit_code == 14
    assert "0 of 1 lines have forms and indicators" in refused.output


def test_deploying_is_planned_then_done_then_nothing(data: Path) -> None:
    assert run("deploy", "--plan").count("create: ") == 12
    assert not (data / "private" / "warehouse.duckdb").exists()
    assert run("deploy", "--plan").count("create: ") == 12
    assert run("deploy").count("create: ") == 12
    assert run("deploy").count("none: ") == 12


def test_check_prints_its_findings_and_fails_on_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [Finding("FORM-021", "forms/x.xlsx, survey row 3", "No Arabic.")]
    monkeypatch.setattr(jobs, "check", lambda *, full: found if not full else [])

    refused = CliRunner().invoke(app, ["check"])

    assert refused.exit_code == 11
    assert "error: FORM-021 · forms/x.xlsx, survey row 3: No Arabic." in refused.output
    assert "0 errors, 0 warnings" in run("check", "--full")


def test_render_says_what_it_rewrote() -> None:
    assert run("forms", "render") == ""


def test_a_mistake_prints_one_line_and_its_familys_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    code, printed = failed(monkeypatch, capsys, "pull", "tpm_visites")
    assert (code, printed.count("\n")) == (11, 1)
    assert printed.startswith("FORM-014 · forms/tpm_visites/")

    code, printed = failed(monkeypatch, capsys, "indicators")
    assert (code, printed.count("\n")) == (15, 1)
    assert printed == "PUB-001 · tpm.duckdb: Nothing was published yet. Run `tpm refresh` first.\n"
    assert not data.exists()

    monkeypatch.setenv("TPM_SERVE_HOST", "0.0.0.0")
    code, printed = failed(monkeypatch, capsys, "serve")
    assert code == 10
    assert printed.startswith("SET-011")


def test_progress_is_silent_without_a_terminal(data: Path) -> None:
    command = [sys.executable, "-m", "tpm_pipeline.cli", "demo", "--visits", "5"]
    env = {"TPM_DATA": str(data), "PATH": "/usr/bin:/bin"}

    ended = subprocess.run(command, env=env, check=True, capture_output=True, text=True)

    assert ended.stderr == ""
    assert ended.stdout.count("\n") == 1
