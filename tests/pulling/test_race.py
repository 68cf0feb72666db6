"""Phones send, people edit, delete, restore and review, files come late, and all the while somebody pulls."""

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import orjson
import pytest

from tests.pulling.conftest import opened
from tests.pulling.office import Office, silent
from tests.pulling.witness import known, witness
from tests.servers.answers import of_row, of_xml
from tests.servers.conftest import Fake, real_central
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id
from tpm_pipeline.pulling import attachments, rows
from tpm_pipeline.pulling.rows import PLAIN, Into, Wishes
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.central_api import CentralApi
from tpm_pipeline.servers.openrosa import OpenRosaClient

__all__ = ["real_central"]

UPLOADS = int(os.environ.get("TPM_TEST_RACE", "240"))
CONNECTIONS = 12
SWEEP = Wishes(sweep=True)
Record = Callable[[str, object], None]


@dataclass
class Dossier:
    """What one submission should be: its current instance and that instance's XML, and files still to come."""

    root: str
    instance: str
    xml: bytes
    files: dict[str, bytes]
    late: list[str]
    deleted: bool = False


@dataclass
class Phone:
    """One connection: it sends dossiers, and later changes those it sent."""

    url: str
    api: CentralApi
    form: str
    dice: random.Random
    sent: list[Dossier] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._client = OpenRosaClient(self.url, 60)

    def upload(self, share: int) -> None:
        for number in range(share):
            self._upload(number)
            self._rest()

    def _upload(self, number: int) -> None:
        root = new_id()
        files = {f"{n}.jpg": self.dice.randbytes(2_000) for n in range(number % 3)}
        xml = dossier(instance_id=root, name=f"n° {number} é 😀", **dict(zip(("photo", "paper"), files, strict=False)))
        late = [name for name in files if self.dice.random() < 0.5]
        self._send(xml, {name: content for name, content in files.items() if name not in late})
        self.sent.append(Dossier(root, root, xml, files, late))

    def change(self, times: int) -> None:
        for _ in range(times):
            one = self.dice.choice(self.sent)
            what = (
                self.restore if one.deleted else self.dice.choice([self.edit, self.delete, self.review, self.add_late])
            )
            what(one)
            self._rest()

    def _rest(self) -> None:
        time.sleep(self.dice.random() / 5)

    def edit(self, one: Dossier) -> None:
        instance = new_id()
        names = dict(zip(("photo", "paper"), one.files, strict=False))
        one.xml = dossier(instance_id=instance, replaces=one.instance, name=f"corrigé {self.dice.random()}", **names)
        one.instance = instance
        self._send(one.xml, {})

    def delete(self, one: Dossier) -> None:
        self.api.delete(self._path(one))
        one.deleted = True

    def restore(self, one: Dossier) -> None:
        self.api.post(self._path(one) + "/restore")
        one.deleted = False

    def review(self, one: Dossier) -> None:
        self.api.patch(self._path(one), {"reviewState": self.dice.choice(["approved", "rejected", "hasIssues", None])})

    def add_late(self, one: Dossier) -> None:
        if one.late:
            name = one.late.pop()
            self.api.upload(f"{self._path(one)}/attachments/{name}", one.files[name], "image/jpeg")

    def _path(self, one: Dossier) -> str:
        return f"{self.form}/submissions/{one.root}"

    def _send(self, xml: bytes, files: dict[str, bytes]) -> None:
        self._client.submit(xml, [MediaFile(name, content) for name, content in files.items()])


def phones(site: Site, connections: int) -> list[Phone]:
    """Connections with a session each."""
    assert isinstance(site.server, CentralServer)
    api, project = api_of(site)
    url = site.server.app_user("téléphone 1").url
    login = api._credentials
    own = [CentralApi(api.url, login["email"], login["password"], 60) for _ in range(connections)]
    form = f"{project}/forms/{FORM}"
    return [Phone(url, one, form, random.Random(n)) for n, one in enumerate(own)]  # noqa: S311 - not a secret


def pulling(office: Office, ended: threading.Event) -> int:
    """Pull every 100 ms until told to end, with a sweep and the files now and then; return how often."""
    with rows.opened(office.connection, office.settings, silent) as into:
        for n in count(1):
            pull(office, into, SWEEP if n % 10 == 0 else PLAIN)
            if ended.wait(0.1):
                return n
    raise AssertionError


def pull(office: Office, into: Into, wishes: Wishes = PLAIN) -> int:
    server = office.site.server
    brought = rows.bring(server, into, FORM, server.current(), wishes).written
    if wishes.sweep:
        brought += attachments.bring(server, into.connection, into.settings, FORM, silent, sweep=True)
    return brought


def while_pulling(office: Office, work: list[Callable[[], None]]) -> int:
    """Let each of these happen at once, while another thread pulls; return how often it did."""
    ended = threading.Event()
    with ThreadPoolExecutor(len(work) + 1) as threads:
        puller = threads.submit(pulling, office, ended)
        try:
            for one in [threads.submit(one) for one in work]:
                one.result()
        finally:
            ended.set()
        return puller.result()


def race(office: Office, people: list[Phone], uploads: int, record: Record) -> None:
    """Everything at once, then one last pull; the warehouse must say what the server says."""
    share = uploads // len(people)
    record("pulls while sending", while_pulling(office, [partial(one.upload, share) for one in people]))
    server = witness(office.site, FORM)
    with rows.opened(office.connection, office.settings, silent) as into:
        pull(office, into)
    before = server.listed().keys() - known(office.connection, FORM).keys()
    record("missing before the sweep", len(before))
    record("pulls while changing", while_pulling(office, [partial(one.change, share) for one in people]))
    with rows.opened(office.connection, office.settings, silent) as into:
        pull(office, into, SWEEP)
        theirs, ours = server.listed(), known(office.connection, FORM)
        record("submissions", len(theirs))
        record("missing", len(theirs.keys() - ours.keys()))
        record("extra", len(ours.keys() - theirs.keys()))
        assert ours == theirs
        assert len(theirs) == share * len(people)
        assert pull(office, into, SWEEP) == 0
    assert before == set()


def agree_on_answers(office: Office, people: list[Phone], record: Record) -> None:
    """Each row says what its XML says, on the server and as it was sent; each file is the one that was sent."""
    payloads = {row[0]: row[1] for row in office.all("select submission_id, payload from raw.current")}
    server, held = witness(office.site, FORM), office.held()
    files = 0
    for one in (one for phone in people for one in phone.sent):
        said = of_xml(one.xml)
        said.pop("meta/deprecatedID", None)
        assert of_row(orjson.loads(payloads[one.root])) == said
        if not one.deleted:
            assert server.xml(one.root) == one.xml
            there = {name: content for name, content in one.files.items() if name not in one.late}
            assert server.files(one.root) == there
            assert {name: content for (instance, name), content in held.items() if instance == one.instance} == there
            files += len(there)
    record("files", files)


def ran(site: Site, folder: Path, connections: int, uploads: int, record: Record) -> None:
    site.server.deploy([dossier_form()])
    people = phones(site, connections)
    began = time.monotonic()
    with opened(site, folder) as office:
        race(office, people, uploads, record)
        agree_on_answers(office, people, record)
        record("later states", len(office.all("select 1 from raw.submission")) - uploads)
    record("seconds", round(time.monotonic() - began, 1))


@pytest.fixture(params=["as installed", "a window that moves"])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form of few submissions is asked for whole each time; a large one from a little before the latest."""
    if request.param == "a window that moves":
        monkeypatch.setattr("tpm_pipeline.servers.central_rows.WINDOW", 10)
        monkeypatch.setattr("tpm_pipeline.servers.central_rows.OVERLAP", timedelta(seconds=10))


@pytest.mark.usefixtures("window")
def test_nothing_is_missing_whatever_happens_while_we_pull(
    real_central: Site, tmp_path: Path, record_property: Record
) -> None:
    ran(real_central, tmp_path / "data", CONNECTIONS, UPLOADS, record_property)


@pytest.mark.usefixtures("window")
def test_nothing_is_missing_on_the_fake_either(fake: Fake, tmp_path: Path, record_property: Record) -> None:
    ran(fake.site, tmp_path / "data", 4, 60, record_property)
