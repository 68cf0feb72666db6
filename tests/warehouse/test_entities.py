"""Entity lists in raw: what was said of each entity, and every version, once."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.lab import Lab
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.records import EntityVersion, Page
from tpm_pipeline.warehouse import db, entities, raw

T1, T2 = "2021-01-05T10:00:00.000Z", "2021-02-05T10:00:00.000Z"
FIRST = EntityVersion(1, "Cas 1", {"statut": "ouvert"}, "uuid:a", "téléphone 1", T1)
SECOND = EntityVersion(2, "Cas 1", {"statut": "clos"}, "api", "Latifa", T2, base_version=1)
SEEN = "select entity_id, version, conflict, deleted_at is not null from raw.current_entity order by 1"


def state(entity_id: str, version: int = 1, *, deleted: str | None = None, conflict: str | None = None) -> Any:
    system = {"version": version, "conflict": conflict, "createdAt": T1, "updatedAt": None, "deletedAt": deleted}
    return {"__id": entity_id, "__system": system}


def store(lab: Lab, *states: Any, whole: bool = False, share: float = 1, server: str = "s", cursor: str = "c") -> int:
    entities.create(lab.connection)
    path = lab.folder / "page"
    path.write_bytes(orjson.dumps(states))
    page = Page(path, len(states), cursor)
    return entities.store_page(lab.connection, server, "cas", page, whole=whole, share=share)


def write(lab: Lab, **histories: Sequence[EntityVersion]) -> int:
    return entities.store_versions(lab.connection, "s", "cas", histories)


def waiting(lab: Lab, together: int = 100) -> list[list[str]]:
    return list(entities.waiting(lab.connection, "s", "cas", together))


def seen(lab: Lab) -> list[tuple[Any, ...]]:
    return lab.connection.execute(SEEN).fetchall()


@pytest.mark.parametrize(
    "change",
    [state("e1", 2), state("e1", deleted=T2), state("e1", conflict="hard")],
    ids=["new", "deleted", "conflict"],
)
def test_what_is_said_of_an_entity_is_appended_when_it_changed(lab: Lab, change: Any) -> None:
    assert [store(lab, state("e1")), store(lab, change), store(lab, change), store(lab, state("e1"))] == [1, 1, 0, 1]
    assert lab.column("select count(*) from raw.entity_state") == [3]
    assert seen(lab) == [("e1", 1, None, False)]


def test_the_page_and_its_cursor_are_stored_together(lab: Lab) -> None:
    entities.create(lab.connection)
    assert entities.cursor(lab.connection, "s", "cas") is None

    store(lab, state("e1"), cursor=T1)
    assert entities.cursor(lab.connection, "s", "cas") == T1

    with pytest.raises(WarehouseError):
        store(lab, state("e2"), whole=True, share=0, cursor=T2)
    assert entities.cursor(lab.connection, "s", "cas") == T1
    assert seen(lab) == [("e1", 1, None, False)]


def test_what_a_whole_list_does_not_hold_is_gone_and_may_come_back(lab: Lab) -> None:
    store(lab, state("e1"), state("e2"), whole=True)
    store(lab, state("e1"))
    assert seen(lab)[1] == ("e2", 1, None, False)

    assert store(lab, state("e1"), whole=True) == 1
    assert store(lab, state("e1"), whole=True) == 0
    assert seen(lab)[1] == ("e2", 1, None, True)

    assert store(lab, state("e1"), state("e2"), whole=True) == 1
    assert seen(lab)[1] == ("e2", 1, None, False)


def test_too_many_gone_at_once_stop_and_ask(lab: Lab) -> None:
    store(lab, *(state(f"e{n}") for n in range(10)))

    with pytest.raises(WarehouseError, match=r"WH-041.*cas.*2 of its 10"):
        store(lab, *(state(f"e{n}") for n in range(8)), whole=True, share=0.1)
    assert store(lab, *(state(f"e{n}") for n in range(9)), whole=True, share=0.1) == 1


def test_every_version_is_kept_once_with_what_is_known_of_it(lab: Lab) -> None:
    store(lab, state("e1", 2))

    assert [write(lab, e1=[FIRST]), write(lab, e1=[FIRST, SECOND]), write(lab, e1=[FIRST, SECOND])] == [1, 1, 0]

    first, second = lab.rows("select * exclude (observed_at, pull_id) from raw.entity order by version")
    assert (first["label"], first["data"], first["source"], first["base_version"]) == (
        "Cas 1",
        '{"statut":"ouvert"}',
        "uuid:a",
        None,
    )
    assert (second["source"], second["creator"], second["base_version"]) == ("api", "Latifa", 1)
    assert lab.column("select data from raw.current_entity") == ['{"statut":"clos"}']


def test_an_entity_waits_until_its_last_version_is_here(lab: Lab) -> None:
    store(lab, state("e1", 2), state("e2"), state("e3"))
    assert waiting(lab, 2) == [["e1", "e2"], ["e3"]]

    write(lab, e1=[FIRST], e2=[FIRST], e3=[])

    assert waiting(lab) == [["e1", "e3"]]
    write(lab, e1=[FIRST, SECOND])
    assert waiting(lab) == [["e3"]]


def test_the_history_of_a_deleted_entity_is_completed_once_it_is_restored(lab: Lab) -> None:
    store(lab, state("e1", 2, deleted=T2))
    write(lab, e1=[replace(SECOND, source=None)])
    assert waiting(lab) == []

    store(lab, state("e1", 2))
    assert waiting(lab) == [["e1"]]

    write(lab, e1=[FIRST, SECOND])
    assert waiting(lab) == []
    history = lab.connection.execute("select version, source from raw.entity_history order by 1").fetchall()
    assert history == [(1, "uuid:a"), (2, "api")]
    assert write(lab, e1=[replace(SECOND, source=None)]) == 0


def test_the_order_of_properties_makes_no_other_version(lab: Lab) -> None:
    store(lab, state("e1"))
    write(lab, e1=[replace(FIRST, data={"a": "1", "b": "2"})])

    assert write(lab, e1=[replace(FIRST, data={"b": "2", "a": "1"})]) == 0


def test_an_entity_on_two_servers_counts_once(lab: Lab) -> None:
    store(lab, state("e1"))
    store(lab, state("e1", 3), server="autre")

    assert seen(lab) == [("e1", 3, None, False)]
    assert entities.lists(lab.connection, "autre") == ["cas"]
    assert entities.lists(lab.connection, "s") == []


IDS = st.sampled_from(["e1", "e2", "e3"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["write", "delete", "restore", "purge"]), IDS),
        st.tuples(st.sampled_from(["pull", "sweep", "histories"]), st.just("")),
    ),
    max_size=25,
)


class Server:
    """A list of entities, each with its versions and whether it was deleted."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self.deleted: dict[str, str | None] = {}
        self.purged: set[str] = set()

    def happen(self, step: str, key: str, clock: int) -> None:
        if step == "write" and not self.deleted.get(key) and key not in self.purged:
            self.versions[key] = self.versions.get(key, 0) + 1
        elif key in self.versions and step in {"delete", "restore"}:
            self.deleted[key] = f"2021-03-01T00:00:{clock:02}.000Z" if step == "delete" else None
        elif step == "purge" and self.deleted.get(key):
            del self.versions[key], self.deleted[key]
            self.purged.add(key)

    def states(self) -> list[Any]:
        return [state(key, version, deleted=self.deleted.get(key)) for key, version in self.versions.items()]

    def history(self, key: str) -> list[EntityVersion]:
        last = self.versions.get(key, 0)
        whole = [EntityVersion(n, f"{key} {n}", {}, "api", None, T1) for n in range(1, last + 1)]
        return [replace(one, source=None) for one in whole[-1:]] if self.deleted.get(key) else whole


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_and_whenever_it_is_pulled_raw_ends_like_the_server(
    tmp_path: Path, steps: list[tuple[str, str]]
) -> None:
    server = Server()
    with db.memory() as connection:
        raw.create(connection)
        lab = Lab(connection, tmp_path)
        store(lab)
        for clock, (step, key) in enumerate([*steps, ("sweep", ""), ("histories", "")]):
            if step in {"pull", "sweep"}:
                store(lab, *server.states(), whole=step == "sweep")
                assert store(lab, *server.states(), whole=step == "sweep") == 0
            elif step == "histories":
                for batch in waiting(lab):
                    write(lab, **{one: server.history(one) for one in batch})
            else:
                server.happen(step, key, clock)
        live = sorted(key for key in server.versions if not server.deleted.get(key))
        assert [row[0] for row in seen(lab) if not row[3]] == live
        for key in live:
            history = "select version, label from raw.entity_history where entity_id = ? order by 1"
            expected = [(one.version, one.label) for one in server.history(key)]
            assert connection.execute(history, [key]).fetchall() == expected
