"""Pulling from Central: what its cursor cannot lose. On the fake and on the real one."""

import json
import resource
from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.servers.conftest import TIMEOUT_S, Fake
from tests.servers.fake_central import EMAIL
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.servers import central_rows
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.central_rows import OVERLAP


def state(site: Site, row: dict[str, Any]) -> str:
    dialect = site.server.dialect
    return dialect.review_states[site.field(row, dialect.review_state) or ""]


def test_its_name_tells_the_project_and_no_secret() -> None:
    server = CentralServer("https://someone:s3cret@odk.example.org/", EMAIL, "pa55", "TPM", TIMEOUT_S)

    assert server.name == "central https://odk.example.org «TPM»"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("hasIssues", "has_issues"), ("rejected", "rejected"), ("approved", "approved"), ("edited", "edited")],
)
def test_a_review_is_pulled(central: Site, theirs: str, ours: str) -> None:
    central.server.deploy([visit_form()])
    sent = new_id()
    central.submit(visit(instance_id=sent))
    _, cursor = central.pull()

    api, project = api_of(central)
    api.patch(f"{project}/forms/visites/submissions/{sent}", {"reviewState": theirs})

    (row,), _ = central.pull(cursor)
    assert state(central, row) == ours


def test_a_deletion_is_pulled_on_the_first_pull_and_later(central: Site) -> None:
    central.server.deploy([visit_form()])
    kept, deleted = new_id(), new_id()
    central.submit(visit(instance_id=kept), visit(instance_id=deleted))
    _, cursor = central.pull()

    api, project = api_of(central)
    api.delete(f"{project}/forms/visites/submissions/{deleted}")

    for since in (None, cursor):
        rows, _ = central.pull(since)
        gone = [row["__id"] for row in rows if central.field(row, central.server.dialect.deleted_at)]
        assert gone == [deleted]
        assert {row["__id"] for row in rows} == {kept, deleted}


def test_a_deleted_submission_cannot_be_sent_again(central: Site) -> None:
    central.server.deploy([visit_form()])
    sent = new_id()
    central.submit(visit(instance_id=sent))
    api, project = api_of(central)
    api.delete(f"{project}/forms/visites/submissions/{sent}")

    with pytest.raises(ServerError, match=r"SRV-020.*409.*deleted"):
        central.submit(visit(instance_id=sent))


def test_a_draft_is_not_a_form_to_pull(central: Site) -> None:
    with pytest.raises(ServerError, match="SRV-017"):
        central.server.deploy([visit_form(reads=["dossiers"])])

    with pytest.raises(ServerError, match="SRV-014"):
        central.pull()


def test_the_answers_that_do_not_fit_are_null(central: Site) -> None:
    central.server.deploy([visit_form()])
    central.submit(visit(persons="abc"))

    (row,), _ = central.pull()

    assert row["nb_personnes"] is None


def test_an_app_user_is_made_once_and_may_fill_forms_deployed_later(central: Site) -> None:
    assert isinstance(central.server, CentralServer)
    central.server.deploy([visit_form()])
    first = central.server.app_user("téléphone 1")
    central.server.deploy([visit_form(form_id="suivis")])

    assert central.server.app_user("téléphone 1") == first
    assert central.server.app_user("téléphone 2").url != first.url
    assert "/key/" not in repr(first)
    central.submit(visit(form_id="suivis"))
    assert len(central.pull(form_id="suivis")[0]) == 1


@pytest.mark.parametrize("late_by", [timedelta(seconds=5), timedelta(minutes=9)], ids=str)
def test_a_row_that_shows_late_is_not_lost(fake: Fake, late_by: timedelta) -> None:
    fake.site.server.deploy([visit_form()])
    fake.site.submit(visit())
    _, cursor = fake.site.pull()
    late = new_id()
    fake.central.ago = late_by
    fake.site.submit(visit(instance_id=late))

    rows, _ = fake.site.pull(cursor)

    assert late in {row["__id"] for row in rows}


def test_what_is_older_than_the_overlap_does_not_come_again(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central_rows, "WINDOW", 1)
    fake.site.server.deploy([visit_form()])
    fake.central.ago = OVERLAP + timedelta(minutes=1)
    fake.site.submit(visit())
    fake.central.ago = timedelta()
    recent = new_id()
    fake.site.submit(visit(instance_id=recent))
    _, cursor = fake.site.pull()

    rows, _ = fake.site.pull(cursor)

    assert [row["__id"] for row in rows] == [recent]


@pytest.mark.parametrize("cursor", ["", "7", "{}", '{"latest":7}', '{"latest":"yesterday"}'])
def test_a_cursor_of_another_server_is_refused(fake: Fake, cursor: str) -> None:
    fake.site.server.deploy([visit_form()])

    with pytest.raises(ServerError, match="SRV-019"):
        fake.site.pull(cursor)


def test_two_projects_of_one_name_are_not_guessed_between(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])
    fake.central.add_project(json.dumps({"name": "Essai"}).encode())

    with pytest.raises(ServerError, match="SRV-018"):
        fake.site.pull()


def test_a_wrong_count_is_not_believed_and_leaves_no_file(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])
    fake.site.submit(visit())
    fake.central.extra = 3

    with pytest.raises(ServerUnavailableError, match="SRV-015"):
        fake.site.pull()
    assert list(fake.site.folder.iterdir()) == []


_OK = '{"value":[{"a":1,"__system":{"submissionDate":"2026-01-01T00:00:00.000Z"}}'
_BAD: dict[str, tuple[Response, str]] = {
    "cut without a sign": (Response(_OK, media_type="application/json"), "SRV-005"),
    "cut with a sign": (Response(_OK, headers={"Content-Length": "999"}, media_type="application/json"), "SRV-005"),
    "html": (HTMLResponse("<!doctype html>"), "SRV-004"),
    "elsewhere": (RedirectResponse("https://elsewhere.example/v1"), "SRV-008"),
    "stumbling": (JSONResponse({"message": "Internal Server Error"}, 500), "SRV-007"),
    "proxy": (HTMLResponse("<h1>502</h1>", 502, {"Retry-After": "0"}), "SRV-006"),
}


@pytest.mark.parametrize("bad", list(_BAD))
def test_a_bad_answer_is_coded_and_leaves_no_file(fake: Fake, bad: str) -> None:
    fake.site.server.deploy([visit_form()])
    answer, code = _BAD[bad]

    def meddle(request: Request) -> Response | None:
        return answer if "Submissions" in request.url.path else None

    fake.central.meddle = meddle
    with pytest.raises(ServerError, match=code):
        fake.site.pull()
    assert list(fake.site.folder.iterdir()) == []


def test_a_full_disk_is_coded_and_leaves_no_file(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])
    fake.site.submit(visit())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(ServerError, match="SRV-012") as error:
            fake.site.pull()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert not error.value.retryable
    assert list(fake.site.folder.iterdir()) == []


def test_there_is_no_app_user_before_the_first_deployment(fake: Fake) -> None:
    assert isinstance(fake.site.server, CentralServer)
    with pytest.raises(ServerError, match="SRV-014"):
        fake.site.server.app_user("téléphone 1")


def test_a_project_deleted_and_made_again_is_found(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])
    assert fake.site.server.current() == {"visites": ("1",)}
    fake.central.projects.clear()

    assert fake.site.server.current() == {}
    fake.site.server.deploy([visit_form("2")])
    assert fake.site.server.current() == {"visites": ("2",)}
