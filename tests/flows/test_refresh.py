"""The flow: Prefect runs the same jobs, task by task, and retries what can pass by itself."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterName
from prefect.testing.utilities import prefect_test_harness

from flows.refresh import refresh, worth_retrying
from tpm_pipeline import jobs
from tpm_pipeline.errors import FormError, ServerError, ServerUnavailableError, WarehouseError
from tpm_pipeline.records import Brought, Change
from tpm_pipeline.settings import Kind, Settings


@pytest.fixture(scope="session", autouse=True)
def prefect() -> Iterator[None]:
    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, demo_data: Path) -> Path:
    monkeypatch.setenv("TPM_DATA", str(demo_data))
    monkeypatch.setenv("TPM_SERVER", "local")
    return demo_data


def task_runs(flow_run_name: str) -> list[tuple[str, str | None]]:
    with get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(flow_run_filter=FlowRunFilter(name=FlowRunFilterName(any_=[flow_run_name])))
        found = client.read_task_runs()
    return sorted((task.name, task.state_name) for task in found if task.flow_run_id == run.id)


def test_the_flow_pulls_builds_and_publishes_then_finds_nothing_to_do(data: Path) -> None:
    first = refresh.with_options(flow_run_name="first")()
    second = refresh.with_options(flow_run_name="second")()

    assert first.endswith("publications written.")
    assert (data / "tpm.duckdb").exists()
    assert (data / "dashboard.html").exists()
    assert second == "Nothing new: the publications are up to date."
    assert [name.partition("-")[0] for name, _ in task_runs("first")] == ["build", "publish", "pull", "share"]
    assert {state for _, state in task_runs("first")} == {"Completed"}
    assert [name.partition("-")[0] for name, _ in task_runs("second")] == ["pull", "share"]


@pytest.mark.usefixtures("data")
def test_a_server_that_comes_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, asked = jobs.pull, []

    def down_once(settings: Settings, forms: list[str], *, only: Kind) -> Brought:
        asked.append(forms)
        if len(asked) == 1:
            away = ServerUnavailableError("SRV-001", "https://odk.example.org", "It cannot be reached.", "Try again.")
            return [], [FormError("FORM-029", "tpm_osc", "It does not compile.", "Correct it."), away]
        return real(settings, forms, only=only)

    monkeypatch.setattr(jobs, "pull", down_once)

    assert refresh().endswith("publications written.")
    assert asked == [jobs.form_ids(), jobs.form_ids()]


def test_a_server_that_fails_is_said_after_what_the_other_brought_is_published(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    real = jobs.pull
    (data / "access.yml").write_text("servers: {central: {forms: [tpm_osc]}}")
    for name in ("CENTRAL_URL", "CENTRAL_EMAIL", "CENTRAL_PASSWORD"):
        monkeypatch.setenv(f"TPM_{name}", "http://127.0.0.1:1")
    monkeypatch.setenv("TPM_SERVER", "local,central")
    monkeypatch.setenv("TPM_ACCESS", str(data / "access.yml"))

    def refused(settings: Settings, forms: list[str], *, only: Kind) -> Brought:
        if only == "central":
            raise ServerError("SRV-010", "https://odk.example.org", "Refused.", "Correct the password.")
        return real(settings, forms, only=only)

    monkeypatch.setattr(jobs, "pull", refused)

    with pytest.raises(ServerError, match="SRV-010"):
        refresh()

    assert (data / "dashboard.html").exists()


def test_a_form_that_fails_is_said_after_what_the_others_brought_is_published(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    real = jobs.pull

    def partly(settings: Settings, forms: list[str], *, only: Kind) -> Brought:
        reports, _ = real(settings, forms, only=only)
        return reports, [WarehouseError("WH-040", "tpm_osc", "Too many vanished.", "Look.")]

    def refused(_settings: Settings) -> list[Change]:
        raise ServerError("SRV-010", "https://kobo.example.org", "Refused.", "Correct the token.")

    monkeypatch.setattr(jobs, "pull", partly)
    monkeypatch.setattr(jobs, "share", refused)

    with pytest.raises(WarehouseError, match="WH-040") as error:
        refresh()

    assert (data / "dashboard.html").exists()
    assert [note.split(" · ")[0] for note in error.value.__notes__] == ["SRV-010"]


@pytest.mark.usefixtures("data")
def test_lists_that_could_not_be_given_are_given_next_time_though_nothing_is_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = []

    def refused_once(settings: Settings) -> list[Change]:
        given.append((settings.analysts_db.exists(), jobs.is_current(settings)))
        if len(given) == 1:
            raise ServerError("SRV-010", "https://kobo.example.org", "Refused.", "Correct the token.")
        return [Change("update", "dossiers.csv")]

    monkeypatch.setattr(jobs, "share", refused_once)

    with pytest.raises(ServerError, match="SRV-010"):
        refresh()

    assert refresh() == "Nothing new: the publications are up to date."
    assert given == [(True, True), (True, True)]


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ServerUnavailableError("SRV-001", "x", "Down.", "Wait."), True),
        (ServerError("SRV-010", "x", "Refused.", "Correct the password."), False),
        (FormError("FORM-014", "x", "Unknown.", "Correct it."), False),
        (ValueError("a defect"), False),
    ],
)
def test_only_what_a_retry_can_help_is_retried(error: Exception, again: bool) -> None:
    state = SimpleNamespace(result=lambda raise_on_failure: error if not raise_on_failure else None)

    assert worth_retrying(None, None, state) is again
