"""Running the local server: `tpm serve`."""

import socket
from ipaddress import ip_address

import uvicorn

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.settings import Settings
from tpm_pipeline.web.app import create_app


def serve(settings: Settings) -> None:
    """Serve the local store until interrupted."""
    token = settings.serve_token.get_secret_value() or None
    if token is None and not _is_loopback(settings.serve_host):
        cause = f"«{settings.serve_host}» can be reached from other machines, and no token is set."
        raise SettingsError("SET-011", "TPM_SERVE_TOKEN", cause, "Set a long random token, or listen on 127.0.0.1.")
    listening = _listen(settings.serve_host, settings.serve_port)
    store = Store(settings.local_store)
    # Addresses carry the token, so no request is logged.
    config = uvicorn.Config(create_app(store, token), access_log=False, log_level="warning", server_header=False)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        store.close()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        cause = f"Nothing can listen on {host}:{port}: {error.strerror}."
        raise SettingsError("SET-012", "TPM_SERVE_PORT", cause, "Choose another port, or stop what uses it.") from None
