"""Phones send and people edit, review, delete, duplicate and date back on KoboToolbox while somebody pulls."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from starlette.requests import Request

from tests.pulling.conftest import opened
from tests.pulling.forked import forking
from tests.pulling.kobo_witness import ROOT, Account, account, agree
from tests.pulling.office import Office, brought, silent
from tests.pulling.test_killed import killed, left
from tests.servers.conftest import Kobo
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.kobo_phone import KoboPhone
from tests.servers.site import Site
from tests.servers.visits import new_id
from tpm_pipeline.pulling import rows
from tpm_pipeline.pulling.rows import Into, Wishes
from tpm_pipeline.records import MediaFile, PullReport
from tpm_pipeline.servers import kobo_rows
from tpm_pipeline.servers.kobo import KoboServer

UPLOADS = int(os.environ.get("TPM_TEST_RACE", "240"))
KILLS = int(os.environ.get("TPM_TEST_KILLS", "100"))
CONNECTIONS, PULLS = 6, 10
# Here everybody deletes all the time.
ACCEPT = Wishes(accept_deletions=True)
BACK_DATED = b'<data submissionDate="2020-01-02T03:04:05+03:00"'
Record = Callable[[str, object], None]
Files = dict[str, bytes]


@dataclass
class Dossier:
    """One submission: its XML as it was first sent and now, empty when the server wrote it; files to come."""

    root: str
    number: int
    instance: str
    first: bytes
    xml: bytes
    files: Files
    late: Files


@dataclass
class Person:
    """One connection: it sends dossiers, and changes those it sent. `did` counts what was done, by kind."""

    server: Account
    phone: KoboPhone
    dice: random.Random
    rest_s: float
    live: list[Dossier] = field(default_factory=list)
    deleted: list[Dossier] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)

    def work(self, share: int, enough: threading.Event) -> None:
        """Send so many and change as often, then go on changing until it is enough."""
        for _ in range(share):
            self.send()
            self.rest()
            self.change()
            self.rest()
        while not enough.is_set():
            self.change()
            self.rest()
            self.rest()

    def rest(self) -> None:
        time.sleep(self.dice.random() * self.rest_s)

    def change(self) -> None:
        """One of all that may happen."""
        often = [self.edit, self.edit_together, self.review, self.review_together, self.drop, self.add_late]
        seldom = [self.delete, self.delete_together, self.duplicate, self.send_again]
        kinds = [*often, *often, *seldom]
        kind = self.dice.choice(kinds)
        if kind():
            self.did[kind.__name__] += 1

    def send(self) -> None:
        root, number = new_id(), self.did["send"]
        files = {f"{number} {n}.jpg": self.dice.randbytes(2_000) for n in range(number % 3)}
        late = {name: content for name, content in files.items() if self.dice.random() < 0.4}
        xml = self._xml(instance_id=root, name=f"n° {number} é 😀", **_named(files))
        if self.dice.random() < 0.15:
            xml = xml.replace(b"<data", BACK_DATED, 1)
            self.did["dated back"] += 1
        there = {name: content for name, content in files.items() if name not in late}
        self._submit(xml, there)
        self.live.append(Dossier(root, self._number(root), root, xml, xml, there, late))
        self.did["send"] += 1
        self.did["send with files"] += bool(there)

    def edit(self) -> bool:
        if not self.live:
            return False
        one = self._one()
        instance, kept = new_id(), dict(list(one.files.items())[self.dice.randrange(2) :])
        new = {f"{instance[-8:]}.jpg": self.dice.randbytes(2_000)} if self.dice.random() < 0.3 else {}
        one.files = dict([*kept.items(), *new.items()][-2:])
        name = f"corrigé {self.dice.random()}"
        xml = self._xml(instance_id=instance, replaces=one.instance, name=name, **_named(one.files))
        self._submit(xml, {name: new[name] for name in new if name in one.files})
        one.instance, one.xml, one.late = instance, xml, {}
        return True

    def edit_together(self) -> bool:
        several = self._several()
        answers = {"nom": f"ensemble {self.dice.random()}", "annee": "2026"}
        edited = self.server.edit([one.number for one in several], answers) if several else {}
        for one in several:
            if one.root in edited:
                one.instance, one.xml, one.late = edited[one.root], b"", {}
        return bool(several)

    def review(self) -> bool:
        if self.live:
            self.server.review([self._one().number], self._word())
        return bool(self.live)

    def review_together(self) -> bool:
        several = self._several()
        if len(several) > 1:
            self.server.review([one.number for one in several], self._word())
        return len(several) > 1

    def drop(self) -> bool:
        """Delete a file; another of the same name may come."""
        having = [one for one in self.live if one.files]
        if having:
            one = self.dice.choice(having)
            name = self.dice.choice([*one.files])
            self.server.drop(one.root, name)
            del one.files[name]
            one.late[name] = self.dice.randbytes(2_000)
        return bool(having)

    def add_late(self) -> bool:
        waiting = [one for one in self.live if one.late and one.xml]
        if waiting:
            one = self.dice.choice(waiting)
            name, content = one.late.popitem()
            self._submit(one.xml, {name: content})
            one.files[name] = content
        return bool(waiting)

    def delete(self) -> bool:
        return self._delete([self._one()] if self.live else [])

    def delete_together(self) -> bool:
        several = self._several()
        return self._delete(several if len(several) > 1 else [])

    def duplicate(self) -> bool:
        if not self.live:
            return False
        one = self._one()
        row = self.server.do("POST", f"data/{one.number}/duplicate/")
        if row:
            self.live.append(Dossier(row[ROOT], row["_id"], row["meta/instanceID"], b"", b"", {}, {}))
        return True

    def send_again(self) -> bool:
        """What was deleted comes as it first was, its files with other contents."""
        mine = [one for one in self.deleted if one.first]
        if mine:
            one = self.dice.choice(mine)
            self.deleted.remove(one)
            files = {name: self.dice.randbytes(2_000) for name in one.files if name.encode() in one.first}
            if self.server.submit(one.first, [MediaFile(*file) for file in files.items()]):
                self.live.append(Dossier(one.root, self._number(one.root), one.root, one.first, one.first, files, {}))
        return bool(mine)

    def _delete(self, several: list[Dossier]) -> bool:
        if several:
            self.server.delete([one.number for one in several])
        self.live = [one for one in self.live if one not in several]
        self.deleted += several
        return bool(several)

    def _one(self) -> Dossier:
        return self.dice.choice(self.live)

    def _several(self) -> list[Dossier]:
        return self.dice.sample(self.live, min(self.dice.randrange(2, 4), len(self.live)))

    def _word(self) -> str | None:
        return self.dice.choice(["approved", "not_approved", "on_hold", None])

    def _number(self, root: str) -> int:
        return int(self.server.row(root)["_id"])

    def _xml(self, **said: str) -> bytes:
        return self.phone.rewritten(dossier(**said))

    def _submit(self, xml: bytes, files: Files) -> None:
        assert self.server.submit(xml, [MediaFile(*file) for file in files.items()])


def _named(files: Files) -> dict[str, str]:
    return dict(zip(("photo", "paper"), files, strict=False))


def people(site: Site, connections: int, rest_s: float) -> list[Person]:
    """Connections of their own, each with its dice."""
    found = []
    for n in range(connections):
        phone = site.phone()
        assert isinstance(phone, KoboPhone)
        found.append(Person(account(site, FORM), phone, random.Random(n), rest_s))  # noqa: S311 - not a secret
    return found


def pull(office: Office, into: Into) -> PullReport:
    (report,) = brought(office.site.server, into, [FORM], ACCEPT)
    return report


def pulling(office: Office, enough: threading.Event, ended: threading.Event) -> int:
    """Pull again and again, at least `PULLS` times and until told to end; return how often."""
    with rows.opened(office.connection, office.settings, silent) as into:
        for n in count(1):
            try:
                pull(office, into)
            except BaseException:
                enough.set()
                raise
            if n >= PULLS:
                enough.set()
            if ended.wait(0.05):
                return n
    raise AssertionError


def while_pulling(office: Office, everybody: list[Person], share: int) -> int:
    """Let everybody work at once, while another thread pulls; return how often it did."""
    enough, ended = threading.Event(), threading.Event()
    with ThreadPoolExecutor(len(everybody) + 1) as threads:
        puller = threads.submit(pulling, office, enough, ended)
        try:
            for one in [threads.submit(person.work, share, enough) for person in everybody]:
                one.result()
        finally:
            enough.set()
            ended.set()
        return puller.result()


def race(site: Site, folder: Path, record: Record, *, uploads: int, connections: int, rest_s: float) -> None:
    """Everything at once, then one last pull; the warehouse must say what the server says."""
    site.server.deploy([dossier_form()])
    everybody, began = people(site, connections, rest_s), time.monotonic()
    with opened(site, folder) as office:
        record("pulls", while_pulling(office, everybody, uploads // connections))
        told(everybody, record)
        with rows.opened(office.connection, office.settings, silent) as into:
            pull(office, into)
            compared(office, everybody, record)
            again = pull(office, into)
        assert (again.written, again.files) == (0, 0)
        record("states seen", len(office.all("select 1 from raw.submission")))
    record("seconds", round(time.monotonic() - began, 1))


def told(everybody: list[Person], record: Record) -> None:
    for kind, times in sum((one.did for one in everybody), Counter[str]()).items():
        record(kind, times)
    record("stumbles", str(dict(sum((one.server.stumbles for one in everybody), Counter[int]()))))


def compared(office: Office, everybody: list[Person], record: Record) -> None:
    server = everybody[0].server
    for one in everybody[1:]:
        server.stumbles.update(one.server.stumbles)
    theirs = server.rows().keys()
    found = office.all("select submission_id from raw.current where deleted_at is null")
    ours = {submission_id for (submission_id,) in found}
    record("missing", len(theirs - ours))
    record("extra", len(ours - theirs))
    assert {one.root for person in everybody for one in person.live} <= theirs
    submissions, files = agree(office, server)
    record("submissions", submissions)
    record("listed twice", len(server.shadowed))
    record("listed, stored nowhere", len(server.ghosts))
    assert len(server.shadowed | server.ghosts) <= server.stumbles.total()
    record("files", files)


def test_nothing_is_missing_whatever_happens_while_we_pull(
    real_kobo: Site, tmp_path: Path, record_property: Record
) -> None:
    race(real_kobo, tmp_path / "data", record_property, uploads=UPLOADS, connections=CONNECTIONS, rest_s=0.2)


@pytest.fixture(params=["as installed", "short pages", "slow posts"])
def hurried(request: pytest.FixtureRequest, fake_kobo: Kobo, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A server of short pages, read from shortly before the last row; or one on which some rows show late."""
    if request.param == "short pages":
        fake_kobo.kobo.page_limit = 7
        monkeypatch.setattr(kobo_rows, "OVERLAP", 5)
    if request.param == "slow posts":
        posts = count(1)

        def slow(asked: Request) -> None:
            fake_kobo.kobo.slow = asked.url.path == "/submission" and next(posts) % 2 == 0
            # Whoever sent looks for it until it is there.
            if "sort" in asked.query_params and asked.query_params.get("limit") == "1":
                fake_kobo.kobo.arrive()

        fake_kobo.kobo.meddle = slow
    return fake_kobo.site


def test_nothing_is_missing_on_the_fake_either(hurried: Site, tmp_path: Path, record_property: Record) -> None:
    race(hurried, tmp_path / "data", record_property, uploads=60, connections=4, rest_s=0.1)


def survived(site: Site, folder: Path, submissions: int, kills: int, record: Record) -> None:
    """Pulls are killed while a person works; the last one, which is not, ends like the server."""
    site.server.deploy([dossier_form()])
    (person,) = people(site, 1, 0.0)
    for _ in range(submissions):
        person.send()
    with forking(environment(site)) as pulls:
        lasted = killed(pulls, person, folder / "cut", kills, FORM)
        pulls.timed(FORM, folder / "cut", sweep=False)
    with opened(site, folder / "cut") as office:
        record("submissions and files", str(agree(office, person.server)))
    record("kills", kills)
    record("seconds of pulls that ended before", str([round(seconds, 2) for seconds in lasted]))
    assert left(folder / "cut") == ({"warehouse.duckdb", "attachments"}, [])


def environment(site: Site) -> dict[str, str]:
    assert isinstance(site.server, KoboServer)
    login = {"TPM_KOBO_URL": site.server._api.url, "TPM_KOBO_TOKEN": account(site, FORM).token}
    return {**login, "TPM_SERVER": "kobo", "TPM_KOBO_PROJECT": site.server._project, "TPM_TOMBSTONE_SHARE": "1"}


def test_pulls_killed_at_any_moment_end_like_one_that_was_not(
    real_kobo: Site, tmp_path: Path, record_property: Record
) -> None:
    survived(real_kobo, tmp_path, 60, KILLS, record_property)


def test_pulls_from_the_fake_killed_at_any_moment_end_like_one_that_was_not(
    fake_kobo: Kobo, tmp_path: Path, record_property: Record
) -> None:
    fake_kobo.kobo.page_limit = 20
    survived(fake_kobo.site, tmp_path, 60, 12, record_property)
