"""The servers the contract suite runs on. A new kind of server is one line of `KINDS`."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import uvicorn

from tests.servers.fake_central import EMAIL, PASSWORD, FakeCentral
from tests.servers.fake_kobo import TOKEN, FakeKobo
from tests.servers.kobo_phone import KoboPhone
from tests.servers.site import Site
from tests.servers.transcript import recorded
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.kobo import KoboServer
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.openrosa import OpenRosaClient
from tpm_pipeline.web.app import create_app

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Fake:
    """A fake Central that listens, and a server object speaking to it."""

    central: FakeCentral
    url: str
    site: Site


@dataclass(frozen=True)
class Kobo:
    """A fake KoboToolbox that listens, and a server object speaking to it."""

    kobo: FakeKobo
    url: str
    site: Site


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an application on a free loopback port."""
    listening = socket.create_server(("127.0.0.1", 0))
    # asyncio does this only for sockets that say IPPROTO_TCP; without it every exchange waits 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def central_site(url: str, email: str, password: str, project: str, folder: Path) -> Site:
    server = CentralServer(url, email, password, project, TIMEOUT_S)
    return Site(server, lambda: OpenRosaClient(server.app_user("téléphone 1").url, TIMEOUT_S), folder)


def kobo_site(url: str, token: str, project: str, folder: Path) -> Site:
    server = KoboServer(url, token, project, TIMEOUT_S)
    return Site(server, lambda: KoboPhone(url, token, project, TIMEOUT_S), folder)


@contextmanager
def _local(folder: Path) -> Iterator[Site]:
    with serving(create_app(Store(folder / "store"), None)) as url:
        yield Site(LocalServer(folder / "store"), lambda: OpenRosaClient(url, TIMEOUT_S), _pages(folder))


@contextmanager
def _fake(folder: Path) -> Iterator[Fake]:
    central = FakeCentral()
    with serving(central.app()) as url:
        yield Fake(central, url, central_site(url, EMAIL, PASSWORD, "Essai", _pages(folder)))


@contextmanager
def _fake_site(folder: Path) -> Iterator[Site]:
    with _fake(folder) as fake:
        yield fake.site


@contextmanager
def _real(folder: Path) -> Iterator[Site]:
    url, email, password = (os.environ.get(f"TPM_TEST_CENTRAL_{name}", "") for name in ("URL", "EMAIL", "PASSWORD"))
    if not (url and email and password):
        pytest.skip("waits for a real ODK Central: TPM_TEST_CENTRAL_URL, _EMAIL and _PASSWORD")
    site = central_site(url, email, password, f"contract {uuid4()}", _pages(folder))
    assert isinstance(site.server, CentralServer)
    try:
        yield site
    finally:
        project = site.server._find_project()
        if project is not None:
            site.server._api.delete(f"/projects/{project}")


@contextmanager
def _fake_kobo(folder: Path) -> Iterator[Kobo]:
    kobo = FakeKobo()
    with serving(kobo.app()) as url:
        yield Kobo(kobo, url, kobo_site(url, TOKEN, "Essai", _pages(folder)))


@contextmanager
def _fake_kobo_site(folder: Path) -> Iterator[Site]:
    with _fake_kobo(folder) as fake:
        yield fake.site


@contextmanager
def _real_kobo(folder: Path) -> Iterator[Site]:
    url, token = os.environ.get("TPM_TEST_KOBO_URL", ""), os.environ.get("TPM_TEST_KOBO_TOKEN", "")
    if not (url and token):
        pytest.skip("waits for a real KoboToolbox: TPM_TEST_KOBO_URL and TPM_TEST_KOBO_TOKEN")
    site = kobo_site(url, token, f"contract {uuid4()}", _pages(folder))
    assert isinstance(site.server, KoboServer)
    try:
        yield site
    finally:
        for asset in site.server._assets.all():
            site.server._api.delete(asset.path)


KINDS: dict[str, Callable[[Path], AbstractContextManager[Site]]] = {
    "local": _local,
    "fake central": _fake_site,
    "real central": _real,
    "fake kobo": _fake_kobo_site,
    "real kobo": _real_kobo,
}


@pytest.fixture(params=list(KINDS))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with _compared(request, tmp_path) as site:
        yield site


@pytest.fixture(params=["local", "fake central", "real central"])
def strict(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The servers that hold phones to the versions they deployed."""
    with _compared(request, tmp_path) as site:
        yield site


@pytest.fixture(params=["fake kobo", "real kobo"])
def kobo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with _compared(request, tmp_path) as site:
        yield site


@pytest.fixture
def fake_kobo(tmp_path: Path) -> Iterator[Kobo]:
    with _fake_kobo(tmp_path) as fake:
        yield fake


@pytest.fixture(params=["fake central", "real central"])
def central(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with _compared(request, tmp_path) as site:
        yield site


@contextmanager
def _compared(request: pytest.FixtureRequest, folder: Path) -> Iterator[Site]:
    """A site; what a fake server and the real one are told and answer in one test must be the same."""
    kind = str(request.param)
    with KINDS[kind](folder) as site:
        if kind == "local":
            yield site
            return
        case = request.node.nodeid.replace(kind, kind.partition(" ")[2])
        with recorded(case, kind) as transcript:
            yield replace(site, transcript=transcript)


@pytest.fixture
def real_central(tmp_path: Path) -> Iterator[Site]:
    with _real(tmp_path) as site:
        yield site


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    with _fake(tmp_path) as fake:
        yield fake


def _pages(folder: Path) -> Path:
    pages = folder / "pages"
    pages.mkdir()
    return pages
