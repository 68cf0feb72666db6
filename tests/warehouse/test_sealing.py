"""Answers once opened stay open while their server shows them encrypted."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from tests.warehouse.lab import Lab
from tpm_pipeline.records import Page
from tpm_pipeline.servers import central
from tpm_pipeline.warehouse import raw

OPEN = {"nom": "Amina", "meta": {"instanceID": "uuid:1"}}


def arrive(lab: Lab, answers: Mapping[str, Any], **system: Any) -> int:
    """Store the submission as Central shows it; how many rows it added."""
    shown = {"status": None if answers else "notDecrypted", "edits": 0, "formVersion": "1", "deletedAt": None, **system}
    path = lab.folder / "page.json"
    path.write_bytes(orjson.dumps([{**answers, "__id": "uuid:1", "__system": shown}]))
    return raw.store(lab.connection, "central", "essai", central.DIALECT, [Page(path, 1, "c")]).written


def known(lab: Lab) -> list[tuple[Any, ...]]:
    """Each row of raw, oldest first: the answer, the review, whether it is deleted."""
    columns = "payload->>'$.nom', review_state, deleted_at is not null, instance_id"
    return lab.connection.execute(f"select {columns} from raw.submission order by pull_id").fetchall()


def test_without_its_key_an_opened_submission_says_nothing_new(lab: Lab) -> None:
    assert [arrive(lab, OPEN), arrive(lab, {}), arrive(lab, OPEN)] == [1, 0, 0]
    assert known(lab) == [("Amina", "received", False, "uuid:1")]


@pytest.mark.parametrize(
    ("change", "review", "deleted"),
    [({"reviewState": "approved"}, "approved", False), ({"deletedAt": "2021-02-01T08:00:00.000Z"}, "received", True)],
)
def test_what_changes_beside_the_answers_is_told_with_them(
    lab: Lab, change: dict[str, Any], review: str, deleted: bool
) -> None:
    arrive(lab, OPEN)
    assert [arrive(lab, {}, **change) for _ in range(2)] == [1, 0]
    assert known(lab)[1:] == [("Amina", review, deleted, "uuid:1")]


def test_an_edit_that_cannot_be_opened_is_not_shown_with_former_answers(lab: Lab) -> None:
    arrive(lab, OPEN)
    assert arrive(lab, {}, edits=1, reviewState="edited") == 1
    assert [row[0] for row in known(lab)] == ["Amina", None]


def test_a_sealed_submission_opens_and_is_sealed_only_once(lab: Lab) -> None:
    assert [arrive(lab, {}), arrive(lab, {}), arrive(lab, OPEN)] == [1, 0, 1]
    assert [row[0] for row in known(lab)] == [None, "Amina"]
