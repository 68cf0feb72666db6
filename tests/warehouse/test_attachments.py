"""What raw knows of files: which version has which, and which are still to come."""

from dataclasses import replace

import pytest

from tests.warehouse.lab import DIALECTS, Kind, Lab, Row
from tpm_pipeline.records import AttachmentName, Instance, StoredFile
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import attachments
from tpm_pipeline.warehouse.attachments import Waiting

LATER = "2021-02-01T08:00:00.000Z"
FIRST = Row("uuid:1")
HERE = Instance("essai", "uuid:1", "uuid:1")
PHOTO = StoredFile("ab" * 32, "cd" * 16, 12, "image/jpeg")


def waiting(lab: Lab, kind: Kind = "local", *, sweep: bool = False) -> list[tuple[str, int | None]]:
    attachments.create(lab.connection)
    found = attachments.waiting(lab.connection, kind, "essai", DIALECTS[kind], sweep=sweep)
    return [(one.instance.instance_id, one.missing) for one in found]


def looked(lab: Lab, kind: Kind, instance: Instance, missing: int) -> None:
    attachments.remember(lab.connection, kind, [Waiting(instance, missing)])


def expecting(lab: Lab, row: Row, files: int) -> None:
    """Store a row as Central writes it when this many files belong to it."""
    lab.store(row)
    lab.connection.execute(f"update raw.submission set nb_files = {files} where submission_id = '{row.submission_id}'")


def test_a_file_is_below_the_private_folder_under_its_digest(settings: Settings) -> None:
    path = attachments.path(settings, PHOTO.digest)

    assert path == settings.private / "attachments" / "ab" / ("ab" * 32)


def test_only_what_expects_files_waits(lab: Lab) -> None:
    expecting(lab, FIRST, 2)
    expecting(lab, Row("uuid:2"), 0)
    lab.store(Row("uuid:3"))

    assert waiting(lab, "central") == waiting(lab, "central", sweep=True) == [("uuid:1", None)]


@pytest.mark.parametrize(("missing", "found"), [(0, []), (1, [("uuid:1", 1)])])
def test_what_was_looked_at_waits_for_a_sweep_while_something_is_missing(
    lab: Lab, missing: int, found: list[tuple[str, int]]
) -> None:
    expecting(lab, FIRST, 2)
    waiting(lab)
    looked(lab, "central", HERE, missing)

    assert waiting(lab, "central") == []
    assert waiting(lab, "central", sweep=True) == found


def test_where_rows_do_not_tell_every_submission_is_asked_for_again_at_a_sweep(lab: Lab) -> None:
    lab.store(FIRST, kind="local")
    assert waiting(lab) == [("uuid:1", None)]

    looked(lab, "local", HERE, 0)

    assert waiting(lab) == []
    assert waiting(lab, sweep=True) == [("uuid:1", 0)]


def test_a_former_version_is_asked_for_once_and_never_again(lab: Lab) -> None:
    expecting(lab, FIRST, 1)
    expecting(lab, replace(FIRST, instance_id="uuid:2", updated=LATER), 1)

    assert waiting(lab, "central") == [("uuid:1", None), ("uuid:2", None)]
    for instance in ("uuid:1", "uuid:2"):
        looked(lab, "central", replace(HERE, instance_id=instance), 1)
    assert waiting(lab, "central", sweep=True) == [("uuid:2", 1)]


def test_a_deleted_submission_does_not_wait(lab: Lab) -> None:
    expecting(lab, replace(FIRST, deleted=LATER), 1)

    assert waiting(lab, "central", sweep=True) == []


def test_servers_and_forms_are_apart(lab: Lab) -> None:
    lab.store(FIRST, kind="local")
    lab.store(FIRST, kind="local", form_id="autre")
    waiting(lab)
    looked(lab, "local", Instance("autre", "uuid:1", "uuid:1"), 0)

    assert waiting(lab) == [("uuid:1", None)]
    assert waiting(lab, "central") == []


def test_many_wait_in_the_order_they_came(lab: Lab) -> None:
    lab.store(*(Row(f"uuid:{n:04}") for n in range(2500)), kind="local")

    assert [instance for instance, _ in waiting(lab)] == [f"uuid:{n:04}" for n in range(2500)]


def test_the_file_a_former_version_has_under_a_name_is_known(lab: Lab) -> None:
    attachments.create(lab.connection)
    edit = replace(HERE, instance_id="uuid:2")
    assert attachments.former(lab.connection, "central", edit, "a.jpg") == (None, "")

    attachments.store(
        lab.connection, "central", HERE, AttachmentName("a.jpg", is_there=True), replace(PHOTO, digest="00" * 32)
    )
    attachments.store(lab.connection, "central", HERE, AttachmentName("a.jpg", is_there=True), PHOTO)

    assert attachments.former(lab.connection, "central", edit, "a.jpg") == (PHOTO, "")
    assert attachments.former(lab.connection, "central", edit, "b.jpg") == (None, "")
    assert attachments.former(lab.connection, "local", edit, "a.jpg") == (None, "")
    assert attachments.stored(lab.connection, "central", HERE) == {"a.jpg": ""}
    assert attachments.stored(lab.connection, "central", edit) == {}
