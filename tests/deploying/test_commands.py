"""`tpm deploy` and `tpm phones`, typed against a Central: what a project officer reads, and the exit codes."""

import sys
from pathlib import Path

import pytest

from tests.servers.conftest import Fake, fake
from tests.servers.fake_central import EMAIL, PASSWORD
from tpm_pipeline import cli, jobs
from tpm_pipeline.records import CompiledForm, Finding

__all__ = ["fake"]

DECLARED = """
phones: {TIZ01: [téléphone 1, tablette]}
web_users: {amina@example.org: viewer}
desk_links: {tpm_visite: [TIZ01]}
"""


@pytest.fixture
def typed(fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "Typed":
    """A terminal whose settings lead to the fake Central; the forms are compiled once and not validated."""
    (tmp_path / "access.yml").write_text(DECLARED, encoding="utf-8")
    settings = {
        "SERVER": "central",
        "CENTRAL_URL": fake.url,
        "CENTRAL_EMAIL": EMAIL,
        "CENTRAL_PASSWORD": PASSWORD,
        "CENTRAL_PROJECT": "Essai",
        "DATA": str(tmp_path / "data"),
        "ACCESS": str(tmp_path / "access.yml"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"TPM_{name}", value)
    forms = jobs.compile_forms("central", validate=False)

    def compiled(*_: object) -> tuple[list[CompiledForm], list[Finding]]:
        return forms

    monkeypatch.setattr(jobs, "compile_forms", compiled)
    return Typed(monkeypatch)


class Typed:
    """Runs a command as the shell does; gives its exit code."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *words: str) -> int:
        self._monkeypatch.setattr(sys, "argv", ["tpm", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)


def test_a_plan_sends_nothing_and_a_second_deployment_does_nothing(
    typed: Typed, fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("deploy", "--plan") == 0
    planned = capsys.readouterr().out
    assert fake.central.projects == {}

    assert typed("deploy") == 0
    assert capsys.readouterr().out == planned
    assert "create: phone TIZ01 · tablette\n" in planned
    assert "create: link to tpm_visite TIZ01 · accueil\n" in planned

    assert typed("deploy") == 0
    assert {line.split(":")[0] for line in capsys.readouterr().out.splitlines()} == {"none"}


@pytest.mark.parametrize("words", [("--plan",), ()])
def test_what_a_hand_changed_comes_first_and_stops_all_the_rest(
    typed: Typed, fake: Fake, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    typed("deploy")
    (project,) = fake.central.projects.values()
    project.forms["tpm_visite"].state = "closing"
    project.forms["tpm_osc"].allowed.clear()
    capsys.readouterr()

    assert typed("deploy", *words) == 12

    printed = capsys.readouterr()
    assert printed.out.startswith("drift: tpm_visite: it is closing, and would be open again\n")
    assert printed.err.startswith("SRV-040 · central ")
    assert printed.err.count("\n") == 1
    assert not project.forms["tpm_osc"].allowed

    assert typed("deploy", "--force", *words) == 0
    assert project.forms["tpm_visite"].state == ("closing" if words else "open")


def test_phones_and_desks_are_handed_over_and_their_addresses_are_not_printed(
    typed: Typed, fake: Fake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typed("deploy")
    (project,) = fake.central.projects.values()
    project.forms["tpm_visite"].web_form = "AbCd123"
    tokens = [user["token"] for user in project.users.values()]

    assert typed("phones") == 0

    printed = capsys.readouterr().out
    folder = tmp_path / "data" / "private" / "phones"
    assert str(folder / "TIZ01.html") in printed
    assert str(folder / "desk-links.txt") in printed
    assert not [token for token in tokens if token in printed]
    assert (folder / "desk-links.txt").read_text().startswith(f"TIZ01 · tpm_visite: {fake.url}/f/AbCd123?st=")
