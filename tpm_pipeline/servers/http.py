"""The only HTTP door: time-outs always, few retries, no cookies, no credentials to another origin."""

import errno
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, ReadTimeoutError
from urllib3.util.retry import Retry

from tpm_pipeline.errors import ServerError, ServerUnavailableError

_CONNECT_S = 10.0
_CHUNK = 1 << 18
_FULL_DISK = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
# Only idempotent methods are repeated (urllib3's default). A 500 is not: some of Central's come from the request
# itself and would fail each time. One repeated read is enough for a kept-alive connection that the server closed.
_RETRY = Retry(
    total=3,
    read=1,
    backoff_factor=0.3,
    status_forcelist=(429, 502, 503, 504),
    raise_on_status=False,
    retry_after_max=30,
)


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    where: str
    status: int
    media_type: str
    body: bytes

    def json(self) -> Any:
        """Read the body as the JSON it must be."""
        expect(self.where, self.media_type, "application/json")
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            raise cut(self.where) from None


@dataclass(frozen=True)
class Stream:
    """An answer whose body is still arriving. `etag` names what it holds, where the server says so."""

    where: str
    status: int
    media_type: str
    chunks: Iterator[bytes]
    etag: str | None = None

    def read(self) -> Reply:
        """Take the whole body into memory: for errors and short answers."""
        return Reply(self.where, self.status, self.media_type, b"".join(self.chunks))


Parts = Sequence[tuple[str, tuple[str | None, bytes, str]]]
"""The parts of a multipart body: each its name, then its file name if it is a file, its content and its media type."""


class Sent(TypedDict, total=False):
    """What may go with a request."""

    query: Mapping[str, str] | None
    headers: Mapping[str, str] | None
    body: bytes | None
    files: Parts | None


class Http:
    """One server's door. `where` is the server's origin: all of its address that a message may show."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self.where = _origin(url)
        self.url = self.where + urlsplit(url).path.rstrip("/")
        self._timeouts = (_CONNECT_S, timeout_s)
        self._session = requests.Session()
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.auth = _leave_authorization  # else requests prefers a ~/.netrc to our header
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_RETRY))

    def send(self, method: str, path: str, **sent: Unpack[Sent]) -> Reply:
        """Exchange a request for a whole answer, whatever its status below 500."""
        with self.stream(method, path, **sent) as answer:
            return answer.read()

    @contextmanager
    def stream(self, method: str, path: str, **sent: Unpack[Sent]) -> Iterator[Stream]:
        """Open an answer and let its body be read in pieces, decoded."""
        with (
            _coded(self.where),
            self._session.request(
                method,
                self.url + path,
                params=sent.get("query"),
                headers={"Accept-Encoding": "gzip", **(sent.get("headers") or {})},
                data=sent.get("body"),
                files=sent.get("files"),
                timeout=self._timeouts,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            _refuse_detours(self.where, method, response)
            media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if response.status_code == requests.codes.not_modified:
                _ = response.content  # nothing, but only what was read to its end keeps the connection
            chunks = response.iter_content(_CHUNK)
            yield Stream(self.where, response.status_code, media_type, chunks, response.headers.get("ETag"))


def expect(where: str, media_type: str, wanted: str) -> None:
    """Refuse an answer of another media type: a proxy's page, a front end's, a captive portal's."""
    if media_type != wanted:
        raise ServerError(
            "SRV-004",
            where,
            f"It answered {media_type or 'nothing'} instead of {wanted}.",
            "Check the server's address.",
        )


def cut(where: str) -> ServerError:
    """The error for a body that ended too early."""
    return ServerUnavailableError("SRV-005", where, "The answer was cut off.", "Nothing of it is kept; try again.")


@contextmanager
def kept(target: Path) -> Iterator[None]:
    """Leave nothing of a file that could not be written whole."""
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        cause, remedy = "This is not the address of a server.", "Give one like https://odk.example.org."
        raise ServerError("SRV-009", parts.hostname or "the server's address", cause, remedy)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _leave_authorization(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _refuse_detours(where: str, method: str, response: requests.Response) -> None:
    status = response.status_code
    if response.is_redirect:
        target = urlsplit(response.headers["Location"])
        cause = f"It sends us on to {target.scheme}://{target.netloc.rpartition('@')[2]}." if target.netloc else ""
        cause = cause or "It sends us on to another page."
        raise ServerError("SRV-008", where, cause, "If that is the server, make it the configured address.")
    if status in _RETRY.status_forcelist:
        cause = f"It is overloaded or being restarted (HTTP {status})."
        raise ServerUnavailableError("SRV-006", where, cause, "Try again in a few minutes.")
    if status >= requests.codes.internal_server_error:
        # A database that is down and a request that makes the server stumble look the same. Reading
        # again does no harm, so a flow may try; what was sent to be stored is left to a person.
        kind = (
            ServerUnavailableError
            if method == "GET" and status == requests.codes.internal_server_error
            else ServerError
        )
        raise kind("SRV-007", where, f"It failed (HTTP {status}).", "Look at the server's log if it lasts.")


@contextmanager
def _coded(where: str) -> Iterator[None]:
    # `from None` because the library's messages hold the whole address: tokens, filters.
    try:
        yield
    except requests.exceptions.SSLError:
        cause, remedy = "Its TLS certificate or protocol is not accepted.", "Check the address and the certificate."
        raise ServerError("SRV-003", where, cause, remedy) from None
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
        raise cut(where) from None
    except requests.RequestException as error:
        if isinstance(error, requests.Timeout) or _timed_out(error):
            raise ServerUnavailableError("SRV-002", where, "It did not answer in time.", "Try again later.") from None
        remedy = "Check the address, the network and that the server is started."
        raise ServerUnavailableError("SRV-001", where, "It cannot be reached.", remedy) from None
    except OSError as error:
        if error.errno not in _FULL_DISK:
            raise
        raise ServerError("SRV-012", where, "The disk is full: its answer cannot be kept.", "Make room.") from None


def _timed_out(error: requests.RequestException) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause.reason if isinstance(cause, MaxRetryError) else cause, ReadTimeoutError)
