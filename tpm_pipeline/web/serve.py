"""Running the local server: `tpm serve`."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

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
    with _listen(settings.serve_host, settings.serve_port) as listening, _server(settings.local_store, token) as server:
        server.run(sockets=[listening])


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Serve a store on a free loopback port while the block lasts; gives its address."""
    with _listen("127.0.0.1", 0) as listening, _server(folder, None) as server:
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _server(folder: Path, token: str | None) -> Iterator[uvicorn.Server]:
    former = tempfile.tempdir
    with closing(Store(folder)) as store:
        # Large uploads wait in temporary files: they are personal data too, and stay in the store's private folder.
        tempfile.tempdir = str(folder)
        # Addresses carry the token, so no request is logged.
        config = uvicorn.Config(create_app(store, token), access_log=False, log_level="warning", server_header=False)
        try:
            yield uvicorn.Server(config)
        finally:
            tempfile.tempdir = former


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> socket.socket:
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        cause = f"Nothing can listen on {host}:{port}: {error.strerror}."
        raise SettingsError("SET-012", "TPM_SERVE_PORT", cause, "Choose another port, or stop what uses it.") from None
    # Connections inherit it; without it every answer on a kept-alive connection waits 40 ms for an acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
