"""Bad servers: each gives a coded error that says whether trying again can help, and shows no secret."""

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.http import Http

_JSON = b"Content-Type: application/json\r\n"


@contextmanager
def raw_server(*answers: bytes, hang: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """Answer each connection with the next bytes (the last for ever), then close it; `hang` leaves it open."""
    received: list[bytes] = []
    kept: list[socket.socket] = []

    def serve() -> None:
        remaining = list(answers)
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            received.append(connection.recv(65536))
            connection.sendall(remaining[0])
            remaining = remaining[1:] or remaining
            if hang:
                kept.append(connection)
            else:
                connection.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", received
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()
    for connection in kept:
        connection.close()


def answer(status: str, headers: bytes = _JSON, body: bytes = b"{}") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 " + status.encode() + b"\r\n" + headers + length + b"Connection: close\r\n\r\n" + body


def failure(url: str, method: str = "GET", *, timeout_s: float = 5) -> ServerError:
    """The error of asking for JSON at an address full of secrets."""
    with pytest.raises(ServerError) as error:
        Http(url, timeout_s).send(method, "/v1/key/t0ken/x", query={"filter": "s3cret"}, body=b"pa55").json()
    shown = str(error.value) + repr(error.value)
    assert not [secret for secret in ("t0ken", "s3cret", "pa55", "m0re") if secret in shown]
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error.value


def test_a_server_that_is_down_can_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    error = failure(f"http://127.0.0.1:{port}")

    assert error.code == "SRV-001"
    assert error.retryable
    assert f"127.0.0.1:{port}" in error.where


def test_a_silent_server_is_given_up_after_the_timeout() -> None:
    with raw_server(b"", hang=True) as (url, received):
        error = failure(url, timeout_s=0.2)

    assert (error.code, error.retryable) == ("SRV-002", True)
    assert len(received) == 2


def test_a_server_that_falls_silent_in_mid_answer_is_given_up_too() -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\n" + _JSON + b"Content-Length: 99\r\n\r\n{", hang=True) as (url, _):
        error = failure(url, timeout_s=0.2)

    assert (error.code, error.retryable) == ("SRV-002", True)


def test_a_server_without_tls_where_tls_is_expected_is_not_tried_again() -> None:
    with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (url, _):
        error = failure(url.replace("http:", "https:"))

    assert (error.code, error.retryable) == ("SRV-003", False)


def test_html_is_never_taken_for_json() -> None:
    with raw_server(answer("200 OK", b"Content-Type: text/html\r\n", b"<!doctype html>")) as (url, _):
        error = failure(url)

    assert (error.code, error.retryable) == ("SRV-004", False)
    assert "text/html" in error.cause


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\n" + _JSON + b"Content-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n" + _JSON + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        answer("200 OK", body=b'{"value":['),
        answer("200 OK", _JSON + b"Content-Encoding: gzip\r\n", b"not gzip"),
    ],
    ids=["length", "chunks", "json", "gzip"],
)
def test_a_body_that_is_cut_is_never_taken_for_whole(cut: bytes) -> None:
    with raw_server(cut) as (url, _):
        error = failure(url)

    assert (error.code, error.retryable) == ("SRV-005", True)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "502 Bad Gateway", "503 Unavailable", "504 Timeout"])
def test_reading_is_repeated_while_a_server_restarts(status: str) -> None:
    busy = answer(status, b"Content-Type: text/html\r\nRetry-After: 0\r\n")
    with raw_server(busy, busy, answer("200 OK", body=b'{"ok":1}')) as (url, received):
        assert Http(url, 5).send("GET", "/").json() == {"ok": 1}

    assert len(received) == 3


def test_a_server_that_stays_busy_can_be_tried_again_later() -> None:
    with raw_server(answer("503 Unavailable", b"Retry-After: 0\r\n")) as (url, received):
        error = failure(url)

    assert (error.code, error.retryable) == ("SRV-006", True)
    assert len(received) == 4


def test_sending_is_never_repeated() -> None:
    with raw_server(answer("503 Unavailable", b"Retry-After: 0\r\n")) as (url, received):
        error = failure(url, "POST")

    assert error.code == "SRV-006"
    assert len(received) == 1


def test_a_stumble_is_not_repeated_at_once_and_only_reading_may_be_tried_later() -> None:
    with raw_server(answer("500 Internal Server Error")) as (url, received):
        reading, sending = failure(url), failure(url, "POST")

    assert (reading.code, reading.retryable) == ("SRV-007", True)
    assert (sending.code, sending.retryable) == ("SRV-007", False)
    assert len(received) == 2


def test_what_a_server_does_not_implement_is_not_tried_again() -> None:
    with raw_server(answer("501 Not Implemented")) as (url, _):
        assert (failure(url).code, failure(url).retryable) == ("SRV-007", False)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_named_and_not_followed(status: str) -> None:
    with raw_server(answer("200 OK")) as (other, stolen):
        target = other.replace("http://", "http://m0re:m0re@") + "/m0re?m0re"
        with raw_server(answer(status, b"Location: " + target.encode() + b"\r\n")) as (url, _):
            error = failure(url)

    assert (error.code, error.retryable) == ("SRV-008", False)
    assert other in error.cause
    assert stolen == []


@pytest.mark.parametrize("url", ["", "odk.example.org", "ftp://odk.example.org", "http://", "file:///etc"])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ServerError, match="SRV-009"):
        Http(url, 5)


def test_credentials_in_an_address_are_neither_sent_nor_shown() -> None:
    with raw_server(answer("200 OK")) as (url, received):
        door = Http(url.replace("http://", "http://user:pa55@"), 5)
        door.send("GET", "/")

    assert "pa55" not in door.where + door.url
    assert b"Authorization" not in received[0]


def test_a_netrc_does_not_replace_our_authorization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with raw_server(answer("200 OK")) as (url, received):
        Http(url, 5).send("GET", "/", headers={"Authorization": "Bearer ours"})

    assert b"Authorization: Bearer ours\r\n" in received[0]


def test_cookies_are_not_kept() -> None:
    with raw_server(answer("200 OK", b"Set-Cookie: session=abc; Path=/\r\n")) as (url, received):
        door = Http(url, 5)
        door.send("GET", "/")
        door.send("GET", "/")

    assert b"cookie" not in received[1].lower()


@pytest.mark.parametrize("raised", [errno.ENOSPC, errno.EACCES])
def test_a_full_disk_is_told_from_other_trouble_with_files(raised: int) -> None:
    def keep() -> None:
        with Http(url, 5).stream("GET", "/"):
            raise OSError(raised, "the disk's message")

    expected: dict[int, type[Exception]] = {errno.ENOSPC: ServerError, errno.EACCES: PermissionError}
    with raw_server(answer("200 OK")) as (url, _), pytest.raises(expected[raised]) as error:
        keep()

    if isinstance(error.value, ServerError):
        assert (error.value.code, error.value.retryable) == ("SRV-012", False)
