"""A real server on a free loopback port, over a store in a temporary folder."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import uvicorn

from tpm_pipeline.records import CompiledForm
from tpm_pipeline.servers import local_forms
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.web.app import LIMIT, create_app

XFORM = (Path(__file__).parent / "essai.xml").read_bytes()
Post = Callable[..., requests.Response]
Xml = Callable[..., bytes]


class Client(requests.Session):
    """An OpenRosa client of one server."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base, self.trust_env = base, False
        self.headers["X-OpenRosa-Version"] = "1.0"

    def submit(self, xml: bytes, **attachments: bytes) -> requests.Response:
        """Send a submission as a phone does; `a__jpg` stands for a file a.jpg."""
        files = {"xml_submission_file": ("s.xml", xml, "text/xml")}
        files |= {name: (name.replace("__", "."), data, "image/jpeg") for name, data in attachments.items()}
        return self.post(f"{self.base}/submission", files=files, timeout=30)


@contextmanager
def running(store: Store, token: str | None = None, limit: int = LIMIT) -> Iterator[Client]:
    """Serve a store from a thread."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(store, token, limit), access_log=False, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with Client(f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
        yield client
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def serving() -> Callable[..., object]:
    """Serve a store with the token or the limit a test wants."""
    return running


@pytest.fixture
def form() -> CompiledForm:
    """A small form with a group, nested repeats, a photo and an entity list."""
    return CompiledForm("essai", "1", "Essai & suite", XFORM, (), ("dossiers",))


@pytest.fixture
def store(tmp_path: Path, form: CompiledForm) -> Iterator[Store]:
    """A store where that form is deployed."""
    opened = Store(tmp_path / "private" / "server")
    local_forms.deploy(opened, [form])
    yield opened
    opened.close()


@pytest.fixture
def client(store: Store) -> Iterator[Client]:
    """A client of a server without a token."""
    with running(store) as started:
        yield started


@pytest.fixture
def xml() -> Xml:
    """Write a submission of that form."""

    def write(instance: str, nom: str = "Ali", extra: str = "") -> bytes:
        meta = f"<meta><instanceID>{instance}</instanceID>{extra}</meta>"
        return f'<data id="essai" version="1"><bureau><nom>{nom}</nom></bureau>{meta}</data>'.encode()

    return write


@pytest.fixture
def stored() -> Callable[[Store], dict[str, str]]:
    """Read the instances a store holds, with their answers as JSON."""

    def read(store: Store) -> dict[str, str]:
        with store.reading() as db:
            return {row[0]: row[1].decode() for row in db.execute("select instance_id, payload from submission")}

    return read
