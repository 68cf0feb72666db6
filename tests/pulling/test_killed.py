"""A pull killed at any moment loses nothing, leaves nothing behind, and ends like one that nobody killed."""

import hashlib
import os
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from tests.pulling.forked import Pulls, forking
from tests.servers.answers import written
from tests.servers.conftest import Fake, real_central
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id
from tests.warehouse.lab import form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import seal
from tpm_pipeline.records import CompiledForm, MediaFile
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

__all__ = ["real_central"]

KILLS = int(os.environ.get("TPM_TEST_KILLS", "100"))
FORM = "suivi_essai"
SURVEY = """
| type | name | privacy |
| text | nom | public |
| image | photo | public |
| begin repeat | orientations | |
| text | service | public |
| begin repeat | etapes | |
| integer | delai | public |
| end repeat | | |
| end repeat | | |
"""


class Busy(Protocol):
    """Somebody who changes what is on a server, at random."""

    dice: random.Random

    def change(self) -> None:
        """Change a little."""


@dataclass
class People:
    """Who fills the form and changes what was filled, a little between two pulls."""

    site: Site
    dice: random.Random
    instances: dict[str, str] = field(default_factory=dict)
    live: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    number: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._phone = self.site.phone()
        self._api, project = api_of(self.site)
        self._form = f"{project}/forms/{FORM}/submissions"

    def send(self, replaces: str = "") -> None:
        number, instance = next(self.number), new_id()
        photo = f"{number}.jpg" if number % 20 == 0 else ""
        xml = written(FORM, answers(number, photo), instance=instance, edits=self.instances.get(replaces, ""))
        self._phone.submit(xml, [MediaFile(photo, self.dice.randbytes(3_000))] if photo else [])
        self.instances[replaces or instance] = instance
        self.live += [] if replaces else [instance]

    def change(self) -> None:
        """One more, one edited, one reviewed, and one deleted or restored."""
        self.send()
        self.send(self.dice.choice(self.live))
        reviewed = self.dice.choice(self.live)
        self._api.patch(f"{self._form}/{reviewed}", {"reviewState": self.dice.choice(["approved", "hasIssues"])})
        self._restore() if self.deleted and self.dice.random() < 0.5 else self._delete()

    def _delete(self) -> None:
        one = self.live.pop(self.dice.randrange(len(self.live)))
        self._api.delete(f"{self._form}/{one}")
        self.deleted.append(one)

    def _restore(self) -> None:
        one = self.deleted.pop()
        self._api.post(f"{self._form}/{one}/restore")
        self.live.append(one)


def answers(number: int, photo: str) -> Mapping[str, Any]:
    steps = [{"delai": str(n)} for n in range(number % 4)]
    services = [{"service": f"service {n} é " * 20, "etapes": steps[n:]} for n in range(number % 5)]
    return {"nom": f"n° {number}", "photo": photo, "orientations": services}


def deployed(site: Site, submissions: int) -> People:
    version = form(SURVEY, form_id=FORM)
    site.server.deploy([CompiledForm(FORM, version.version, "Suivi", seal.sealed(version.xform), (), ())])
    people = People(site, random.Random(20))  # noqa: S311 - not a secret
    for _ in range(submissions):
        people.send()
    return people


def environment(site: Site) -> dict[str, str]:
    assert isinstance(site.server, CentralServer)
    api = site.server._api
    login = {f"TPM_CENTRAL_{name.upper()}": text for name, text in api._credentials.items()}
    return {**login, "TPM_SERVER": "central", "TPM_CENTRAL_URL": api.url, "TPM_CENTRAL_PROJECT": site.server._project}


def held(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What a warehouse holds of the present: submissions, the files of their current instance."""
    queries = {
        "submissions": "select submission_id, instance_id, form_version, submitted_at, review_state, deleted_at,"
        """ json_merge_patch(payload, '{"__system": null}') from raw.current order by 1""",
        "files": "select submission_id, instance_id, name, digest from raw.attachment join raw.current"
        " using (submission_id, instance_id) where deleted_at is null order by all",
    }
    with db.warehouse(Settings(data=data)) as connection:
        return {name: connection.execute(sql).fetchall() for name, sql in queries.items()}


def left(data: Path) -> tuple[set[str], list[str]]:
    """What is in the private folder, and the stored files that are not what their name says."""
    files = [path for path in (data / "private").rglob("*") if path.is_file()]
    stored = [path for path in files if path.parent.parent.name == "attachments"]
    damaged = [path.name for path in stored if hashlib.sha256(path.read_bytes()).hexdigest() != path.name]
    return {path.name for path in (data / "private").iterdir()}, damaged


def patiently_changed(people: Busy) -> None:
    """A Central whose readers were killed has no connection to its database left for a while."""
    for _ in range(30):
        try:
            return people.change()
        except ServerError:
            time.sleep(5)
    return people.change()


def killed(pulls: Pulls, people: Busy, data: Path, kills: int, form_id: str = FORM) -> list[float]:
    """Kill so many pulls, at moments spread over a whole one; return how long those took that ended before."""
    lasted = [pulls.timed(form_id, data.with_name("measured"), sweep=True)]
    moments = [(n + people.dice.random()) / kills for n in range(kills)]
    people.dice.shuffle(moments)
    while moments:
        patiently_changed(people)
        began = time.monotonic()
        if pulls.pull(form_id, data, sweep=len(moments) % 2 == 0, kill_after_s=moments[-1] * lasted[-1]):
            lasted.append(time.monotonic() - began)
        else:
            moments.pop()
    return lasted


def scenario(site: Site, folder: Path, submissions: int, kills: int, record: Any) -> None:
    people, began = deployed(site, submissions), time.monotonic()
    cut, whole = folder / "cut", folder / "whole"
    with forking(environment(site)) as pulls:
        lasted = killed(pulls, people, cut, kills)
        for sweep in (False, True):
            pulls.timed(FORM, cut, sweep=sweep)
        pulls.timed(FORM, whole, sweep=True)
    found, expected = held(cut), held(whole)
    record("kills", kills)
    record("seconds of pulls that ended before", str([round(seconds, 2) for seconds in lasted]))
    record("seconds in all", round(time.monotonic() - began))
    record("held", str({name: len(rows) for name, rows in expected.items()}))
    assert found == expected
    assert {row[0] for row in found["submissions"] if row[5] is None} == {*people.live}
    assert left(cut) == ({"warehouse.duckdb", "attachments"}, [])


def test_pulls_killed_at_any_moment_end_like_one_that_was_not(
    real_central: Site, tmp_path: Path, record_property: Any
) -> None:
    scenario(real_central, tmp_path, 400, KILLS, record_property)


def test_pulls_from_the_fake_killed_at_any_moment_end_like_one_that_was_not(
    fake: Fake, tmp_path: Path, record_property: Any
) -> None:
    scenario(fake.site, tmp_path, 60, 12, record_property)
