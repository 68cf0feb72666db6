"""ODK Central's API: signing in, its JSON errors, its addresses."""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import orjson

from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.servers.http import Http, Reply, Stream, cut, expect

_OK = range(200, 300)
NOT_MODIFIED = 304
_ROOT = re.compile(rb"<([^\s<>/?!]+)[^<>]*?(/?)>")
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_SENDS_JSON = {"Content-Type": "application/json"}
_EMAIL = re.compile(r"\S+@\S+")  # Central's messages quote what was sent, and addresses are personal


class CentralApi:
    """One web user's session, signed in when first needed and renewed when it ends in mid-work."""

    def __init__(self, url: str, email: str, password: str, timeout_s: float) -> None:
        self._http = Http(url, timeout_s)
        self._credentials = {"email": email, "password": password}
        self._token: str | None = None
        self.where, self.url = self._http.where, self._http.url

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        extended: bool = False,
        tolerate: Collection[str] = (),
    ) -> Any:
        """Read a resource as JSON, `extended` with what it counts and knows of others; None for a tolerated code."""
        headers = {"X-Extended-Metadata": "true"} if extended else {}
        return self._json("GET", path, query=query, headers=headers, tolerate=tolerate)

    def xml(self, path: str, sha256: str | None = None) -> bytes:
        """Read XML to its end; with a digest, exactly what Central holds."""
        found = self.xml_if_there(path, tolerate=())
        if found is None or (sha256 and hashlib.sha256(found).hexdigest() != sha256):
            raise cut(self.where)
        return found

    def xml_if_there(self, path: str, tolerate: Collection[str]) -> bytes | None:
        """Read XML to its end; None when refused with a tolerated code."""
        with self.stream(path, tolerate=tolerate) as answer:
            if answer.status not in _OK:
                return None
            expect(answer.where, answer.media_type, "application/xml")
            return _uncut(answer.read())

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, tolerate: Collection[str] = ()) -> Any:
        """Send JSON; None when refused with a tolerated code."""
        return self._json("POST", path, body=orjson.dumps(body or {}), headers=_SENDS_JSON, tolerate=tolerate)

    def patch(self, path: str, body: Mapping[str, Any], query: Mapping[str, str] | None = None) -> Any:
        """Change a resource."""
        return self._json("PATCH", path, query=query, body=orjson.dumps(body), headers=_SENDS_JSON)

    def delete(self, path: str, *, tolerate: Collection[str] = ()) -> Any:
        """Remove a resource; None when refused with a tolerated code."""
        return self._json("DELETE", path, tolerate=tolerate)

    def upload(self, path: str, content: bytes, media_type: str, query: Mapping[str, str] | None = None) -> Any:
        """Send a file."""
        return self._json("POST", path, query=query, body=content, headers={"Content-Type": media_type})

    @contextmanager
    def stream(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        tolerate: Collection[str] = (),
    ) -> Iterator[Stream]:
        """Open an answer that is a success, says that nothing changed, or is a refusal with a tolerated code."""
        for renewed in (False, True):
            sent = {"Authorization": f"Bearer {self._signed_in()}", **(headers or {})}
            with self._http.stream(method, "/v1" + path, query=query, headers=sent, body=body) as answer:
                if answer.status == _UNAUTHORIZED and not renewed:
                    self._token = None
                    continue
                yield answer if answer.status in {*_OK, NOT_MODIFIED} else _refusal(answer, tolerate)
                return

    def _json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        tolerate: Collection[str] = (),
    ) -> Any:
        with self.stream(path, query, method=method, headers=headers, body=body, tolerate=tolerate) as answer:
            return answer.read().json() if answer.status in _OK else None

    def _signing_in(self) -> Reply:
        body = orjson.dumps(self._credentials)
        try:
            return self._http.send("POST", "/v1/sessions", headers=_SENDS_JSON, body=body)
        except ServerError as error:
            # Unlike what is sent to be stored, signing in twice does no harm.
            if error.code != "SRV-007":
                raise
            raise ServerUnavailableError(error.code, error.where, error.cause, error.remedy) from None

    def _signed_in(self) -> str:
        if self._token is None:
            reply = self._signing_in()
            if reply.status == _UNAUTHORIZED:
                raise _not_accepted(self.where)
            if reply.status not in _OK:
                raise _refused(reply)
            self._token = str(reply.json()["token"])
        return self._token


def _uncut(reply: Reply) -> bytes:
    """The XML, if it has its end: what is cut may be asked for again, what is damaged may not."""
    root = _ROOT.search(reply.body)
    if root is None or not (root[2] or b"</" + root[1] + b">" in reply.body):
        raise cut(reply.where)
    return reply.body


def address(*parts: str | int) -> str:
    """Join parts into a path, each percent-encoded: ids may hold anything, `/` included."""
    return "".join("/" + quote(str(part), safe="") for part in parts)


def _refusal(answer: Stream, tolerate: Collection[str]) -> Stream:
    reply = answer.read()
    if str(reply.json().get("code")) in tolerate:
        return answer
    raise _refused(reply)


def _refused(reply: Reply) -> ServerError:
    if reply.status == _UNAUTHORIZED:
        return _not_accepted(reply.where)
    problem = reply.json()
    if reply.status == _FORBIDDEN:
        remedy = "Give this web user the role of project manager, or of administrator to create the project."
        return ServerError("SRV-011", reply.where, "The web user has no right to do this.", remedy)
    said = _EMAIL.sub("…", str(problem.get("message")))
    cause = f"Central refused: {said[:300]} ({problem.get('code')})"
    return ServerError("SRV-013", reply.where, cause, "Correct what it names, then try again.")


def _not_accepted(where: str) -> ServerError:
    remedy = "Correct TPM_CENTRAL_EMAIL and TPM_CENTRAL_PASSWORD."
    return ServerError("SRV-010", where, "Central does not accept the e-mail or the password.", remedy)
