"""The servers the contract suite runs on. A new kind of server is one line of `KINDS`."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
import uvicorn

from tests.servers.fake_central import EMAIL, PASSWORD, FakeCentral
from tests.servers.transcript import Transcript, recorded
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.openrosa import OpenRosaClient
from tpm_pipeline.web.app import create_app

TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Site:
    """A server under test. `phone()` gives a client that may fill what is deployed by then."""

    server: Server
    phone: Callable[[], OpenRosaClient]
    folder: Path
    transcript: Transcript = field(default_factory=Transcript)

    def submit(self, *submissions: bytes, files: tuple[MediaFile, ...] = ()) -> None:
        phone = self.phone()
        for xml in submissions:
            phone.submit(xml, files)

    def pull(self, since: str | None = None, form_id: str = "visites") -> tuple[list[dict[str, Any]], str | None]:
        """The rows of every page, and the last cursor."""
        rows: list[dict[str, Any]] = []
        cursor = since
        for page in self.server.pull(form_id, since, self.folder):
            found = orjson.loads(page.path.read_bytes())
            page.path.unlink()
            assert page.rows == len(found)
            rows, cursor = rows + found, page.cursor or cursor
        assert list(self.folder.iterdir()) == []
        self.transcript.rows(rows)
        return rows, cursor

    def field(self, row: dict[str, Any], path: str) -> Any:
        """A value of a row by a JSON path of the dialect (`$.a.b`)."""
        value: Any = row
        for key in path.removeprefix("$.").split("."):
            value = (value or {}).get(key.strip('"'))
        return value


@dataclass(frozen=True)
class Fake:
    """A fake Central that listens, and a server object speaking to it."""

    central: FakeCentral
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


KINDS: dict[str, Callable[[Path], AbstractContextManager[Site]]] = {
    "local": _local,
    "fake central": _fake_site,
    "real central": _real,
}


@pytest.fixture(params=list(KINDS))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with _compared(request, tmp_path) as site:
        yield site


@pytest.fixture(params=["fake central", "real central"])
def central(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with _compared(request, tmp_path) as site:
        yield site


@contextmanager
def _compared(request: pytest.FixtureRequest, folder: Path) -> Iterator[Site]:
    """A site; what the fake and the real Central are told and answer in one test must be the same."""
    kind = str(request.param)
    with KINDS[kind](folder) as site:
        if kind == "local":
            yield site
            return
        case = request.node.nodeid.replace(kind, "central")
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
