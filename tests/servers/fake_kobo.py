"""A kpi small enough to read: what our client depends on, with the real one's answers and traps."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from tests.servers.fake_kobo_phone import refused
from tests.servers.fake_kobo_review import Review
from tests.servers.fake_kobo_state import Call, RefusalError, Table, page

USER, TOKEN = "alice", "a11ce" * 8
OTHER_USER, OTHER_TOKEN = "bob", "b0b5" * 10
THIRD_USER, THIRD_TOKEN = "carol", "ca401" * 8
Methods = dict[str, Callable[[Call], Any]]
_LARGE = 10_000_000
_LONGEST = 4094 - len("GET ? HTTP/1.1\r\n")
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class FakeKobo(Review):
    """The whole server; its state and the handles tests pull are in `State`."""

    def __init__(self) -> None:
        super().__init__(users={TOKEN: USER, OTHER_TOKEN: OTHER_USER, THIRD_TOKEN: THIRD_USER})

    def app(self) -> Starlette:
        table: Table = [
            *self.user_routes(),
            *self.asset_routes(),
            *self.deploy_routes(),
            *self.review_routes(),
            *self.data_routes(),
            *self.phone_routes(),
        ]
        methods: dict[str, Methods] = {}
        for method, path, what in table:
            methods.setdefault(path, {})[method] = what
        routes = [Route(path, self._answering(found), methods=_METHODS) for path, found in methods.items()]
        app = Starlette(routes=routes)
        app.add_exception_handler(404, lambda request, _: _unrouted(request, routes))
        app.router.redirect_slashes = False
        return app

    def _answering(self, methods: Methods) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            return await self._answer(request, methods)

        return answer

    async def _answer(self, request: Request, methods: Methods) -> Response:
        path = request.url.path + (f"?{unquote(request.url.query)}" if request.url.query else "")
        self.requests.append(f"{request.method} {path}")
        self.headers.append(dict(request.headers))
        if (meddled := self.meddle(request)) is not None:
            return meddled
        if len(request.scope["raw_path"]) + len(request.scope["query_string"]) > _LONGEST:
            return page(414)
        try:
            found = await self._done(request, methods)
        except RefusalError as refusal:
            return refusal.response()
        lost = self.lose(request) if self.lose else None
        return lost or (found if isinstance(found, Response) else JSONResponse(found))

    async def _done(self, request: Request, methods: Methods) -> Any:
        body, form = await request.body(), await _form(request)
        try:
            found = self._found(Call(request, self.users, body, form), methods)
            return await found if inspect.isawaitable(found) else found
        finally:
            await form.close()

    def _found(self, call: Call, methods: Methods) -> Any:
        asked, is_api = call.request.method, call.request.url.path.endswith("/")
        if is_api:
            call.sign()
        what = methods.get("GET" if asked == "HEAD" and "HEAD" not in methods else asked)
        if what is None:
            refusal = RefusalError(405, {"detail": f'Method "{asked}" not allowed.'})
            return refusal.response() if is_api else refused(refusal)
        return what(call)


async def _form(request: Request) -> FormData:
    is_form = request.headers.get("content-type", "").startswith(("multipart/", "application/x-www-form-urlencoded"))
    return await request.form(max_part_size=_LARGE) if is_form else FormData()


def _unrouted(request: Request, routes: list[Route]) -> Response:
    """The API wants a slash at the end of every address: without it, it sends elsewhere, and forgets what was sent."""
    slashed = {**request.scope, "path": request.url.path + "/"}
    if any(route.matches(slashed)[0] == Match.FULL for route in routes):
        return Response(status_code=301, headers={"Location": request.url.path + "/"}, media_type="text/html")
    return page(410 if request.url.path.startswith("/api/v1/") else 404)
