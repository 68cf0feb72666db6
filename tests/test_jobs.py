"""The use cases, with the real parts: forms, a local server, the warehouse, the publications."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from tpm_pipeline import jobs
from tpm_pipeline.demo.instances import generate
from tpm_pipeline.errors import FormError, PublicationError, SettingsError, WarehouseError
from tpm_pipeline.records import Change
from tpm_pipeline.servers.base import Lists, Server
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.servers.openrosa import OpenRosaClient
from tpm_pipeline.settings import Kind, Settings
from tpm_pipeline.warehouse import db, raw
from tpm_pipeline.web.serve import running


@pytest.fixture
def settings(demo_data: Path) -> Settings:
    """A folder that only holds synthetic data."""
    return Settings(data=demo_data, server="local")


def test_the_twelve_forms_marts_and_indicators_agree() -> None:
    assert jobs.check() == []


def test_a_refresh_publishes_once_and_then_only_after_a_change(settings: Settings) -> None:
    first = jobs.refresh(settings)
    assert first.published
    assert first.written == sum(report.seen for report in first.pulled)

    assert not jobs.refresh(settings).published

    _visit_again(settings)
    third = jobs.refresh(settings)
    assert (third.published, third.written) == (True, 1)


def test_a_refresh_runs_again_when_a_publication_or_a_setting_is_gone(settings: Settings) -> None:
    jobs.refresh(settings)

    settings.dashboard.unlink()
    assert jobs.refresh(settings).published
    assert jobs.refresh(settings.model_copy(update={"small_cell": 7})).published


def test_a_new_day_makes_new_publications(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.refresh(settings)
    monkeypatch.setattr(jobs, "today", lambda: date(2030, 1, 1))

    assert jobs.refresh(settings).published


def test_an_interrupted_refresh_is_finished_by_the_next_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_connection: db.Connection, _step: str, _fingerprint: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(raw, "remember_done", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.refresh(settings)

    assert jobs.refresh(settings).published
    assert not jobs.refresh(settings).published


def test_latest_values_before_anything_was_published(tmp_path: Path) -> None:
    with pytest.raises(PublicationError, match=r"PUB-001 .*tpm refresh"):
        jobs.latest_values(Settings(data=tmp_path))


def test_an_unknown_form_is_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(FormError, match="FORM-014"):
        jobs.pull(Settings(data=tmp_path / "none"), ["tpm_visites"])
    assert not (tmp_path / "none").exists()


def test_a_form_with_errors_is_not_deployed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise FormError("FORM-007", "forms/tpm_visite/tpm_visite.xlsx, survey row 3", "Broken.", "Mend it.")

    monkeypatch.setattr(jobs, "compile_forms", broken)
    before = LocalServer(settings.local_store).versions("tpm_visite")

    with pytest.raises(FormError, match="FORM-007"):
        jobs.deploy(settings)
    assert LocalServer(settings.local_store).versions("tpm_visite") == before


def test_demo_data_never_reach_a_folder_of_real_data(tmp_path: Path) -> None:
    real = Settings(data=tmp_path, server="central")

    own = jobs.demo_settings(real)

    assert own.server == "local"
    assert own.data == tmp_path / "demo"
    assert jobs.demo_settings(own).data == own.data


def test_an_interrupted_demo_is_finished_and_another_population_is_not_mixed_in(settings: Settings) -> None:
    marker = settings.data / "synthetic.txt"
    assert jobs.demo(settings, seed=1, visits=25).sent == 0

    marker.write_text(f"unfinished {marker.read_text()}")
    assert jobs.demo(settings, seed=1, visits=25).sent > 25
    assert jobs.demo(settings, seed=1, visits=25).sent == 0
    assert [report.seen for report in jobs.refresh(settings).pulled if report.form_id == "tpm_visite"] == [25]

    with pytest.raises(SettingsError, match=r"SET-004 .*other data"):
        jobs.demo(settings, seed=2, visits=25)


def test_a_folder_that_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    kept = tmp_path / "demo" / "private" / "warehouse.duckdb"
    kept.parent.mkdir(parents=True)
    kept.write_text("real")

    with pytest.raises(SettingsError, match=r"SET-004 .*other data"):
        jobs.demo(Settings(data=tmp_path / "demo"), seed=1, visits=1)

    assert kept.read_text() == "real"


def test_what_arrives_between_build_and_publication_is_not_forgotten(settings: Settings) -> None:
    jobs.refresh(settings)
    _visit_again(settings)
    jobs.build(settings)
    jobs.pull(settings, ["tpm_visite"])
    jobs.publish(settings)

    assert not jobs.is_current(settings)


def test_another_pseudonym_key_makes_new_publications(settings: Settings) -> None:
    jobs.refresh(settings)

    assert not jobs.is_current(settings.model_copy(update={"pseudonym_key": SecretStr("another")}))


def test_pages_left_by_a_killed_pull_are_emptied(settings: Settings) -> None:
    left = settings.private / "pull-killed" / "page.json"
    left.parent.mkdir(parents=True)
    left.write_text("personal")

    jobs.pull(settings, ["tpm_visite"])

    assert not left.exists()


def _visit_again(settings: Settings) -> None:
    """Send the first visit once more, as another one."""
    server = LocalServer(settings.local_store)
    form = server.versions("tpm_visite")[-1]
    versions = {form_id: server.versions(form_id)[-1] for form_id in jobs.form_ids()}
    sent = next(item for item in generate(1, 1, versions) if item.form_id == form.form_id)
    other = sent.xml.replace(sent.instance_id.encode(), b"uuid:00000000-0000-4000-8000-000000000001")
    with running(settings.local_store) as address:
        OpenRosaClient(address, settings.timeout_s).submit(other)


class KeepsNoLists(LocalServer):
    """A server that is given the lists for its phones, as KoboToolbox is."""

    def share(self, lists: Lists, *, progress: jobs.Progress = jobs.silent) -> list[Change]:
        progress("lists")
        return [Change("update", f"{one.name}.csv: {len(one.whole.splitlines()) - 1} rows") for one in lists()]


def test_where_the_server_keeps_the_lists_the_warehouse_is_not_even_opened(settings: Settings) -> None:
    settings.private_db.write_text("no database")

    assert jobs.share(settings) == []


def test_a_server_that_keeps_none_is_given_those_of_the_warehouse(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_servers(_settings: Settings) -> dict[Kind, Server]:
        return {"local": KeepsNoLists(settings.local_store)}

    monkeypatch.setattr(jobs, "open_servers", open_servers)
    with pytest.raises(WarehouseError, match=r"WH-054 .*made up"):
        jobs.share(settings)

    settings.synthetic_marker.unlink()
    with pytest.raises(WarehouseError, match=r"WH-053 · tpm_bureau.*tpm refresh"):
        jobs.share(settings)

    jobs.pull(settings, ["tpm_visite"])
    with pytest.raises(WarehouseError, match=r"WH-053 · tpm_bureau.*tpm refresh"):
        jobs.share(settings)

    jobs.pull(settings, jobs.form_ids())
    with pytest.raises(WarehouseError, match=r"WH-050 .*tpm refresh"):
        jobs.share(settings)

    jobs.build(settings)
    told: list[str] = []
    given = jobs.share(settings, told.append)

    assert [change.what.partition(":")[0] for change in given] == ["bureaux.csv", "dossiers.csv", "osc.csv"]
    assert Change("update", "bureaux.csv: 7 rows") in given
    assert told == ["lists"]
