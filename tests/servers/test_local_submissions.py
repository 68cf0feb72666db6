"""A submission is accepted once, whatever the network did; nothing accepted is ever overwritten."""

import io
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import CompiledForm
from tpm_pipeline.servers import local_forms
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.local_submissions import accept, rows

XFORM = (Path(__file__).parents[1] / "web" / "essai.xml").read_bytes()
FORM = CompiledForm("essai", "1", "Essai", XFORM, (), ("dossiers",))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    local_forms.deploy(opened, [FORM])
    yield opened
    opened.close()


def xml(instance: str, nom: str = "Ali", corrects: str = "") -> bytes:
    deprecated = f"<deprecatedID>{corrects}</deprecatedID>" if corrects else ""
    meta = f"<meta><instanceID>{instance}</instanceID>{deprecated}</meta>"
    return f'<data id="essai" version="1"><bureau><nom>{nom}</nom></bureau>{meta}</data>'.encode()


def current(store: Store, after: int = 0) -> list[dict[str, Any]]:
    return [orjson.loads(row) for _, row in rows(store, "essai", after)]


def kept(store: Store) -> list[bytes]:
    return sorted(file.read_bytes() for file in (store.folder / "attachments").iterdir())


def refused(store: Store, content: bytes, **attachments: bytes) -> str:
    with pytest.raises(ServerError) as caught:
        accept(store, content, [(name, io.BytesIO(data)) for name, data in attachments.items()])
    return caught.value.code


def test_a_new_submission_is_stored_with_its_system_part(store: Store) -> None:
    assert accept(store, xml("a"), [("b.jpg", io.BytesIO(b"1")), ("a.jpg", io.BytesIO(b"2"))])
    (row,) = current(store)
    assert row["bureau"] == {"nom": "Ali"}
    at = row["__system"].pop("submittedAt")
    assert len(at) == len("2026-11-23T18:06:22.136Z")
    assert at.endswith("Z")
    assert row["__system"] == {
        "submissionId": "a",
        "instanceId": "a",
        "formVersion": "1",
        "updatedAt": None,
        "reviewState": "received",
        "deletedAt": None,
        "seq": 1,
        "attachments": ["a.jpg", "b.jpg"],
    }


def test_the_same_bytes_again_add_only_missing_attachments(store: Store) -> None:
    accept(store, xml("a"), [("a.jpg", io.BytesIO(b"1"))])
    assert not accept(store, xml("a"), [("a.jpg", io.BytesIO(b"1")), ("b.jpg", io.BytesIO(b"2"))])
    (row,) = current(store)
    assert (row["__system"]["seq"], row["__system"]["attachments"]) == (1, ["a.jpg", "b.jpg"])


def test_attachments_are_files_named_by_their_content(store: Store) -> None:
    accept(store, xml("a"), [("../../a.jpg", io.BytesIO(b"1")), ("b.jpg", io.BytesIO(b"1"))])
    (file,) = (store.folder / "attachments").iterdir()
    assert (file.read_bytes(), len(file.name)) == (b"1", 64)


def test_the_same_id_with_other_answers_is_a_conflict_and_the_first_stays(store: Store) -> None:
    accept(store, xml("a"), [("a.jpg", io.BytesIO(b"1"))])
    assert refused(store, xml("a", nom="Bo")) == "SRV-106"
    assert refused(store, xml("a"), **{"a.jpg": b"other", "b.jpg": b"2"}) == "SRV-109"
    (row,) = current(store)
    assert (row["bureau"]["nom"], row["__system"]["attachments"]) == ("Ali", ["a.jpg"])


def test_two_attachments_of_one_name_must_be_the_same(store: Store) -> None:
    with pytest.raises(ServerError, match="SRV-109"):
        accept(store, xml("a"), [("a.jpg", io.BytesIO(b"1")), ("a.jpg", io.BytesIO(b"2"))])
    assert (current(store), kept(store)) == ([], [])
    assert accept(store, xml("a"), [("a.jpg", io.BytesIO(b"1")), ("a.jpg", io.BytesIO(b"1"))])
    assert (current(store)[0]["__system"]["attachments"], kept(store)) == (["a.jpg"], [b"1"])


def test_what_is_refused_leaves_no_attachment_and_takes_none_away(store: Store) -> None:
    accept(store, xml("a"), [("a.jpg", io.BytesIO(b"1"))])
    files = {"b.jpg": b"1", "c.jpg": b"2"}
    assert refused(store, xml("a", nom="Bo"), **files) == "SRV-106"
    assert refused(store, xml("b", corrects="z"), **files) == "SRV-107"
    assert refused(store, xml("a"), **{**files, "a.jpg": b"3"}) == "SRV-109"
    assert refused(store, xml("a").replace(b'version="1"', b'version="9"'), **files) == "SRV-105"
    assert refused(store, b"<broken", **files) == "SRV-101"
    assert kept(store) == [b"1"]


def test_an_attachment_is_on_disk_before_the_row_that_names_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    fsync = os.fsync

    def spy(handle: int) -> None:
        fsync(handle)
        events.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")

    monkeypatch.setattr(os, "fsync", spy)
    with store.writing() as db:
        db.set_trace_callback(lambda statement: events.append("row") if statement == "commit" else None)
    events.clear()

    accept(store, xml("a"), [("a.jpg", io.BytesIO(b"1")), ("b.jpg", io.BytesIO(b"2"))])

    assert events[events.index("file") :] == ["file", "file", "folder", "row"]


def test_an_edit_keeps_the_submission_and_changes_the_instance(store: Store) -> None:
    accept(store, xml("a"), [])
    accept(store, xml("b", "Bo", corrects="a"), [])
    accept(store, xml("c", "Co", corrects="b"), [])
    (row,) = current(store)
    system = row["__system"]
    assert row["bureau"]["nom"] == "Co"
    assert (system["submissionId"], system["instanceId"], system["reviewState"], system["seq"]) == (
        "a",
        "c",
        "edited",
        3,
    )
    assert system["updatedAt"] >= system["submittedAt"]


def test_an_edit_sent_twice_counts_once(store: Store) -> None:
    accept(store, xml("a"), [])
    assert accept(store, xml("b", corrects="a"), [])
    assert not accept(store, xml("b", corrects="a"), [])
    assert not accept(store, xml("a"), [])


def test_an_edit_of_nothing_or_of_an_old_copy_is_refused(store: Store) -> None:
    assert refused(store, xml("b", corrects="a")) == "SRV-107"
    accept(store, xml("a"), [])
    accept(store, xml("b", corrects="a"), [])
    assert refused(store, xml("c", corrects="a")) == "SRV-108"


def test_unknown_forms_and_versions_are_refused(store: Store) -> None:
    assert refused(store, xml("a").replace(b"essai", b"inconnu")) == "SRV-104"
    assert refused(store, xml("a").replace(b'version="1"', b'version="9"')) == "SRV-105"


def test_answers_nested_beyond_what_json_can_hold_are_refused(store: Store) -> None:
    deep = b"<g>" * 255 + b"1" + b"</g>" * 255
    assert refused(store, xml("a").replace(b"<bureau>", deep + b"<bureau>")) == "SRV-120"


def test_rows_after_a_position_are_the_last_state_of_what_changed(store: Store) -> None:
    for instance in ("a", "b", "c"):
        accept(store, xml(instance), [])
    accept(store, xml("a2", "Bo", corrects="a"), [])
    assert [row["__system"]["submissionId"] for row in current(store, after=2)] == ["c", "a"]
    assert current(store, after=4) == []


@contextmanager
def too_early_is_refused() -> Iterator[None]:
    try:
        yield
    except ServerError as error:
        if error.code != "SRV-107":
            raise


ATTEMPTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=25)


@settings(max_examples=40, deadline=None)
@given(ATTEMPTS)
def test_any_order_and_repetition_of_posts_and_edits_ends_in_the_same_store(attempts: list[tuple[int, int]]) -> None:
    in_order = [(case, edit) for case in range(3) for edit in range(4)]
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        local_forms.deploy(store, [FORM])
        for case, edit in [*attempts, *in_order]:
            corrects = f"{case}.{edit - 1}" if edit else ""
            with too_early_is_refused():
                accept(store, xml(f"{case}.{edit}", f"nom {edit}", corrects), [(f"{edit}.jpg", io.BytesIO(b"1"))])
        found = {
            (row["__system"]["submissionId"], row["__system"]["instanceId"], row["bureau"]["nom"])
            for row in current(store)
        }
        with store.reading() as db:
            assert db.execute("select count(*) from submission").fetchone()[0] == len(in_order)
        store.close()
    assert found == {(f"{case}.0", f"{case}.3", "nom 3") for case in range(3)}
