"""Encrypted submissions through a whole pull: rows, files and the log, and a key that is given later."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.pulling.office import silent
from tests.servers.confidences import (
    FORM,
    NAME,
    OWN,
    PASSPHRASE,
    attach,
    confidence,
    confidence_form,
    manage,
    send,
    unlock,
)
from tests.servers.conftest import Fake
from tests.servers.encryptor import key_pair
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.pulling import attachments, rows
from tpm_pipeline.pulling.rows import Wishes
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import attachments as stored
from tpm_pipeline.warehouse import db

JPG = b"\xff\xd8 une photo"
LOG = b"event,node,start,end\nform start,,1609840800000,\n"
_SEALED = (WAREHOUSE / "checks" / "soumission_chiffree.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Warehouse:
    """What was pulled from a site."""

    site: Site
    settings: Settings

    def pull(self, *, sweep: bool = False) -> None:
        server = self.site.server
        with db.warehouse(self.settings) as connection:
            with rows.opened(connection, self.settings, silent) as into:
                rows.bring(server, into, FORM, server.current(), Wishes(sweep=sweep))
            attachments.bring(server, connection, self.settings, FORM, silent, sweep=sweep)

    def asked(self, sql: str) -> list[tuple[Any, ...]]:
        with db.warehouse(self.settings) as connection:
            return connection.execute(sql).fetchall()

    def names(self) -> dict[str, str | None]:
        """The name each current submission gives; None when it is sealed."""
        return dict(self.asked("select submission_id, payload->>'$.nom' from raw.current"))

    def sealed(self) -> set[str]:
        """The submissions that the check finds."""
        return {submission_id for submission_id, _ in self.asked(_SEALED)}

    def files(self) -> dict[tuple[str, str], bytes]:
        found = self.asked("select submission_id, name, digest from raw.attachment")
        return {(one, name): stored.path(self.settings, digest).read_bytes() for one, name, digest in found}


@pytest.fixture
def warehouse(central: Site, tmp_path: Path) -> Warehouse:
    return Warehouse(central, Settings(data=tmp_path / "data"))


def plaintexts(folder: Path) -> Iterator[Path]:
    """The files below a folder that anybody could read an answer or a photo in."""
    for path in folder.rglob("*"):
        if path.is_file() and any(text in path.read_bytes() for text in (b"Amina", JPG, b"form start")):
            yield path


def test_a_key_given_later_opens_rows_files_and_log_at_the_next_sweep(warehouse: Warehouse, tmp_path: Path) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form()])
    first, second = sorted((new_id(), new_id()))
    send(site, confidence(first, photo="a.jpg", log="audit.csv"), media={"a.jpg": JPG, "audit.csv": LOG})
    send(site, confidence(second))
    warehouse.pull(sweep=True)
    assert warehouse.names() == {first: None, second: None}
    assert warehouse.sealed() == {first, second}
    assert warehouse.files() == {}
    assert [*plaintexts(tmp_path)] == []

    unlock(site, OWN)
    warehouse.pull(sweep=True)

    assert warehouse.names() == {first: NAME, second: NAME}
    assert warehouse.sealed() == set()
    assert warehouse.files() == {(first, "a.jpg"): JPG, (first, "audit.csv"): LOG}
    assert warehouse.asked("select submission_id, event from raw.client_audit") == [(first, "form start")]
    private = tmp_path / "data" / "private"
    assert all(path.is_relative_to(private) for path in plaintexts(tmp_path))
    assert {path.stat().st_mode & 0o777 for path in private.rglob("attachments/*/*")} == {0o600}


def test_a_pull_again_changes_nothing(warehouse: Warehouse) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form()])
    unlock(site, OWN)
    send(site, confidence(new_id(), photo="a.jpg"), media={"a.jpg": JPG})
    send(site, confidence(new_id()))
    warehouse.pull(sweep=True)
    known = warehouse.asked("select count(*) from raw.submission")

    for sweep in (False, True):
        warehouse.pull(sweep=sweep)

    assert warehouse.asked("select count(*) from raw.submission") == known == [(2,)]


def test_what_was_opened_stays_open_without_the_key(warehouse: Warehouse) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form()])
    unlock(site, OWN)
    first = new_id()
    send(site, confidence(first))
    warehouse.pull()
    unlock(site)
    api, project = api_of(site)
    api.patch(f"{project}/forms/{FORM}/submissions/{first}", {"reviewState": "approved"})
    warehouse.pull(sweep=True)

    assert warehouse.asked("select payload->>'$.nom', review_state from raw.current") == [(NAME, "approved")]
    api.delete(f"{project}/forms/{FORM}/submissions/{first}")
    warehouse.pull(sweep=True)
    assert warehouse.asked("select payload->>'$.nom', deleted_at is not null from raw.current") == [(NAME, True)]
    assert warehouse.asked("select count(*) from raw.submission") == [(3,)]


def test_a_passphrase_given_later_opens_them_too(warehouse: Warehouse) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form(key=None)])
    public, version = manage(site)
    first = new_id()
    send(site, confidence(first, version, photo="a.jpg"), public, media={"a.jpg": JPG, "audit.csv": LOG})
    warehouse.pull()
    unlock(site, passphrase=PASSPHRASE)

    warehouse.pull(sweep=True)

    assert warehouse.names() == {first: NAME}
    assert {name for _, name in warehouse.files()} == {"a.jpg", "audit.csv"}
    assert warehouse.asked("select event, start from raw.client_audit") == [("form start", "1609840800000")]


def test_a_part_that_comes_late_is_found_by_the_sweep(warehouse: Warehouse) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form()])
    unlock(site, OWN)
    first = new_id()
    sent = send(site, confidence(first, photo="a.jpg"), media={"a.jpg": JPG}, late=["a.jpg.enc", "submission.xml.enc"])
    warehouse.pull(sweep=True)
    assert warehouse.sealed() == {first}

    attach(site, first, "submission.xml.enc", sent["submission.xml.enc"])
    warehouse.pull(sweep=True)
    assert (warehouse.names(), warehouse.files()) == ({first: NAME}, {})

    attach(site, first, "a.jpg.enc", sent["a.jpg.enc"])
    warehouse.pull(sweep=True)
    assert warehouse.files() == {(first, "a.jpg"): JPG}


def test_an_edit_after_the_first_version_was_opened_keeps_both(warehouse: Warehouse) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form()])
    unlock(site, OWN)
    first, second = new_id(), new_id()
    send(site, confidence(first, photo="a.jpg"), media={"a.jpg": JPG})
    warehouse.pull()
    send(site, confidence(second, photo="b.jpg"), media={"b.jpg": JPG}, replaces=first)
    warehouse.pull()

    found = warehouse.asked("select instance_id, payload->>'$.photo' from raw.submission order by pull_id")
    assert found == [(first, "a.jpg"), (second, "b.jpg")]
    assert warehouse.files() == {(first, "a.jpg"): JPG, (first, "b.jpg"): JPG}


def test_a_damaged_file_keeps_no_other_from_coming(warehouse: Warehouse) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form()])
    unlock(site, OWN)
    bad, good = sorted((new_id(), new_id()))
    media = {"a.jpg": JPG, "b.jpg": JPG}
    send(site, confidence(bad, photo="a.jpg"), media=media, damaged=["a.jpg.enc"])
    send(site, confidence(good, photo="a.jpg"), media=media)

    with pytest.raises(ServerError, match="SRV-032"):
        warehouse.pull()

    assert warehouse.names() == {bad: NAME, good: NAME}
    assert {one for one, _ in warehouse.files()} == {good}


def test_a_wrong_key_keeps_nothing_and_the_right_one_brings_all(warehouse: Warehouse) -> None:
    site = warehouse.site
    site.server.deploy([confidence_form()])
    first = new_id()
    send(site, confidence(first))
    unlock(site, key_pair(1))
    with pytest.raises(ServerError, match="SRV-036"):
        warehouse.pull()
    assert warehouse.names() == {}

    unlock(site, OWN)
    warehouse.pull()
    assert warehouse.names() == {first: NAME}


def test_what_has_no_file_is_not_asked_about_at_every_pull(fake: Fake, tmp_path: Path) -> None:
    warehouse = Warehouse(fake.site, Settings(data=tmp_path / "data"))
    fake.site.server.deploy([confidence_form()])
    send(fake.site, confidence(new_id()))
    warehouse.pull()
    fake.central.requests.clear()

    warehouse.pull()

    assert not [asked for asked in fake.central.requests if "attachments" in asked]
