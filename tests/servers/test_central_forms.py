"""Deploying to Central: drafts, files, entity lists, interruptions. On the fake and on the real one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.servers.conftest import Fake, Site
from tests.servers.fake_central import FakeCentral
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.central_api import CentralApi

_COUNTRIES = MediaFile("pays.csv", b"name,label\nml,Mali\n")


def api_of(site: Site) -> tuple[CentralApi, str]:
    """The server's session, and the path of its project."""
    assert isinstance(site.server, CentralServer)
    return site.server._api, f"/projects/{site.server._find_project()}"


def test_a_missing_project_is_part_of_the_plan(central: Site) -> None:
    planned = central.server.plan([visit_form()])

    assert [(change.action, change.what.split()[0]) for change in planned] == [
        ("create", "project"),
        ("create", "visites"),
    ]
    assert isinstance(central.server, CentralServer)
    assert central.server._find_project() is None


def test_files_are_uploaded_and_entity_lists_left_to_central(central: Site) -> None:
    makes = visit_form(form_id="visites", creates="dossiers", reads=["dossiers"], files=[_COUNTRIES])
    reads = visit_form(form_id="suivis", reads=["dossiers"], files=[_COUNTRIES])

    central.server.deploy([reads, makes])

    api, project = api_of(central)
    for form_id in ("visites", "suivis"):
        api.upload(
            f"{project}/forms/{form_id}/draft", (makes if form_id == "visites" else reads).xform, "application/xml"
        )
        files = {file["name"]: file for file in api.get(f"{project}/forms/{form_id}/draft/attachments")}
        assert (files["dossiers.csv"]["datasetExists"], files["dossiers.csv"]["blobExists"]) == (True, False)
        assert (files["pays.csv"]["datasetExists"], files["pays.csv"]["blobExists"]) == (False, True)


def test_a_list_takes_the_place_of_a_file_uploaded_before_it_existed(central: Site) -> None:
    seed = MediaFile("dossiers.csv", b"name,label\n")
    central.server.deploy([visit_form("1", form_id="suivis", files=[seed])])
    central.server.deploy([visit_form(creates="dossiers"), visit_form("2", form_id="suivis", files=[seed])])

    api, project = api_of(central)
    api.upload(
        f"{project}/forms/suivis/draft", visit_form("3", form_id="suivis", files=[seed]).xform, "application/xml"
    )
    (file,) = api.get(f"{project}/forms/suivis/draft/attachments")
    assert (file["datasetExists"], file["blobExists"]) == (True, False)


def test_a_file_nobody_brings_stops_the_form_before_it_is_published(central: Site) -> None:
    with pytest.raises(ServerError) as error:
        central.server.deploy([visit_form(reads=["dossiers"])])

    assert error.value.code == "SRV-017"
    assert "dossiers.csv" in error.value.cause
    assert central.server.versions("visites") == []


def test_a_draft_left_by_an_interrupted_deployment_is_replaced(central: Site) -> None:
    with pytest.raises(ServerError, match="SRV-017"):
        central.server.deploy([visit_form(reads=["dossiers"])])

    assert [change.action for change in central.server.deploy([visit_form()])] == ["create"]
    assert [version.xform for version in central.server.versions("visites")] == [visit_form().xform]


def test_a_draft_beside_a_published_version_is_replaced(central: Site) -> None:
    central.server.deploy([visit_form("1")])
    with pytest.raises(ServerError, match="SRV-017"):
        central.server.deploy([visit_form("2", reads=["dossiers"])])

    central.server.deploy([visit_form("3")])

    assert [version.version for version in central.server.versions("visites")] == ["1", "3"]


def test_a_question_dropped_or_moved_does_not_stop_a_deployment(central: Site) -> None:
    central.server.deploy([visit_form("1", extra="langue")])

    assert [change.action for change in central.server.deploy([visit_form("2")])] == ["update"]


def test_going_back_to_a_former_version_is_explained(central: Site) -> None:
    central.server.deploy([visit_form("1")])
    central.server.deploy([visit_form("2")])

    for attempt in (central.server.plan, central.server.deploy):
        with pytest.raises(ServerError, match="SRV-016"):
            attempt([visit_form("1")])


def test_the_empty_version_has_an_address_too(central: Site) -> None:
    central.server.deploy([visit_form("")])

    assert [version.xform for version in central.server.versions("visites")] == [visit_form("").xform]


@pytest.mark.parametrize(("lost", "steps"), [("request", 10), ("answer", 8)])
def test_interrupted_at_any_request_a_second_deployment_finishes(fake: Fake, lost: str, steps: int) -> None:
    form = visit_form(files=[_COUNTRIES])
    fake.site.server.plan([form])

    for step in range(steps):
        fake.central.projects.clear()
        with interrupted(fake.central, lost, step), pytest.raises(ServerError, match="SRV-007"):
            fake.site.server.deploy([form])

        fake.site.server.deploy([form])

        assert [change.action for change in fake.site.server.plan([form])] == ["none"]
        assert [version.xform for version in fake.site.server.versions("visites")] == [form.xform]


@contextmanager
def interrupted(central: FakeCentral, lost: str, step: int) -> Iterator[None]:
    """Lose a request before Central sees it, or its answer after a success, once `step` went well."""
    well = iter(range(step))

    def fail(_: Request) -> Response | None:
        return None if next(well, None) is not None else JSONResponse({"message": "Internal Server Error"}, 500)

    central.meddle, central.lose = (fail, None) if lost == "request" else (lambda _: None, fail)
    yield
    central.meddle, central.lose = lambda _: None, None
