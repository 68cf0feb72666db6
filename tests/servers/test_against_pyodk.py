"""Another client of Central reads the same rows. Only on a real Central."""

import os
from pathlib import Path

import pytest
from pyodk.client import Client

from tests.servers.conftest import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id, visit, visit_form

_CONFIG = '[central]\nbase_url = "{0}"\nusername = "{1}"\npassword = "{2}"\ndefault_project_id = {3}\n'


def test_pyodk_and_our_page_agree_row_for_row(
    real_central: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    real_central.server.deploy([visit_form()])
    first = new_id()
    services = [[], [("sante", "2")], [("sante", "2"), ("droit", "")]]
    real_central.submit(visit(instance_id=first), *(visit(services=given) for given in services))
    real_central.submit(visit(instance_id=new_id(), replaces=first, persons="12"), visit(persons=""))

    _, project = api_of(real_central)
    login = [os.environ[f"TPM_TEST_CENTRAL_{name}"] for name in ("URL", "EMAIL", "PASSWORD")]
    (tmp_path / "config.toml").write_text(_CONFIG.format(*login, project.rpartition("/")[2]))
    with Client(config_path=str(tmp_path / "config.toml"), cache_path=str(tmp_path / "cache.toml")) as client:
        theirs = client.submissions.get_table(form_id="visites", expand="*")["value"]

    ours, _ = real_central.pull()
    assert len(ours) == 5
    assert ours == theirs
