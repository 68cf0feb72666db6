"""The servers of the contract suite, each with an office that pulls from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.pulling.office import Office
from tests.servers.conftest import KINDS, Fake, Kobo, central, fake, fake_kobo, kobo, site
from tests.servers.dossiers import dossier_form
from tests.servers.site import Site
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw

__all__ = ["central", "fake", "fake_kobo", "kobo", "site"]


@contextmanager
def opened(site: Site, folder: Path) -> Iterator[Office]:
    """A warehouse of its own, which knows nothing yet."""
    settings = Settings(data=folder)
    with db.warehouse(settings) as connection:
        raw.create(connection)
        yield Office(site, connection, settings)


@pytest.fixture
def office(site: Site, tmp_path: Path) -> Iterator[Office]:
    """On every kind of server."""
    site.server.deploy([dossier_form()])
    with opened(site, tmp_path / "data") as office:
        yield office


@pytest.fixture
def central_office(central: Site, tmp_path: Path) -> Iterator[Office]:
    """On Central, the fake and the real one."""
    central.server.deploy([dossier_form()])
    with opened(central, tmp_path / "data") as office:
        yield office


@pytest.fixture
def fake_office(fake: Fake, tmp_path: Path) -> Iterator[Office]:
    """On the fake Central, whose answers can be meddled with."""
    fake.site.server.deploy([dossier_form()])
    with opened(fake.site, tmp_path / "data") as office:
        yield office


@pytest.fixture
def kobo_office(kobo: Site, tmp_path: Path) -> Iterator[Office]:
    """On KoboToolbox, the fake and the real one."""
    kobo.server.deploy([dossier_form()])
    with opened(kobo, tmp_path / "data") as office:
        yield office


@pytest.fixture
def fake_kobo_office(fake_kobo: Kobo, tmp_path: Path) -> Iterator[Office]:
    """On the fake KoboToolbox, whose answers can be meddled with."""
    fake_kobo.site.server.deploy([dossier_form()])
    with opened(fake_kobo.site, tmp_path / "data") as office:
        yield office


@pytest.fixture
def real_kobo(tmp_path: Path) -> Iterator[Site]:
    with KINDS["real kobo"](tmp_path) as site:
        yield site
