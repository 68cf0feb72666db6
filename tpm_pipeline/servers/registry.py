"""The kinds of server, one line each."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.central_sealed import read_keys
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings


def open_server(settings: Settings) -> Server:
    """The server the settings choose; nothing is sent to it yet."""
    return KINDS[settings.server](settings)


def _central(settings: Settings) -> Server:
    for name in ("central_url", "central_email", "central_password"):
        if not getattr(settings, name):
            cause, remedy = "ODK Central is chosen, but this is empty.", "Set it in the environment or in .env."
            raise SettingsError("SET-003", f"TPM_{name.upper()}", cause, remedy)
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


def _local(settings: Settings) -> Server:
    address = f"http://{settings.serve_host}:{settings.serve_port}"
    return LocalServer(settings.local_store, address, settings.serve_token.get_secret_value())


KINDS: Mapping[str, Callable[[Settings], Server]] = {
    "local": _local,
    "central": _central,
}
