"""KoboToolbox's refusals, in JSON and in HTML. On the fake and on the real one."""

from collections.abc import Callable, Iterator

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.servers.conftest import TIMEOUT_S, Kobo
from tests.servers.fake_kobo import OTHER_TOKEN, TOKEN
from tests.servers.kobo_hands import BOB, Hands
from tests.servers.site import Site
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access
from tpm_pipeline.servers.kobo_api import KoboApi, address

PAGE = "<!doctype html><html><body>Bonjour</body></html>"


def api_of(kobo: Kobo) -> KoboApi:
    return KoboApi(kobo.url, TOKEN, TIMEOUT_S)


def test_a_token_it_does_not_know_is_said_without_showing_it(kobo: Site) -> None:
    wrong = "0123" * 10

    with pytest.raises(ServerError, match=r"SRV-060 .*TPM_KOBO_TOKEN") as error:
        KoboApi(Hands(kobo).api.url, wrong, TIMEOUT_S).get("/assets/")

    assert (error.value.retryable, wrong in str(error.value)) == (False, False)


@pytest.mark.parametrize("path", ["/assets/aNobodyHasThis/", "/assets/aNobodyHasThis/files/", "/no/such/place/"])
def test_what_is_not_there_is_told_alike_in_json_and_in_html(kobo: Site, path: str) -> None:
    with pytest.raises(ServerError, match="SRV-061"):
        Hands(kobo).api.get(path)

    assert Hands(kobo).api.get(path, tolerate=(404,)) is None


def test_what_one_may_not_see_is_not_there(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    path = Hands(kobo).assets()["visites"].path

    with pytest.raises(ServerError, match=r"SRV-061 .*share the project"):
        KoboApi(Hands(kobo).api.url, OTHER_TOKEN, TIMEOUT_S).get(path)


def test_a_missing_right_names_who_can_give_it(kobo: Site) -> None:
    kobo.server.deploy([visit_form()], Access(accounts={"AGA01": (BOB,)}))
    path = Hands(kobo).assets()["visites"].path

    with pytest.raises(ServerError, match=r"SRV-062 .*owner"):
        KoboApi(Hands(kobo).api.url, OTHER_TOKEN, TIMEOUT_S).patch(path, {"name": "Chez moi"})


def test_a_refusal_is_passed_on_with_its_words(kobo: Site) -> None:
    with pytest.raises(ServerError, match=r"SRV-063 .*HTTP 400.*asset_type"):
        Hands(kobo).api.post("/assets/", {"name": "Rien"})


def test_an_address_without_its_slash_is_not_followed(kobo: Site) -> None:
    with pytest.raises(ServerError, match="SRV-008"):
        Hands(kobo).api.post("/assets", {"name": "Perdu", "asset_type": "survey"})


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda: HTMLResponse(PAGE), "SRV-004"),
        (lambda: RedirectResponse("https://elsewhere.example.org/", 302), "SRV-008"),
        (lambda: HTMLResponse(PAGE, 500), "SRV-007"),
        (lambda: HTMLResponse(PAGE, 410), "SRV-063"),
        (lambda: HTMLResponse(PAGE, 404), "SRV-061"),
        (lambda: JSONResponse({"detail": "Gone"}, 410), "SRV-063"),
        (lambda: Response(b'{"count": 1, "resul', media_type="application/json"), "SRV-005"),
        (lambda: Response(b'{"detail": "M', 400, media_type="application/json"), "SRV-063"),
        (lambda: Response(b"", 400), "SRV-063"),
    ],
)
def test_every_answer_that_is_none_has_its_code(fake_kobo: Kobo, answer: Callable[[], Response], code: str) -> None:
    fake_kobo.kobo.meddle = lambda _: answer()

    with pytest.raises(ServerError, match=code) as error:
        fake_kobo.site.server.plan([visit_form()])

    assert TOKEN not in str(error.value)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_server_that_is_overloaded_is_asked_again_after_a_while(fake_kobo: Kobo, status: int) -> None:
    refusals: Iterator[Response | None] = iter([JSONResponse({"detail": "throttled"}, status, {"Retry-After": "0"})])
    fake_kobo.kobo.meddle = lambda _: next(refusals, None)

    assert api_of(fake_kobo).get("/assets/")["count"] == 0
    assert len(fake_kobo.kobo.requests) == 2

    fake_kobo.kobo.meddle = lambda _: JSONResponse({"detail": "throttled"}, status, {"Retry-After": "0"})
    with pytest.raises(ServerError, match=rf"SRV-006 .*{status}") as error:
        api_of(fake_kobo).get("/assets/")
    assert error.value.retryable
    assert len(fake_kobo.kobo.requests) == 6


def test_what_is_sent_is_never_sent_twice_by_itself(fake_kobo: Kobo) -> None:
    fake_kobo.kobo.meddle = lambda _: JSONResponse({"detail": "throttled"}, 503, {"Retry-After": "0"})

    with pytest.raises(ServerError, match="SRV-006"):
        api_of(fake_kobo).post("/assets/", {"name": "Une fois", "asset_type": "survey"})

    assert len(fake_kobo.kobo.requests) == 1


def test_no_message_shows_the_token_or_an_address(fake_kobo: Kobo) -> None:
    said = {"detail": "«amina@example.org» is no such user, nor is (binta@example.org)."}
    fake_kobo.kobo.meddle = lambda _: JSONResponse(said, 400)

    with pytest.raises(ServerError, match=r"SRV-063 .*is no such user") as error:
        api_of(fake_kobo).get("/assets/")

    assert not {word for word in ("amina", "binta", "@", TOKEN) if word in str(error.value)}


@pytest.mark.parametrize("said", [["Un mot"], "Un mot", {"error": "Un mot"}, {"detail": "Un mot"}, {"nom": ["Un mot"]}])
def test_its_words_are_found_wherever_it_puts_them(fake_kobo: Kobo, said: object) -> None:
    fake_kobo.kobo.meddle = lambda _: JSONResponse(said, 400)

    with pytest.raises(ServerError, match=r"SRV-063 .*Un mot"):
        api_of(fake_kobo).get("/assets/")


def test_it_is_asked_for_json_in_a_header_and_nothing_is_sent_back(fake_kobo: Kobo) -> None:
    site = fake_kobo.site
    site.server.deploy([visit_form()])
    site.submit(visit())
    site.pull()

    assert not [request for request in fake_kobo.kobo.requests if "format=" in request]
    asked = [headers for headers in fake_kobo.kobo.headers if "x-openrosa-version" not in headers]
    assert {headers["accept"] for headers in asked} == {"application/json"}
    assert not [headers for headers in asked if "cookie" in headers]


def test_every_address_ends_with_a_slash(fake_kobo: Kobo) -> None:
    site = fake_kobo.site
    site.server.deploy([visit_form()], Access(accounts={"AGA01": (BOB,)}))
    site.submit(visit())
    site.pull()
    site.sweep()

    paths = {request.partition(" ")[2].partition("?")[0] for request in fake_kobo.kobo.requests}
    assert {path for path in paths if not path.endswith("/")} == {"/submission"}
    assert address("data", "uuid:é/1 ?") == "/data/uuid%3A%C3%A9%2F1%20%3F/"


def test_a_long_list_is_read_to_its_end(fake_kobo: Kobo) -> None:
    for number in range(7):
        asset = fake_kobo.kobo.new_asset("alice", f"Projet {number}", "survey")
        fake_kobo.kobo.new_version(asset, {"survey": [], "settings": {}})

    found = [row["name"] for row in api_of(fake_kobo).all("/assets/", together=3)]

    assert sorted(found) == [f"Projet {number}" for number in range(7)]
    assert len(fake_kobo.kobo.requests) == 3


def test_a_server_that_gives_fewer_than_asked_for_is_read_to_the_end_too(fake_kobo: Kobo) -> None:
    def few(request: Request) -> Response:
        start = int(request.query_params["start"])
        return JSONResponse({"count": 5, "results": [*range(start, min(start + 2, 5))]})

    fake_kobo.kobo.meddle = few

    assert [*api_of(fake_kobo).all("/assets/")] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("said", [{"count": 12, "results": []}, {"count": 12}, {"results": [1]}, ["count"], None])
def test_a_list_that_is_not_whole_is_not_believed(fake_kobo: Kobo, said: object) -> None:
    fake_kobo.kobo.meddle = lambda _: JSONResponse(said)

    with pytest.raises(ServerError, match="SRV-005"):
        [*api_of(fake_kobo).all("/assets/")]


def test_nothing_is_sent_before_it_is_needed(fake_kobo: Kobo) -> None:
    def refuse(_: Request) -> Response:
        raise AssertionError

    fake_kobo.kobo.meddle = refuse
    api_of(fake_kobo)

    assert fake_kobo.kobo.requests == []
