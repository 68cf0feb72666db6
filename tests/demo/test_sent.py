"""What a server and the warehouse make of the mess: nothing lost, nothing counted twice by itself."""

import pytest

from tpm_pipeline import jobs
from tpm_pipeline.demo import versions
from tpm_pipeline.demo.mess import Mess
from tpm_pipeline.forms import schema
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, privacy, staging


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(_env_file=None, data=tmp_path_factory.mktemp("sent") / "demo")


@pytest.fixture(scope="module")
def sent(settings: Settings) -> Mess:
    found = jobs.demo(settings, seed=2, visits=120)
    jobs.pull(settings, jobs.form_ids())
    return found


def count(settings: Settings, what: str, *where: str) -> int:
    with db.warehouse(settings) as connection:
        return int(db.scalar(connection, f"select {what} from raw.current where {' and '.join(where) or 'true'}"))


def test_bytes_sent_again_and_corrections_make_no_new_submission(settings: Settings, sent: Mess) -> None:
    assert count(settings, "count(distinct submission_id)") == sent.sent - sent.sent_twice - sent.corrections
    assert count(settings, "count(*)", "review_state = 'edited'") == sent.corrections


def test_the_form_changed_on_the_way(settings: Settings, sent: Mess) -> None:
    deployed = LocalServer(settings.local_store).versions(versions.FORM)
    assert len(deployed) == 2
    former = (f"form_id = '{versions.FORM}'", f"form_version = '{deployed[0].version}'")
    edits = count(settings, "count(*)", *former, "review_state = 'edited'")
    assert count(settings, "count(*)", *former) == sent.former_version - edits > 0


def test_staging_unites_both_versions(settings: Settings, sent: Mess) -> None:
    deployed = LocalServer(settings.local_store).versions(versions.FORM)
    united = staging.merge([schema.read(version.xform) for version in deployed])
    with db.warehouse(settings) as connection:
        staging.create(connection)
        staging.build(connection, united, privacy.pads(settings))
        found = connection.execute(
            f"select form_version, count(*), count({versions.ADDED}) from staging.{versions.FORM} group by 1 order by 1"
        ).fetchall()
        assert db.scalar(connection, "select count(*) from staging.misfit") == 0
    (_, before, answered_before), (_, since, answered_since) = found
    assert before > 0 == answered_before
    assert 0 < answered_since <= since
    assert sent.sent > before + since


def test_a_demo_that_is_there_is_not_sent_again(settings: Settings, sent: Mess) -> None:
    assert jobs.demo(settings, seed=2, visits=120) == Mess()
    assert sent.sent > 1000
