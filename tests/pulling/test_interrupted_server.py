"""Servers that forget us, restart, or are cut short on the way: never half an answer in the warehouse."""

import os
import random
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from urllib3.util.retry import Retry

from tests.pulling.cutting import ENDS, NORMAL, End, Proxy, cutting
from tests.servers.conftest import KINDS, TIMEOUT_S, Fake, Kobo, fake, fake_kobo, real_central
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.fake_central import EMAIL, PASSWORD
from tests.servers.fake_kobo import TOKEN
from tests.servers.site import Site
from tests.servers.test_http import answer, raw_server
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.pulling import attachments, rows
from tpm_pipeline.pulling.rows import Wishes
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers import central_page, files
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.kobo import KoboServer
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import attachments as stored
from tpm_pipeline.warehouse import db

__all__ = ["fake", "fake_kobo", "real_central"]

HELD = (
    "select form_id, submission_id, payload from raw.submission order by all",
    "select form_id, version, xform from raw.form_version order by all",
    "select instance_id, name, digest, size from raw.attachment order by all",
)
XFORM = re.compile(r"/forms/\w+/versions/[^/]+\.xml")
CUT = {"SRV-005", *files.DAMAGED}
Tables = list[list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Far:
    """A Central behind a proxy, as an office sees it."""

    site: Site
    proxy: Proxy

    def server(self) -> CentralServer:
        """A new session."""
        near = self.site.server
        assert isinstance(near, CentralServer)
        login = near._api._credentials
        return CentralServer(self.proxy.url, login["email"], login["password"], near._project, TIMEOUT_S)

    def end_session(self, token: str) -> None:
        """Sign another session out."""
        near = self.site.server
        assert isinstance(near, CentralServer)
        near._api.delete(f"/sessions/{token}", tolerate=("403.1",))


@pytest.fixture(params=["fake central", "real central"])
def far(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Far]:
    """Rows of two versions, so that some are read again one by one, and files."""
    with KINDS[request.param](tmp_path) as site:
        server = site.server
        assert isinstance(server, CentralServer)
        server.deploy([visit_form("1", extra="langue"), dossier_form()])
        site.submit(*(visit(more="<langue>fr</langue>") for _ in range(3)))
        server.deploy([visit_form("2")])
        site.submit(*(visit(version="2") for _ in range(3)))
        site.submit(dossier(photo="a.jpg"), files=(MediaFile("a.jpg", bytes(range(256)) * 20),))
        with cutting(server._api.url) as proxy:
            yield Far(site, proxy)


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(central_page.pieces, "__defaults__", (1 << 9,))
    monkeypatch.setattr(central_page, "_FOOT_ROOM", 1 << 9)
    monkeypatch.setattr(rows, "PATIENCE_S", ())


def pull(server: Server, data: Path, progress: Callable[[str], None] = lambda _: None, *, sweep: bool = True) -> None:
    settings = Settings(data=data)
    with db.warehouse(settings) as connection, rows.opened(connection, settings, progress) as into:
        current = server.current()
        for form_id in ("visites", FORM):
            rows.bring(server, into, form_id, current, Wishes(sweep=sweep))
        attachments.bring(server, connection, settings, FORM, progress, sweep=sweep)


def held(data: Path) -> Tables:
    with db.warehouse(Settings(data=data)) as connection:
        stored.create(connection)
        return [connection.execute(sql).fetchall() for sql in HELD]


def kind_of(asked: str) -> str:
    """What a request is for, whatever it names."""
    return re.sub(r"uuid(:|%3A)[\w-]+|\d+(?=/)", "…", asked.partition("?")[0])


def kinds(far: Far, folder: Path) -> tuple[list[str], Tables]:
    """Each kind of request of an undisturbed pull, and what it brings."""
    pull(far.server(), folder / "whole")
    found = [*dict.fromkeys(map(kind_of, far.proxy.asked))]
    assert len(found) >= 9
    return found, held(folder / "whole")


def only_whole(found: Tables, whole: Tables) -> bool:
    """Tell whether each form's rows are all there or none, and everything is as it should be."""
    forms = {row[0] for row in found[0]}
    return found[0] == [row for row in whole[0] if row[0] in forms] and all(
        {*some} <= {*every} for some, every in zip(found, whole, strict=True)
    )


@pytest.mark.parametrize("end", ENDS)
def test_an_answer_cut_anywhere_brings_nothing_and_the_next_try_all(far: Far, tmp_path: Path, end: End) -> None:
    dice = random.Random(end)  # noqa: S311 - not a secret
    found, whole = kinds(far, tmp_path)
    for number, kind in enumerate(found):
        far.proxy.end, far.proxy.cut = end, once(kind, lambda body: body[: dice.randrange(len(body))])
        data = tmp_path / str(number)
        with pytest.raises(ServerUnavailableError) as error:
            pull(far.server(), data)
        assert (kind, error.value.code in CUT, error.value.retryable) == (kind, True, True)
        assert only_whole(held(data), whole)
        assert left(data) == set()

        pull(far.server(), data)
        assert held(data) == whole


@pytest.mark.parametrize("end", NORMAL)
def test_an_xform_cut_with_a_normal_end_is_not_kept(far: Far, tmp_path: Path, end: End) -> None:
    found, whole = kinds(far, tmp_path)
    kind = next(kind for kind in found if XFORM.search(kind))
    far.proxy.end, far.proxy.cut = end, once(kind, lambda body: body[: len(body) // 2])
    with pytest.raises(ServerUnavailableError):
        pull(far.server(), tmp_path / "data")
    pull(far.server(), tmp_path / "data")
    assert held(tmp_path / "data") == whole


def test_an_answer_cut_while_a_pull_is_patient_is_asked_for_again(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, whole = kinds(far, tmp_path)
    monkeypatch.setattr(rows, "PATIENCE_S", (0.0, 0.0))
    repeated = [kind for kind in found if re.search(r"/Submissions$|/submissions$|/submissions/.*\.xml$", kind)]
    assert len(repeated) == 5
    for number, kind in enumerate(repeated):
        far.proxy.cut = once(kind, lambda body: body[: len(body) // 2])
        pull(far.server(), tmp_path / str(number))
        assert held(tmp_path / str(number)) == whole


def test_a_session_that_ends_before_any_request_is_renewed(far: Far, tmp_path: Path) -> None:
    found, whole = kinds(far, tmp_path)
    for number, kind in enumerate(kind for kind in found if "sessions" not in kind):
        server, times = far.server(), iter([True])

        def end_session(asked: str, kind: str = kind, times: Iterator[bool] = times, server: Any = server) -> None:
            if kind_of(asked) == kind and next(times, None):
                far.end_session(server._api._token)

        far.proxy.before = end_session
        pull(server, tmp_path / str(number))
        assert next(times, None) is None
        assert held(tmp_path / str(number)) == whole


def test_a_session_that_ends_between_two_parts_of_an_answer_costs_nothing(far: Far, tmp_path: Path) -> None:
    _, whole = kinds(far, tmp_path)
    server, told = far.server(), list[str]()

    def end_session(message: str) -> None:
        told.append(message)
        if server._api._token:
            far.end_session(server._api._token)

    pull(server, tmp_path / "cut", end_session)

    assert len(told) > 5
    assert held(tmp_path / "cut") == whole


def test_a_server_that_restarts_in_the_middle_of_an_answer_is_waited_for(
    real_central: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = os.environ.get("TPM_TEST_CENTRAL_RESTART")
    if not command:
        pytest.skip("waits for a command that restarts the real ODK Central: TPM_TEST_CENTRAL_RESTART")
    monkeypatch.setattr(rows, "PATIENCE_S", (1.0, 5.0, 30.0))
    real_central.server.deploy([visit_form(), dossier_form()])
    server, told = real_central.server, list[str]()
    assert isinstance(server, CentralServer)
    pull(server, tmp_path / "data")
    # What does not compress and is larger than every buffer is still on the way when the first part is here.
    real_central.submit(*(visit(services=[(os.urandom(60_000).hex(), "1")]) for _ in range(400)))

    def restart(message: str) -> None:
        told.append(message)
        if len(told) == 1:
            subprocess.run(shlex.split(command), check=True, capture_output=True)

    pull(server, tmp_path / "data", restart, sweep=False)

    assert told.count("visites: 1") == 2
    assert told.count("visites: 400") == 1
    assert len(held(tmp_path / "data")[0]) == 400


@pytest.fixture
def busy_kobo(fake_kobo: Kobo, tmp_path: Path) -> Kobo:
    """Two forms with rows and files; what is asked of it is counted from here."""
    fake_kobo.site.server.deploy([visit_form(), dossier_form()])
    fake_kobo.site.submit(*(visit() for _ in range(3)))
    fake_kobo.site.submit(dossier(photo="a.jpg"), files=(MediaFile("a.jpg", bytes(range(256)) * 20),))
    fake_kobo.kobo.requests.clear()
    pull(kobo(fake_kobo.url), tmp_path / "whole")
    return fake_kobo


def kobo(url: str) -> KoboServer:
    return KoboServer(url, TOKEN, "Essai", TIMEOUT_S)


@pytest.mark.parametrize("end", ENDS)
def test_an_answer_of_kobo_cut_anywhere_brings_nothing_and_the_next_try_all(
    busy_kobo: Kobo, tmp_path: Path, end: End
) -> None:
    dice = random.Random(end)  # noqa: S311 - not a secret
    with cutting(busy_kobo.url) as proxy:
        pull(kobo(proxy.url), tmp_path / "far")
        found, whole = [*dict.fromkeys(map(kind_of, proxy.asked))], held(tmp_path / "far")
        assert len(found) >= 8
        # It says neither how long a file is nor its hash: one that ends as it should is whole.
        for number, kind in enumerate(kind for kind in found if end not in NORMAL or "attachments" not in kind):
            proxy.end, proxy.cut = end, once(kind, lambda body: body[: dice.randrange(len(body))])
            data = tmp_path / str(number)
            with pytest.raises(ServerUnavailableError) as error:
                pull(kobo(proxy.url), data)
            assert (kind, error.value.code in CUT) == (kind, True)
            assert only_whole(held(data), whole)
            assert left(data) == set()

            pull(kobo(proxy.url), data)
            assert held(data) == whole


TELL = {"detail": "Request was throttled."}
ANSWERS: dict[str, tuple[Callable[[], Response], str]] = {
    "a failure": (lambda: HTMLResponse("<p>Error", 500), "SRV-007"),
    "a page": (lambda: HTMLResponse("<p>Sign in"), "SRV-004"),
    "no such page": (lambda: HTMLResponse("<p>Error", 404), "SRV-061"),
    "too many requests": (lambda: JSONResponse(TELL, 429, {"Retry-After": "7"}), "SRV-006"),
    "being restarted": (lambda: HTMLResponse("<p>nginx", 503), "SRV-006"),
    "half an answer": (lambda: Response(b'{"count": 9, "results": [{"_id', media_type="application/json"), "SRV-005"),
}


@pytest.mark.parametrize(("bad", "lost"), [*((bad, "request") for bad in ANSWERS), ("a failure", "answer")])
def test_interrupted_at_any_request_of_kobo_a_second_run_finishes(
    busy_kobo: Kobo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: str, lost: str
) -> None:
    waited = set[object]()
    monkeypatch.setattr(Retry, "sleep", lambda self, response=None: waited.add(self.get_retry_after(response)))
    whole, (instead, code) = held(tmp_path / "whole"), ANSWERS[bad]
    asked = [one for one in busy_kobo.kobo.requests if bad != "half an answer" or "attachments" not in one]
    refused = 0
    for number, one in enumerate(asked):
        stubborn = partial(always, one, instead)
        setattr(busy_kobo.kobo, "meddle" if lost == "request" else "lose", stubborn)
        data = tmp_path / str(number)
        refused += code_of(partial(pull, kobo(busy_kobo.url), data)) == code
        assert only_whole(held(data), whole)
        busy_kobo.kobo.meddle, busy_kobo.kobo.lose = (lambda _: None), None

        pull(kobo(busy_kobo.url), data)
        assert held(data) == whole
    # A row or a file that is not there may have been deleted meanwhile.
    assert len(asked) - refused == (2 if bad == "no such page" else 0)
    assert waited == {"too many requests": {7.0}, "being restarted": {None}}.get(bad, set())


def code_of(attempt: Callable[[], None]) -> str:
    try:
        attempt()
    except ServerError as error:
        return error.code
    return ""


def always(asked: str, instead: Callable[[], Response], request: Request) -> Response | None:
    told = unquote(request.url.query)
    path = request.url.path + (f"?{told}" if told else "")
    return instead() if f"{request.method} {path}" == asked else None


STRANGER = answer("200 OK", body=b"[]")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_is_ever_sent_where_a_server_would_send_us(fake: Fake, tmp_path: Path, status: int) -> None:
    found = prepared(fake, tmp_path)
    with raw_server(STRANGER) as (stranger, received):
        for number, kind in enumerate(found):
            detour = RedirectResponse(f"{stranger}/v1/sessions", status)
            fake.central.meddle = partial(instead, kind, detour)
            with pytest.raises(ServerError, match="SRV-008") as error:
                pull(session(fake), tmp_path / str(number))
            assert not error.value.retryable
    assert received == []


def test_a_link_to_a_next_page_elsewhere_is_not_followed(fake: Fake, tmp_path: Path) -> None:
    prepared(fake, tmp_path)
    with raw_server(STRANGER) as (stranger, received):
        page = {"value": [], "@odata.context": "x", "@odata.count": 0, "@odata.nextLink": f"{stranger}/v1/next"}
        fake.central.meddle = partial(instead, "/Submissions", JSONResponse(page))
        with pytest.raises(ServerUnavailableError, match="SRV-015"):
            pull(session(fake), tmp_path / "data")
    assert received == []
    assert held(tmp_path / "data")[0] == []


def prepared(fake: Fake, folder: Path) -> list[str]:
    """Let the fake hold rows of two versions; what a pull asks of it."""
    fake.site.server.deploy([visit_form("1", extra="langue"), dossier_form()])
    fake.site.submit(visit(more="<langue>fr</langue>"))
    fake.site.server.deploy([visit_form("2")])
    fake.site.submit(dossier(photo="a.jpg"), files=(MediaFile("a.jpg", b"x"),))
    fake.central.requests.clear()
    pull(session(fake), folder / "whole")
    return [*dict.fromkeys(map(kind_of, fake.central.requests))]


def session(fake: Fake) -> CentralServer:
    return CentralServer(fake.url, EMAIL, PASSWORD, "Essai", TIMEOUT_S)


def instead(kind: str, response: Response, request: Request) -> Response | None:
    asked = kind_of(f"{request.method} {request.url.path}")
    return response if asked.endswith(kind) else None


def once(kind: str, change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes | None]:
    """Change the first answer to a kind of request."""
    times = iter([True])
    return lambda asked, body: change(body) if kind_of(asked) == kind and next(times, None) else None


def left(data: Path) -> set[str]:
    """What is in the private folder beside the warehouse and the files."""
    return {path.name for path in (data / "private").iterdir()} - {"warehouse.duckdb", "attachments"}
