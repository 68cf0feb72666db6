from pathlib import Path

import pytest

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.settings import Settings, load


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TPM_DATA", str(tmp_path))
    monkeypatch.setenv("TPM_SERVER", "central")

    settings = load()

    assert settings.server == "central"
    assert settings.private_db.parent.parent == tmp_path
    assert settings.analysts_db.parent == tmp_path


def test_several_servers_are_chosen_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPM_SERVER", "kobo, central")

    assert load().kinds == ("kobo", "central")


@pytest.mark.parametrize("said", ["", "ona", "central,", "central kobo", "kobo,kobo"])
def test_what_is_no_kind_of_server_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("TPM_SERVER", said)

    with pytest.raises(SettingsError, match=r"SET-001 · TPM_SERVER: .*local, central, kobo, or several"):
        load()


@pytest.mark.parametrize(("said", "meant"), [("", None), ("6", 6.0), ("0", 0.0)])
def test_how_often_to_sweep_may_be_left_to_the_server(
    monkeypatch: pytest.MonkeyPatch, said: str, meant: float | None
) -> None:
    monkeypatch.setenv("TPM_SWEEP_HOURS", said)

    assert load().sweep_hours == meant


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPM_TIMEOUT_S", "soon")

    with pytest.raises(SettingsError, match=r"SET-001 · TPM_TIMEOUT_S: .*Correct it") as error:
        load()

    assert "soon" not in str(error.value)
    assert error.value.exit_code == 10


def test_a_secret_does_not_show_in_a_printed_settings_object(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CENTRAL_PASSWORD", "KOBO_TOKEN", "SERVE_TOKEN", "WAREHOUSE_KEY", "PSEUDONYM_KEY"):
        monkeypatch.setenv(f"TPM_{name}", "very-secret")

    assert "very-secret" not in repr(load())


def test_personal_data_and_publications_are_apart() -> None:
    settings = Settings(data=Path("data"))

    assert {settings.private_db.parent, settings.local_store.parent} == {settings.private}
    assert settings.private not in settings.analysts_db.parents
    assert settings.private not in settings.dashboard.parents
