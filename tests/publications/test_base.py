"""What a person is told when a publication cannot be written."""

import errno
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, TemplateNotFound

from tpm_pipeline.errors import PublicationError
from tpm_pipeline.publications.base import intact_on_failure
from tpm_pipeline.warehouse import db

TARGET = Path("data") / "dashboard.html"


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EFBIG", "EIO"])
def test_a_file_that_cannot_be_written_says_so(name: str) -> None:
    with pytest.raises(PublicationError, match=r"PUB-002 · dashboard\.html"), intact_on_failure(TARGET):
        raise OSError(getattr(errno, name), "The disk says no")


def test_a_file_of_ours_that_is_missing_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), intact_on_failure(TARGET):
        (tmp_path / "words.yml").read_text(encoding="utf-8")
    with pytest.raises(TemplateNotFound), intact_on_failure(TARGET):
        Environment(loader=FileSystemLoader(tmp_path), autoescape=True).get_template("dashboard.html.j2")


def test_a_database_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with db.memory() as connection, pytest.raises(PublicationError, match="PUB-002"), intact_on_failure(TARGET):
        db.attach(connection, tmp_path / "missing" / "tpm.duckdb", "tpm")


def test_a_mistake_of_ours_is_not_taken_for_a_full_disk() -> None:
    with db.memory() as connection, pytest.raises(db.QueryError, match="Catalog"), intact_on_failure(TARGET):
        connection.execute("from nowhere")
