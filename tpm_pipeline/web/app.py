"""The local server's application: the OpenRosa pages behind a token."""

from hmac import compare_digest

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.web import openrosa

LIMIT = 100 * 1024 * 1024
"""Bytes one request may have."""


def create_app(store: Store, token: str | None, limit: int = LIMIT) -> Starlette:
    """Build the application over a store; with a token, nothing but /health answers without it."""
    app = Starlette(
        routes=[Route("/health", _health), *openrosa.ROUTES],
        middleware=[Middleware(TokenGate, token=token)] if token else [],
        exception_handlers=dict.fromkeys((ServerError, HTTPException, ClientDisconnect), _explain),
    )
    app.state.store, app.state.limit = store, limit
    return app


class TokenGate:
    """Lets through what carries the token: `/key/<token>/…`, or `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401, or pass the request on with the prefix taken off its path."""
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        scheme, _, bearer = Request(scope).headers.get("Authorization", "").partition(" ")
        key, _, _ = scope["path"].removeprefix("/key/").partition("/")
        if scope["path"].startswith("/key/") and self._is_token(key):
            await self._app({**scope, "root_path": f"/key/{key}"}, receive, send)
        elif scheme.lower() == "bearer" and self._is_token(bearer):
            await self._app(scope, receive, send)
        else:
            await openrosa.message("The token is missing or wrong.", 401)(scope, receive, send)

    def _is_token(self, given: str) -> bool:
        return compare_digest(given.encode(), self._token.encode())


def _health(_: Request) -> Response:
    return PlainTextResponse("ok")


def _explain(_: Request, error: Exception) -> Response:
    match error:
        case ServerError():
            return openrosa.refusal(error)
        case HTTPException():
            return openrosa.message(error.detail, error.status_code)
        case _:
            # A phone that lost its network sends again; nobody reads this answer.
            return openrosa.message("The request was cut off.", 400)
