"""Another client of Central reads the same rows. Only on a real Central."""

import os
from pathlib import Path
from typing import Any

import pytest
from pyodk.client import Client

from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id, visit, visit_form

_CONFIG = '[central]\nbase_url = "{0}"\nusername = "{1}"\npassword = "{2}"\ndefault_project_id = {3}\n'


def pyodk_rows(site: Site, form_id: str, folder: Path) -> list[dict[str, Any]]:
    """The rows of a form as pyODK reads them."""
    _, project = api_of(site)
    login = [os.environ[f"TPM_TEST_CENTRAL_{name}"] for name in ("URL", "EMAIL", "PASSWORD")]
    (folder / "config.toml").write_text(_CONFIG.format(*login, project.rpartition("/")[2]))
    with (
        pytest.MonkeyPatch.context() as patched,
        Client(config_path=str(folder / "config.toml"), cache_path=str(folder / "cache.toml")) as client,
    ):
        patched.setenv("NO_PROXY", "*")
        return list(client.submissions.get_table(form_id=form_id, expand="*")["value"])


def test_pyodk_and_our_page_agree_row_for_row(real_central: Site, tmp_path: Path) -> None:
    real_central.server.deploy([visit_form()])
    first = new_id()
    services = [[], [("sante", "2")], [("sante", "2"), ("droit", "")]]
    real_central.submit(visit(instance_id=first), *(visit(services=given) for given in services))
    real_central.submit(visit(instance_id=new_id(), replaces=first, persons="12"), visit(persons=""))

    theirs = pyodk_rows(real_central, "visites", tmp_path)

    ours, _ = real_central.pull()
    assert len(ours) == 5
    assert ours == theirs
