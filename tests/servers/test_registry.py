"""The settings choose the server."""

from pathlib import Path

import pytest

from tpm_pipeline.errors import ServerError, SettingsError
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.kobo import KoboServer
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.servers.registry import KINDS, open_servers
from tpm_pipeline.settings import KINDS as ALL
from tpm_pipeline.settings import Settings

_CENTRAL = {"central_url": "https://odk.example.org", "central_email": "a@example.org", "central_password": "pa55"}


def open_server(chosen: Settings) -> Server:
    (server,) = open_servers(chosen).values()
    return server


def settings(tmp_path: Path, **chosen: str) -> Settings:
    return Settings(_env_file=None, data=tmp_path, **chosen)  # type: ignore[arg-type]


def test_every_kind_that_can_be_chosen_exists() -> None:
    assert list(KINDS) == list(ALL)


def test_the_local_server_needs_no_setting(tmp_path: Path) -> None:
    assert isinstance(open_server(settings(tmp_path, server="local")), LocalServer)


def test_central_is_opened_without_a_request(tmp_path: Path) -> None:
    server = open_server(settings(tmp_path, server="central", **_CENTRAL))

    assert isinstance(server, CentralServer)
    assert server.name == "central https://odk.example.org «TPM Souss-Massa»"


def test_kobotoolbox_is_opened_without_a_request(tmp_path: Path) -> None:
    server = open_server(settings(tmp_path, server="kobo", kobo_token="t0ken"))

    assert isinstance(server, KoboServer)
    assert server.name == "kobo https://kf.kobotoolbox.org «TPM Souss-Massa»"


def test_several_are_opened_in_the_order_in_which_they_are_chosen(tmp_path: Path) -> None:
    assert [*open_servers(settings(tmp_path, server="kobo,central", kobo_token="t0ken", **_CENTRAL))] == [
        "kobo",
        "central",
    ]


@pytest.mark.parametrize("empty", ["kobo_url", "kobo_token"])
def test_kobotoolbox_without_one_of_its_settings_names_it(tmp_path: Path, empty: str) -> None:
    with pytest.raises(SettingsError, match=rf"SET-003 · TPM_{empty.upper()}: KoboToolbox is chosen") as error:
        open_server(settings(tmp_path, server="kobo", **{"kobo_token": "t0ken", empty: ""}))

    assert "t0ken" not in str(error.value)


def test_a_key_that_cannot_be_read_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    chosen = settings(tmp_path, server="central", central_private_key=str(tmp_path / "absent.pem"), **_CENTRAL)
    with pytest.raises(ServerError, match=r"SRV-035.*TPM_CENTRAL_PRIVATE_KEY"):
        open_server(chosen)


def test_a_key_set_to_nothing_is_none(tmp_path: Path) -> None:
    assert open_server(settings(tmp_path, server="central", central_private_key="", **_CENTRAL))


@pytest.mark.parametrize("empty", list(_CENTRAL))
def test_central_without_one_of_its_settings_names_it(tmp_path: Path, empty: str) -> None:
    with pytest.raises(SettingsError) as error:
        open_server(settings(tmp_path, server="central", **{**_CENTRAL, empty: ""}))

    assert error.value.code == "SET-003"
    assert error.value.where == f"TPM_{empty.upper()}"
    assert "pa55" not in str(error.value)
