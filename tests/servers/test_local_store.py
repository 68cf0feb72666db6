"""The store opens where it can, says why where it cannot, and rolls back what does not end."""

import hashlib
import io
import sqlite3
import stat
from pathlib import Path

import pytest

from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.servers.local_store import Store

INSERT = "insert into entity_property values ('dossiers', 'nom')"


def count(store: Store) -> int:
    with store.reading() as db:
        return int(db.execute("select count(*) from entity_property").fetchone()[0])


def test_a_folder_can_be_opened_twice_and_again(tmp_path: Path) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    with first.writing() as db:
        db.execute(INSERT)
    assert count(second) == 1
    first.close()
    second.close()
    assert count(Store(tmp_path)) == 1


def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(sqlite3.IntegrityError), store.writing() as db:
        db.executemany(INSERT, [(), ()])
    assert count(store) == 0


def test_commits_wait_for_the_disk(tmp_path: Path) -> None:
    with Store(tmp_path).reading() as db:
        assert db.execute("pragma journal_mode").fetchone()[0] == "wal"
        assert db.execute("pragma synchronous").fetchone()[0] == 2


@pytest.mark.parametrize("content", [b"pas une base", None], ids=["not a database", "a later layout"])
def test_a_folder_that_is_no_store_of_ours_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        Store(tmp_path).close()
        with sqlite3.connect(tmp_path / "server.sqlite") as db:
            db.execute("pragma user_version = 99")
        db.close()
    else:
        (tmp_path / "server.sqlite").write_bytes(content * 100)
    with pytest.raises(ServerError, match="SRV-117"):
        Store(tmp_path)


def test_a_store_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServerError, match="SRV-117"):
        Store(tmp_path / "file")


def test_a_busy_store_can_be_tried_again(tmp_path: Path) -> None:
    store, other = Store(tmp_path), Store(tmp_path)
    other._db.execute("pragma busy_timeout = 10")
    with store.writing(), pytest.raises(ServerUnavailableError, match="SRV-119"), other.writing():
        pass


def test_an_attachment_is_kept_whole_under_the_hash_of_its_content(tmp_path: Path) -> None:
    store = Store(tmp_path)
    content = bytes(range(256)) * 10_000
    digest = hashlib.sha256(content).hexdigest()
    for _ in range(2):
        with store.receiving([("a.jpg", io.BytesIO(content))]) as incoming:
            store.keep(incoming)
        assert [path.name for path in (tmp_path / "attachments").iterdir()] == [digest]
        assert store.attachment(digest).read_bytes() == content


def test_an_attachment_that_is_not_kept_is_gone(tmp_path: Path) -> None:
    with Store(tmp_path).receiving([("a.jpg", io.BytesIO(b"1"))]) as incoming:
        assert [file.draft.read_bytes() for file in incoming] == [b"1"]
    assert list((tmp_path / "attachments").iterdir()) == []


def test_a_new_store_is_its_owner_s_alone(tmp_path: Path) -> None:
    Store(tmp_path / "store").close()
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700


def test_a_store_keeps_its_identity_and_shares_it_with_no_other(tmp_path: Path) -> None:
    first = Store(tmp_path / "a")
    assert len(first.id) == 32
    assert Store(tmp_path / "a").id == first.id
    assert Store(tmp_path / "b").id != first.id
