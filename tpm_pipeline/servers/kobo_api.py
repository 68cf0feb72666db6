"""KoboToolbox's API: a token, its JSON and its HTML errors, its addresses."""

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import orjson

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.http import Http, Parts, Reply, Stream, cut

NOT_FOUND = 404
_OK = range(200, 300)
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_JSON = "application/json"
_EMAIL = re.compile(r"\S+@\S+")  # its messages quote what was sent, and addresses are personal


class KoboApi:
    """One account's view of a server: what it may not see is not there."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        self._http = Http(url, timeout_s)
        # Asked for HTML, or for nothing in particular by a browser, it answers with pages made for people.
        self._headers = {"Authorization": f"Token {token}", "Accept": _JSON}
        self.where, self.url = self._http.where, self._http.url

    def get(self, path: str, query: Mapping[str, str] | None = None, *, tolerate: Collection[int] = ()) -> Any:
        """Read a resource as JSON; None for a tolerated status."""
        return self._json("GET", path, query=query, tolerate=tolerate)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send JSON."""
        return self._json("POST", path, body=body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change a resource."""
        return self._json("PATCH", path, body=body)

    def delete(self, path: str, *, tolerate: Collection[int] = ()) -> None:
        """Remove a resource, or find it gone when that is tolerated."""
        with self.stream(path, method="DELETE", tolerate=tolerate) as answer:
            answer.read()

    def upload(self, path: str, fields: Mapping[str, str], part: str, name: str, content: bytes) -> Any:
        """Send a file among the fields of a form: where it reads files, it reads no JSON."""
        sent: Parts = [
            *((field, (None, text.encode(), "text/plain")) for field, text in fields.items()),
            (part, (name, content, "application/octet-stream")),
        ]
        with self.stream(path, method="POST", files=sent) as answer:
            return answer.read().json()

    def all(self, path: str, query: Mapping[str, str] | None = None, together: int = 300) -> Iterator[Any]:
        """Yield what a list holds, page by page; never of submissions, whose pages shift."""
        start, count = 0, 1
        while start < count:
            page = self.get(path, {**(query or {}), "limit": str(together), "start": str(start)})
            try:
                rows, count = list(page["results"]), int(page["count"])
            except (KeyError, TypeError):
                raise cut(self.where) from None
            yield from rows
            # Fewer than asked for come where a server's own limit is smaller.
            start += len(rows)
            if not rows and start < count:
                raise cut(self.where)

    @contextmanager
    def stream(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        files: Parts | None = None,
        tolerate: Collection[int] = (),
    ) -> Iterator[Stream]:
        """Open an answer that is a success, or a refusal with a tolerated status."""
        sent = {**self._headers, **(headers or {})}
        with self._http.stream(method, "/api/v2" + path, query=query, headers=sent, body=body, files=files) as answer:
            if answer.status not in _OK and answer.status not in tolerate:
                raise _refused(answer.read())
            yield answer

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        tolerate: Collection[int] = (),
    ) -> Any:
        headers = {} if body is None else {"Content-Type": _JSON}
        sent = None if body is None else orjson.dumps(body)
        with self.stream(path, query, method=method, headers=headers, body=sent, tolerate=tolerate) as answer:
            return answer.read().json() if answer.status in _OK else None


def address(*parts: str | int) -> str:
    """Join parts into a path, each percent-encoded, with the slash at its end without which a body is lost."""
    return "".join("/" + quote(str(part), safe="") for part in parts) + "/"


def out_of_sight(where: str) -> ServerError:
    """The error for what a server says is not there to an account that may not see it."""
    cause = "What is asked for is not there, or this account may not see it."
    remedy = "Ask its owner to share the project with the account of TPM_KOBO_TOKEN, or deploy again."
    return ServerError("SRV-061", where, cause, remedy)


def _refused(reply: Reply) -> ServerError:
    if reply.status == _UNAUTHORIZED:
        remedy = "Correct TPM_KOBO_TOKEN: the server shows it under Account settings, Security."
        return ServerError("SRV-060", reply.where, "KoboToolbox does not accept the token.", remedy)
    if reply.status == NOT_FOUND:
        return out_of_sight(reply.where)
    if reply.status == _FORBIDDEN:
        remedy = "Ask the project's owner to let this account manage it."
        return ServerError("SRV-062", reply.where, "The account may see this, but not do it.", remedy)
    cause = f"KoboToolbox refused (HTTP {reply.status}): {_said(reply)}"
    return ServerError("SRV-063", reply.where, cause, "Correct what it names, then try again.")


def _said(reply: Reply) -> str:
    if reply.media_type != _JSON:
        return f"it answered {reply.media_type or 'nothing'}."
    try:
        said = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return "its answer was cut off."
    words = said.get("detail") or said.get("error") or said if isinstance(said, dict) else said
    return _EMAIL.sub("…", str(words))[:300]
