"""A warehouse in memory for every test, and settings of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.warehouse.lab import Lab
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", pseudonym_key=SecretStr("clé de test"))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with db.memory() as connection:
        raw.create(connection)
        yield Lab(connection, tmp_path)
