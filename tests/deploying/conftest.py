"""The servers a deployment is prepared for: those of the contract suite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.conftest import KINDS
from tests.servers.site import Site


@pytest.fixture(params=list(KINDS))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    with KINDS[request.param](tmp_path) as site:
        yield site
