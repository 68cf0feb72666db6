"""The use cases on two servers at once: a local one, and a Central to which a form moved."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.servers.conftest import Fake, fake
from tests.servers.fake_central import EMAIL, PASSWORD
from tpm_pipeline import jobs
from tpm_pipeline.demo.instances import generate
from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.forms import catalog, seal
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.indicators.explain import Fact
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db

__all__ = ["fake"]

MOVED = [compile_form(catalog.path_of("tpm_osc"), "central", validate=False)[0]]
DAY = date(2026, 11, 2)


@pytest.fixture
def settings(demo_data: Path) -> Settings:
    """A folder that only holds synthetic data."""
    return Settings(data=demo_data, server="local")


@pytest.fixture
def two(settings: Settings, fake: Fake) -> Settings:
    """The same folder with a second server: the forms of organisations moved to a Central, which has one answer."""
    central = fake.site.server
    assert isinstance(central, CentralServer)
    central.deploy(MOVED)
    versions = {form.form_id: central.versions(form.form_id)[-1] for form in MOVED}
    phone, (sent, *_) = fake.site.phone(), generate(7, 5, versions)
    phone.submit(sent.xml, sent.attachments)
    declared = settings.data / "access.yml"
    declared.write_text("servers: {central: {forms: [tpm_osc]}}")
    chosen = {
        "server": "local,central",
        "central_url": fake.url,
        "central_email": EMAIL,
        "central_password": SecretStr(PASSWORD),
        "central_project": "Essai",
        "access": declared,
    }
    return settings.model_copy(update=chosen)


def test_two_servers_are_united_in_one_warehouse_and_each_submission_leads_to_its_own(
    two: Settings, fake: Fake
) -> None:
    report = jobs.refresh(two)

    there = fake.site.server.name
    brought = {(one.server, one.form_id): one.written for one in report.pulled}
    assert report.published
    assert brought[there, "tpm_osc"] == 1
    # What came before the form moved is not left behind.
    assert brought["local", "tpm_osc"] > 1
    assert {form_id for server, form_id in brought if server == "local"} == {*jobs.form_ids()}

    with db.reading(two) as connection:
        found = connection.execute("select server, form_id, submission_id from raw.current").fetchall()
    facts = [
        Fact(date(2026, 11, 2), None, None, None, None, submission, form, server) for server, form, submission in found
    ]
    addresses = dict(zip((fact.server for fact in facts), jobs.links(two, facts), strict=True))
    assert (addresses["local"] or "").startswith("http://127.0.0.1:8010/submissions/")
    assert (addresses[there] or "").startswith(f"{fake.url}/projects/1/forms/tpm_osc/submissions/")


def test_a_server_that_is_down_does_not_keep_what_the_other_brought_from_being_published(two: Settings) -> None:
    with pytest.raises(ServerUnavailableError, match="SRV-001"):
        jobs.refresh(two.model_copy(update={"central_url": "http://127.0.0.1:1"}))

    assert two.dashboard.exists()
    assert jobs.is_current(two)
    assert jobs.refresh(two).written == 1


def test_a_form_that_is_refused_keeps_no_other_from_being_published(two: Settings) -> None:
    declared = two.data / "access.yml"
    declared.write_text("servers: {central: {forms: [tpm_osc, tpm_com]}}")

    with pytest.raises(ServerError, match=r"SRV-014 .*tpm_com"):
        jobs.refresh(two)

    assert jobs.is_current(two)
    with db.reading(two) as connection:
        found = connection.execute("select count(distinct form_id) from raw.current").fetchone()
    assert found == (len(jobs.form_ids()),)


def test_when_no_server_answers_nothing_is_published(two: Settings) -> None:
    down = {"server": "central", "central_url": "http://127.0.0.1:1"}

    with pytest.raises(ServerUnavailableError, match="SRV-001"):
        jobs.refresh(two.model_copy(update=down))

    assert not two.dashboard.exists()


def test_one_of_two_servers_can_be_pulled_alone(two: Settings, fake: Fake) -> None:
    reports, errors = jobs.pull(two, jobs.form_ids(), only="central")

    assert errors == []
    assert [(report.server, report.form_id) for report in reports] == [(fake.site.server.name, "tpm_osc")]


def test_a_mistake_in_the_declaration_does_not_stop_the_pulls_of_one_server(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "access.yml").write_text("phones: [", encoding="utf-8")

    (report,), _ = jobs.pull(settings.model_copy(update={"access": tmp_path / "access.yml"}), ["tpm_osc"])
    assert report.written > 1


def test_the_newest_version_on_any_server_is_compared(two: Settings) -> None:
    renamed = replace(MOVED[0], xform=MOVED[0].xform.replace(b"forme_osc", b"sorte_osc"))

    LocalServer(two.local_store).deploy([seal.revised(renamed, "2020010101-a")])
    assert jobs.forms_diff(two, "server", None, "tpm_osc").forms == ()

    LocalServer(two.local_store).deploy([seal.revised(renamed, "2099010101-b")])
    (found,) = jobs.forms_diff(two, "server", None, "tpm_osc").forms
    assert found.old == "2099010101-b"
