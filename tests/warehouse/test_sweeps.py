"""Sweeps: what a server lists beside what raw knows, and what vanished."""

from typing import Any

import orjson
import pytest

from tests.warehouse.lab import Lab, Row
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.records import Sweep
from tpm_pipeline.servers import central
from tpm_pipeline.warehouse import sweeps
from tpm_pipeline.warehouse.sweeps import Difference

LATER = "2021-02-01T08:00:00.000Z"
KEY = ("central", "essai")


def listing(lab: Lab, *rows: Row) -> Sweep:
    """The two lists of Central."""
    lists: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for row in rows:
        states = {ours: theirs for theirs, ours in central.DIALECT.review_states.items()}
        current = {"instanceId": row.instance_id or row.submission_id}
        lists[row.deleted is not None].append(
            {
                "instanceId": row.submission_id,
                "reviewState": states[row.review] or None,
                "deletedAt": row.deleted,
                "currentVersion": current,
            }
        )
    paths = []
    for deleted, found in lists.items():
        paths.append(lab.folder / f"sweep-{deleted}.json")
        paths[-1].write_bytes(orjson.dumps(found))
    return Sweep(tuple(paths), "now")


def compared(lab: Lab, *rows: Row) -> Difference:
    found = sweeps.compare(lab.connection, *KEY, central.LISTING, listing(lab, *rows))
    assert list(lab.folder.glob("sweep-*")) == []
    return Difference(tuple(sorted(found.differing)), tuple(sorted(found.missing)))


KEPT = Row("uuid:1")


def test_what_both_know_is_no_difference(lab: Lab) -> None:
    lab.store(KEPT, Row("uuid:2", review="approved"), Row("uuid:3", deleted=LATER))

    assert compared(lab, KEPT, Row("uuid:2", review="approved"), Row("uuid:3", deleted=LATER)) == Difference((), ())


@pytest.mark.parametrize(
    "listed",
    [Row("uuid:1", review="approved"), Row("uuid:1", instance_id="uuid:9"), Row("uuid:1", deleted=LATER)],
    ids=["reviewed", "edited", "deleted"],
)
def test_what_the_server_says_otherwise_differs(lab: Lab, listed: Row) -> None:
    lab.store(KEPT)

    assert compared(lab, listed) == Difference(("uuid:1",), ())


def test_a_restored_submission_differs(lab: Lab) -> None:
    lab.store(Row("uuid:1", deleted=LATER))

    assert compared(lab, KEPT) == Difference(("uuid:1",), ())


def test_what_no_pull_ever_brought_differs(lab: Lab) -> None:
    assert compared(lab, KEPT) == Difference(("uuid:1",), ())


def test_what_is_not_listed_is_missing_unless_it_was_deleted(lab: Lab) -> None:
    lab.store(KEPT, Row("uuid:2", deleted=LATER))

    assert compared(lab) == Difference((), ("uuid:1",))


def test_what_was_deleted_between_the_two_lists_is_deleted(lab: Lab) -> None:
    lab.store(Row("uuid:1", deleted=LATER))

    assert compared(lab, KEPT, Row("uuid:1", deleted=LATER)) == Difference((), ())


def test_other_forms_and_servers_are_not_compared(lab: Lab) -> None:
    lab.store(KEPT)
    lab.store(Row("uuid:2"), form_id="autre")
    lab.store(Row("uuid:3"), server="ailleurs")

    assert compared(lab, KEPT) == Difference((), ())


def test_a_tombstone_keeps_the_answers_and_can_be_lifted(lab: Lab) -> None:
    lab.store(Row("uuid:1", {"x": "kept"}), Row("uuid:2"), Row("uuid:3", deleted=LATER))

    assert sweeps.bury(lab.connection, *KEY, ["uuid:1", "uuid:3", "uuid:nobody"]) == 1
    assert sweeps.bury(lab.connection, *KEY, ["uuid:1"]) == 0

    deleted = "select json_extract_string(payload, '$.x') from raw.current where deleted_at is not null order by 1"
    assert lab.column(deleted) == ["kept", None]
    assert lab.store(Row("uuid:1", {"x": "kept"})) == 1
    assert lab.column(deleted) == [None]


def test_too_many_at_once_are_named_and_nothing_is_buried(lab: Lab) -> None:
    lab.store(*(Row(f"uuid:{n}") for n in range(10)))

    with pytest.raises(WarehouseError) as error:
        sweeps.refuse_too_many(lab.connection, *KEY, ["uuid:7", "uuid:3"], 0.1)

    assert error.value.code == "WH-040"
    assert "2 of its 10 submissions" in error.value.cause
    assert "uuid:3 uuid:7" in error.value.cause
    assert "--accept-deletions" in error.value.remedy


def test_as_many_as_the_share_are_believed(lab: Lab) -> None:
    lab.store(*(Row(f"uuid:{n}") for n in range(10)), Row("uuid:deleted", deleted=LATER))

    sweeps.refuse_too_many(lab.connection, *KEY, ["uuid:7"], 0.1)
    sweeps.refuse_too_many(lab.connection, *KEY, [], 0.0)


def test_a_long_list_is_cut(lab: Lab) -> None:
    lab.store(*(Row(f"uuid:{n:03}") for n in range(60)))

    with pytest.raises(WarehouseError, match=r"60 of its 60 .*uuid:049 …"):
        sweeps.refuse_too_many(lab.connection, *KEY, [f"uuid:{n:03}" for n in range(60)], 0.5)


def test_what_the_last_sweep_saw_is_remembered(lab: Lab) -> None:
    assert sweeps.cursor(lab.connection, *KEY) is None

    sweeps.remember(lab.connection, *KEY, "seen", Difference(("uuid:1",), ()))

    assert sweeps.cursor(lab.connection, *KEY) == "seen"


def test_what_is_still_encrypted_is_known(lab: Lab) -> None:
    lab.store(KEPT)
    sealed = {"__id": "uuid:2", "__system": {"status": "notDecrypted", "submissionDate": LATER, "edits": 0}}
    lab.store_json(sealed)

    assert sweeps.sealed(lab.connection, *KEY) == ["uuid:2"]
    lab.store(Row("uuid:2"))
    assert sweeps.sealed(lab.connection, *KEY) == []
