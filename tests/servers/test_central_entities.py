"""Entity lists of Central: what changed, and the whole history of each. On the fake and on the real one."""

import time
from typing import Any
from uuid import uuid4

import orjson
import pytest

from tests.servers.conftest import Fake
from tests.servers.dossiers import FORM, LIST, creates, dossier, dossier_form, updates
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.records import EntityVersion
from tpm_pipeline.servers.central_api import address

# Central's worker wakes every half minute when it has nothing to do.
WORKER_S = 90


class Register:
    """A deployed list, and what people do to it."""

    def __init__(self, site: Site) -> None:
        site.server.deploy([dossier_form()])
        self.site = site
        self._api, project = api_of(site)
        self._here = project + address("datasets", LIST, "entities")

    def submitted(self, uuid: str, xml: bytes, version: int) -> None:
        """Send what creates or updates an entity, and wait until the worker has done it."""
        self.site.submit(xml)
        for _ in range(WORKER_S * 2):
            if self.changed()[0].get(uuid, {}).get("version", 0) >= version:
                return
            time.sleep(0.5)
        pytest.fail(f"the worker did not write version {version}")

    def added(self, *labels: str) -> list[str]:
        """Entities written without a form."""
        uuids = [str(uuid4()) for _ in labels]
        rows = [{"uuid": uuid, "label": label, "data": {}} for uuid, label in zip(uuids, labels, strict=True)]
        self._api.post(self._here, {"source": {"name": f"{LIST}.csv", "size": 1}, "entities": rows})
        return uuids

    def updated(self, uuid: str, base: int, label: str, **data: str) -> None:
        body = orjson.dumps({"label": label, "data": data})
        self._patch(uuid, {"baseVersion": str(base)}, body)

    def resolved(self, uuid: str, base: int) -> None:
        self._patch(uuid, {"baseVersion": str(base), "resolve": "true"}, b"{}")

    def deleted(self, uuid: str) -> None:
        self._api.delete(self._here + address(uuid))

    def restored(self, uuid: str) -> None:
        self._api.post(self._here + address(uuid, "restore"))

    def versions(self, uuid: str) -> list[EntityVersion]:
        return self.site.server.entity_versions(LIST, uuid)

    def changed(self, since: str | None = None) -> tuple[dict[str, dict[str, Any]], str | None]:
        """What the server says of each entity that changed, and the cursor."""
        found, cursor = {}, since
        for page in self.site.server.entities(LIST, since, self.site.folder):
            rows = orjson.loads(page.path.read_bytes())
            page.path.unlink()
            assert page.rows == len(rows)
            found, cursor = {row["__id"]: row["__system"] for row in rows}, page.cursor
        assert list(self.site.folder.iterdir()) == []
        return found, cursor

    def state(self, uuid: str) -> tuple[int, str | None, bool]:
        one = self.changed()[0][uuid]
        return one["version"], one["conflict"], one["deletedAt"] is not None

    def _patch(self, uuid: str, query: dict[str, str], body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        with self._api.stream(self._here + address(uuid), query, method="PATCH", headers=headers, body=body) as answer:
            assert answer.read().status == 200


def test_the_history_tells_each_change_and_where_it_came_from(central: Site) -> None:
    register, uuid, first, second = Register(central), str(uuid4()), new_id(), new_id()
    register.submitted(uuid, dossier(instance_id=first, name="Amina", year="2001", entity=creates(uuid)), 1)
    register.updated(uuid, 1, "Amina B", nom="Amina B")
    late = dossier(instance_id=second, name="Amina C", entity=updates(uuid, "Amina C", base=1))
    register.submitted(uuid, late, 3)

    history = register.versions(uuid)

    assert [(one.version, one.label, one.base_version) for one in history] == [
        (1, "Amina", None),
        (2, "Amina B", 1),
        (3, "Amina C", 1),
    ]
    assert [one.source for one in history] == [first, "api", second]
    assert [one.conflict for one in history] == [None, None, "hard"]
    assert [dict(one.data) for one in history] == [
        {"nom": "Amina", "annee-n": "2001"},
        {"nom": "Amina B", "annee-n": "2001"},
        {"nom": "Amina C", "annee-n": "2001"},
    ]
    assert "nom" in history[2].more["conflicting"]  # type: ignore[operator]
    assert all(one.creator and one.created_at for one in history)
    assert register.state(uuid) == (3, "hard", False)

    register.resolved(uuid, 3)
    assert register.state(uuid) == (3, None, False)


def test_a_list_without_entities_is_whole_and_empty(central: Site) -> None:
    register = Register(central)

    assert central.server.entity_lists() == [LIST]
    assert register.changed() == ({}, "")
    assert register.changed("") == ({}, "")


def test_what_is_written_without_a_form_says_so(central: Site) -> None:
    register = Register(central)
    (uuid,) = register.added("Brahim")

    (version,) = register.versions(uuid)

    assert (version.label, version.data, version.source) == ("Brahim", {}, f"{LIST}.csv")


def test_creation_update_deletion_and_restoration_show_after_a_cursor(central: Site) -> None:
    register = Register(central)
    kept, changed, deleted = register.added("A", "B", "C")
    everything, cursor = register.changed()
    assert {uuid: one["version"] for uuid, one in everything.items()} == {kept: 1, changed: 1, deleted: 1}

    register.updated(changed, 1, "B2")
    register.deleted(deleted)
    found, later = register.changed(cursor)
    assert (found[changed]["version"], found[changed]["deletedAt"]) == (2, None)
    assert found[deleted]["deletedAt"]
    assert later is not None
    assert cursor is not None
    assert later > cursor

    register.restored(deleted)
    found, last = register.changed(later)
    assert found[deleted]["deletedAt"] is None
    assert last is not None
    assert last > later


def test_a_deleted_entity_shows_its_last_version_and_its_whole_history_again_once_restored(central: Site) -> None:
    register = Register(central)
    (uuid,) = register.added("A")
    register.updated(uuid, 1, "A2")
    register.deleted(uuid)

    (last,) = register.versions(uuid)
    assert (last.version, last.label, last.source) == (2, "A2", None)

    register.restored(uuid)
    assert [(one.version, one.source) for one in register.versions(uuid)] == [(1, f"{LIST}.csv"), (2, "api")]


def test_an_entity_that_is_nowhere_has_no_versions(central: Site) -> None:
    assert Register(central).versions(str(uuid4())) == []


def test_a_page_of_entities_holds_no_answer(central: Site) -> None:
    register, name = Register(central), "Zoubida"
    register.added(name)

    (page,) = central.server.entities(LIST, None, central.folder)

    assert name.encode() not in page.path.read_bytes()
    page.path.unlink()


def test_a_wrong_count_is_not_believed_and_leaves_no_file(fake: Fake) -> None:
    register = Register(fake.site)
    register.added("A")
    fake.central.extra = 2

    with pytest.raises(ServerUnavailableError, match="SRV-015"):
        register.changed()
    assert list(fake.site.folder.iterdir()) == []


def test_an_unknown_list_is_refused(central: Site) -> None:
    central.server.deploy([dossier_form()])

    with pytest.raises(ServerError, match="SRV-013"):
        list(central.server.entities("inconnue", None, central.folder))
    assert central.server.entity_versions("inconnue", str(uuid4())) == []
    assert FORM not in central.server.entity_lists()
