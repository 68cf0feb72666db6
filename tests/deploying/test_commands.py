"""`tpm deploy` and `tpm phones`, typed against a Central: what a project officer reads, and the exit codes."""

import sys
from pathlib import Path

import pytest

from tests.servers.conftest import Fake, fake, serving
from tests.servers.fake_central import EMAIL, PASSWORD
from tests.servers.fake_central_state import Project
from tests.servers.fake_kobo import TOKEN, FakeKobo
from tpm_pipeline import cli, jobs
from tpm_pipeline.records import CompiledForm, Finding
from tpm_pipeline.servers import local_forms
from tpm_pipeline.servers.local_store import Store

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


def test_where_nobody_is_declared_it_says_what_to_name(
    typed: Typed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(FakeKobo().app()) as url:
        for name, value in {"SERVER": "kobo", "KOBO_URL": url, "KOBO_TOKEN": TOKEN}.items():
            monkeypatch.setenv(f"TPM_{name}", value)
        (tmp_path / "access.yml").write_text("phones: {TIZ01: [téléphone 1]}\n", encoding="utf-8")
        assert typed("phones") == 0

    assert "on KoboToolbox, accounts" in capsys.readouterr().out


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


@pytest.fixture
def on_two(typed: Typed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Typed:
    """The same terminal, with one form on the local server and the others on Central."""
    monkeypatch.setenv("TPM_SERVER", "central,local")
    monkeypatch.setenv("TPM_SERVE_HOST", "192.0.2.7")
    (tmp_path / "access.yml").write_text(f"{DECLARED}servers: {{local: {{forms: [tpm_osc]}}}}\n", encoding="utf-8")
    return typed


def forms_on(tmp_path: Path, fake: Fake) -> tuple[list[str], list[str]]:
    """The forms that phones get of Central and of the local server."""
    (project,) = fake.central.projects.values() or [Project("none")]
    offered = local_forms.offered(Store(tmp_path / "data" / "private" / "server"))
    central = sorted(form_id for form_id, form in project.forms.items() if form.state == "open")
    return central, [form.form_id for form in offered]


def test_each_of_two_servers_gets_its_part_and_the_plan_says_which(
    on_two: Typed, fake: Fake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    others = sorted({*jobs.form_ids()} - {"tpm_osc"})

    assert on_two("deploy") == 0

    central, local = capsys.readouterr().out.split("local:\n")
    assert central.startswith(f"central {fake.url} «Essai»:\ncreate: ")
    assert "tpm_osc" not in central
    assert local.startswith("create: tpm_osc ")
    assert forms_on(tmp_path, fake) == (others, ["tpm_osc"])
    assert on_two("deploy") == 0
    assert {line.split(":")[0] for line in capsys.readouterr().out.splitlines() if ": " in line} == {"none"}


def test_what_a_hand_changed_on_one_of_two_servers_stops_both(
    on_two: Typed, fake: Fake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    on_two("deploy")
    (project,) = fake.central.projects.values()
    project.forms["tpm_visite"].state = "closing"
    moved = f"{DECLARED}servers: {{local: {{forms: [tpm_osc, tpm_com]}}}}\n"
    (tmp_path / "access.yml").write_text(moved, encoding="utf-8")
    before = forms_on(tmp_path, fake)

    assert on_two("deploy") == 12

    assert "drift: tpm_visite" in capsys.readouterr().out
    assert forms_on(tmp_path, fake) == before

    assert on_two("deploy", "--force") == 0
    others = sorted({*jobs.form_ids()} - {"tpm_osc", "tpm_com"})
    assert forms_on(tmp_path, fake) == (others, ["tpm_com", "tpm_osc"])


def test_a_server_that_is_down_stops_the_deployment_to_the_other(
    on_two: Typed, fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("TPM_CENTRAL_URL", "http://127.0.0.1:1")

    assert on_two("deploy") == 12

    assert capsys.readouterr().err.startswith("SRV-001 · http://127.0.0.1:1: ")
    assert forms_on(tmp_path, fake) == ([], [])


def test_what_cannot_be_shared_is_said_before_anything_is_sent(
    typed: Typed, fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TPM_SERVER", "central,local")

    assert typed("deploy") == 10

    assert capsys.readouterr().err.startswith("SET-015 · access.yml: ")
    assert fake.central.requests == []


def test_an_office_gets_the_codes_of_both_servers(on_two: Typed, tmp_path: Path) -> None:
    on_two("deploy")
    folder = tmp_path / "data" / "private" / "phones"
    (tmp_path / "access.yml").write_text("phones: {TIZ01: [a]}\nservers: {local: {forms: [tpm_osc]}}\n")
    on_two("deploy")

    assert on_two("phones") == 0

    page = (folder / "TIZ01.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 2
    assert "<bdi>Essai · ODK Central</bdi>" in page
    assert "<bdi>Essai · local</bdi>" in page


def test_a_pull_says_of_which_server_and_fails_as_the_one_that_is_down(
    on_two: Typed, fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_two("deploy")
    capsys.readouterr()

    assert on_two("pull") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "tpm_osc · local: 0 seen, 0 new or changed" in lines
    assert f"tpm_visite · central {fake.url} «Essai»: 0 seen, 0 new or changed" in lines

    monkeypatch.setenv("TPM_CENTRAL_URL", "http://127.0.0.1:1")
    assert on_two("pull") == 12
    assert capsys.readouterr().err.startswith("SRV-001 · http://127.0.0.1:1: ")
