"""A file is written whole and is what was announced, or nothing of it is left."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tpm_pipeline.errors import ServerUnavailableError
from tpm_pipeline.records import StoredFile
from tpm_pipeline.servers import files

CHUNKS = [b"une ", b"", b"photo"]
MD5 = hashlib.md5(b"une photo", usedforsecurity=False).hexdigest()
SHA256 = hashlib.sha256(b"une photo").hexdigest()


@pytest.mark.parametrize("announced", [{}, {"md5": MD5}, {"digest": SHA256}, {"md5": MD5, "digest": SHA256}])
def test_what_was_announced_is_kept(tmp_path: Path, announced: dict[str, str]) -> None:
    found = files.save("here", CHUNKS, tmp_path / "file", media_type="image/jpeg", **announced)

    assert found == StoredFile(SHA256, MD5, 9, "image/jpeg")
    assert (tmp_path / "file").read_bytes() == b"une photo"


@pytest.mark.parametrize("announced", [{"md5": MD5[::-1]}, {"digest": SHA256[::-1]}])
def test_another_file_is_refused_and_may_come_right_later(tmp_path: Path, announced: dict[str, str]) -> None:
    with pytest.raises(ServerUnavailableError, match="SRV-050"):
        files.save("here", CHUNKS, tmp_path / "file", media_type="", **announced)
    assert list(tmp_path.iterdir()) == []


def test_what_breaks_off_leaves_the_former_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"former")

    def broken() -> Iterator[bytes]:
        yield b"une "
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.save("here", broken(), tmp_path / "file", media_type="")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"former"]
