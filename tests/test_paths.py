from pathlib import Path

import pytest

from tpm_pipeline.paths import FORMS, LISTS, WAREHOUSE, replacing, write_atomically


def test_the_project_finds_its_own_files() -> None:
    assert (FORMS / "tpm_visite" / "tpm_visite.xlsx").is_file()
    assert (LISTS / "communes.csv").is_file()
    assert (WAREHOUSE / "logframe.yml").is_file()


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "page.html"

    write_atomically(target, "أكادير")
    write_atomically(target, b"second")

    assert target.read_bytes() == b"second"
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    write_atomically(target, "old")

    def fail() -> None:
        with replacing(target) as draft:
            draft.write_text("half of the new one")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fail()

    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
