"""Central's session and its refusals."""

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.servers.conftest import TIMEOUT_S, Fake
from tests.servers.fake_central import EMAIL, PASSWORD
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.central_api import CentralApi, address


def test_nothing_is_sent_before_it_is_needed_and_one_session_serves_all(fake: Fake) -> None:
    api = CentralApi(fake.url, EMAIL, PASSWORD, TIMEOUT_S)
    assert fake.central.requests == []

    api.get("/projects")
    api.get("/projects")

    assert fake.central.requests == ["POST /v1/sessions", "GET /v1/projects", "GET /v1/projects"]


def test_the_cookie_of_the_session_is_never_sent_back(fake: Fake) -> None:
    CentralApi(fake.url, EMAIL, PASSWORD, TIMEOUT_S).get("/projects")

    assert not [headers for headers in fake.central.headers if "cookie" in headers]


def test_a_refused_password_is_said_without_showing_it(fake: Fake) -> None:
    with pytest.raises(ServerError) as error:
        CentralApi(fake.url, EMAIL, "wrong-pass", TIMEOUT_S).get("/projects")

    assert (error.value.code, error.value.retryable) == ("SRV-010", False)
    assert "wrong-pass" not in str(error.value)
    assert EMAIL not in str(error.value)
    assert fake.central.requests == ["POST /v1/sessions"]


def test_a_session_that_ends_in_mid_work_is_renewed_once(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])
    fake.site.submit(visit())
    fake.central.sessions.clear()

    rows, _ = fake.site.pull()

    assert len(rows) == 1
    assert fake.central.requests.count("POST /v1/sessions") == 2


def test_a_session_that_is_never_accepted_is_given_up(fake: Fake) -> None:
    def refuse(request: Request) -> Response | None:
        refusal = JSONResponse({"message": "Could not authenticate …", "code": 401.2}, 401)
        return None if request.url.path == "/v1/sessions" else refusal

    fake.central.meddle = refuse

    with pytest.raises(ServerError, match="SRV-010"):
        fake.site.pull()
    assert fake.central.requests.count("POST /v1/sessions") == 2


def test_a_missing_right_names_the_role_to_give(fake: Fake) -> None:
    refusal = {"message": "The authentication you provided does not have rights to perform that action.", "code": 403.1}
    fake.central.meddle = lambda request: JSONResponse(refusal, 403) if "sessions" not in request.url.path else None

    with pytest.raises(ServerError, match=r"SRV-011.*project manager"):
        fake.site.server.plan([visit_form()])


def test_a_refusal_is_passed_on_with_centrals_code(fake: Fake) -> None:
    with pytest.raises(ServerError, match=r"SRV-013.*409\.6"):
        _publish_twice(fake)


def test_a_front_end_page_in_the_place_of_the_api_is_recognised(fake: Fake) -> None:
    fake.central.meddle = lambda _: HTMLResponse("<!doctype html><title>ODK Central</title>")

    with pytest.raises(ServerError, match="SRV-004"):
        fake.site.server.plan([visit_form()])


def test_a_page_in_the_place_of_an_xform_is_recognised(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])
    page = HTMLResponse("<!doctype html>")
    fake.central.meddle = lambda request: page if request.url.path.endswith(".xml") else None

    with pytest.raises(ServerError, match="SRV-004"):
        fake.site.server.versions("visites")


def test_ids_are_percent_encoded_whatever_they_hold() -> None:
    assert address("projects", 3, "forms", "é/1 ?") == "/projects/3/forms/%C3%A9%2F1%20%3F"


def _publish_twice(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])
    api = CentralApi(fake.url, EMAIL, PASSWORD, TIMEOUT_S)
    api.upload("/projects/1/forms/visites/draft", visit_form().xform, "application/xml")
    api.post("/projects/1/forms/visites/draft/publish")


def test_a_server_that_stumbles_while_we_sign_in_may_be_tried_again(fake: Fake) -> None:
    fake.central.meddle = lambda _: JSONResponse({"message": "Internal Server Error"}, 500)

    with pytest.raises(ServerError, match="SRV-007") as error:
        CentralApi(fake.url, EMAIL, PASSWORD, TIMEOUT_S).get("/projects")
    assert error.value.retryable
