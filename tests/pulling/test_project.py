"""A whole project into raw: what hangs on rows is looked at once, and again when a kill came between."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pulling.office import brought, silent
from tests.servers.conftest import Fake
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.site import Site
from tests.servers.visits import new_id
from tpm_pipeline.pulling import attachments, rows
from tpm_pipeline.pulling.rows import PLAIN, Wishes
from tpm_pipeline.records import MediaFile, PullReport
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data")


def pulled(site: Site, settings: Settings, wishes: Wishes = PLAIN) -> PullReport:
    with db.warehouse(settings) as connection, rows.opened(connection, settings, silent) as into:
        (report,) = brought(site.server, into, [FORM], wishes)
    return report


def column(settings: Settings, sql: str) -> Sequence[str]:
    with db.warehouse(settings) as connection:
        return [row[0] for row in connection.execute(sql).fetchall()]


def photographed(site: Site, *, with_file: bool = True) -> str:
    sent = new_id()
    files = (MediaFile("a.jpg", b"une photo"),) if with_file else ()
    site.submit(dossier(instance_id=sent, photo="a.jpg"), files=files)
    return sent


def test_files_and_cases_come_with_the_rows(site: Site, settings: Settings) -> None:
    site.server.deploy([dossier_form()])
    photographed(site)

    assert pulled(site, settings) == PullReport(FORM, 1, 1, files=1)
    assert column(settings, "select name from raw.attachment") == ["a.jpg"]
    assert pulled(site, settings).files == 0


def test_a_late_file_comes_with_the_next_sweep(central: Site, settings: Settings) -> None:
    central.server.deploy([dossier_form()])
    late = photographed(central, with_file=False)
    pulled(central, settings)
    central.submit(dossier(instance_id=late, photo="a.jpg"), files=(MediaFile("a.jpg", b"une photo"),))

    assert pulled(central, settings).files == 0
    assert pulled(central, settings, Wishes(sweep=True)).files == 1


def test_killed_between_rows_and_files_the_next_pull_brings_the_files(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.server.deploy([dossier_form()])
    pulled(site, settings)
    photographed(site)

    def killed(*_: object, **__: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(attachments, "bring", killed)
        with pytest.raises(KeyboardInterrupt):
            pulled(site, settings)

    assert pulled(site, settings).files == 1


def test_nothing_new_costs_one_request_a_form(fake: Fake, settings: Settings) -> None:
    fake.site.server.deploy([dossier_form()])
    photographed(fake.site)
    for _ in range(2):
        pulled(fake.site, settings)
    fake.central.requests.clear()

    pulled(fake.site, settings)

    asked = [request.partition("/v1/projects/1")[2] for request in fake.central.requests]
    assert asked == ["/forms", f"/forms/{FORM}.svc/Submissions"]


def test_comments_are_asked_for_where_reviewers_write_some(site: Site, settings: Settings) -> None:
    site.server.deploy([dossier_form()])
    first = photographed(site)
    pulled(site, settings)
    site.submit(dossier(instance_id=new_id(), replaces=first, photo="a.jpg"))
    pulled(site, settings)

    tables = column(settings, "select table_name from duckdb_tables() where schema_name = 'raw'")
    assert ("comment_check" in tables) == site.server.has_comments
