"""The page for analysts holds: every query on it runs on the demonstration's file and finds something."""

import re
from pathlib import Path

import pytest

from tpm_pipeline import jobs
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

README = Path(__file__).parents[2] / "warehouse/README.md"
TEXT = README.read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = Settings(_env_file=None, data=tmp_path_factory.mktemp("readme") / "demo")
    jobs.demo(settings, seed=1, visits=300)
    jobs.refresh(settings)
    return settings.analysts_db


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: " ".join(query.split())[:60])
def test_a_query_finds_something(query: str, published: Path) -> None:
    with db.memory() as connection:
        db.attach(connection, published, "tpm", wishes=["READ_ONLY"])
        connection.execute("use tpm")
        rows = db.rows(connection, query)
    assert rows
    assert any(value is not None for row in rows for value in list(row.values())[1:])


def test_there_are_ten_queries_and_more() -> None:
    assert len(QUERIES) >= 10
    assert len(TEXT.splitlines()) < 200


def test_a_folder_or_file_it_names_is_there() -> None:
    named = re.findall(r"\]\(([^)]+)\)", TEXT) + re.findall(r"`(\w+\.yml)`", TEXT)
    assert [name for name in named if not (README.parent / name).exists()] == []
