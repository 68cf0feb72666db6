"""The kinds of server, one line each."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.central_sealed import read_keys
from tpm_pipeline.servers.kobo import KoboServer
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Kind, Settings


def open_servers(settings: Settings) -> dict[Kind, Server]:
    """The servers the settings choose, the first one first; nothing is sent to them yet."""
    return {kind: KINDS[kind](settings) for kind in settings.kinds}


def _needing(settings: Settings, server: str, *names: str) -> None:
    for name in names:
        if not getattr(settings, name):
            cause, remedy = f"{server} is chosen, but this is empty.", "Set it in the environment or in .env."
            raise SettingsError("SET-003", f"TPM_{name.upper()}", cause, remedy)


def _central(settings: Settings) -> Server:
    _needing(settings, "ODK Central", "central_url", "central_email", "central_password")
    path = settings.central_private_key
    return CentralServer(
        settings.central_url,
        settings.central_email,
        settings.central_password.get_secret_value(),
        settings.central_project,
        settings.timeout_s,
        # Set to nothing, a path is that of the folder one is in.
        keys=read_keys(None if path == Path() else path, settings.central_key_passphrase.get_secret_value()),
    )


def _kobo(settings: Settings) -> Server:
    _needing(settings, "KoboToolbox", "kobo_url", "kobo_token")
    token = settings.kobo_token.get_secret_value()
    return KoboServer(settings.kobo_url, token, settings.kobo_project, settings.timeout_s)


def _local(settings: Settings) -> Server:
    address = f"http://{settings.serve_host}:{settings.serve_port}"
    return LocalServer(settings.local_store, address, settings.serve_token.get_secret_value())


KINDS: Mapping[Kind, Callable[[Settings], Server]] = {
    "local": _local,
    "central": _central,
    "kobo": _kobo,
}
