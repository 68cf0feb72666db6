"""What a person is told when a publication cannot be written."""

from pathlib import Path

import pytest

from tpm_pipeline.errors import PublicationError
from tpm_pipeline.publications.base import intact_on_failure
from tpm_pipeline.warehouse import db

TARGET = Path("data") / "dashboard.html"


def test_a_file_that_cannot_be_written_says_so() -> None:
    with pytest.raises(PublicationError, match=r"PUB-002 · dashboard\.html"), intact_on_failure(TARGET):
        raise OSError(28, "No space left on device")


def test_a_database_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with db.memory() as connection, pytest.raises(PublicationError, match="PUB-002"), intact_on_failure(TARGET):
        db.attach(connection, tmp_path / "missing" / "tpm.duckdb", "tpm")


def test_a_mistake_of_ours_is_not_taken_for_a_full_disk() -> None:
    with db.memory() as connection, pytest.raises(db.QueryError, match="Catalog"), intact_on_failure(TARGET):
        connection.execute("from nowhere")
