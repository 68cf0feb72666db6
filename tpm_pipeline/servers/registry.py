"""The kinds of server, one line each."""

from collections.abc import Callable, Mapping

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.central import CentralServer
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
    return CentralServer(
        settings.central_url,
        settings.central_email,
        settings.central_password.get_secret_value(),
        settings.central_project,
        settings.timeout_s,
    )


KINDS: Mapping[str, Callable[[Settings], Server]] = {
    "local": lambda settings: LocalServer(settings.local_store, f"http://{settings.serve_host}:{settings.serve_port}"),
    "central": _central,
}
