"""A Central small enough to read: what our client depends on, with the real one's answers and traps."""

import json
import secrets
from collections.abc import Callable
from inspect import signature
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.fake_central_entities import Entities
from tests.servers.fake_central_files import Files
from tests.servers.fake_central_forms import Forms
from tests.servers.fake_central_keys import Keys
from tests.servers.fake_central_lists import Lists
from tests.servers.fake_central_phone import Phone
from tests.servers.fake_central_state import PROJECT, ProblemError, Project, Table, missing, refuse, unknown_user
from tests.servers.fake_central_submissions import Submissions
from tests.servers.fake_central_users import Users

EMAIL, PASSWORD = "pipeline@example.org", "fake-central"


class FakeCentral(Entities, Files, Forms, Keys, Lists, Phone, Users, Submissions):
    """The whole server; its state and the handles tests pull are in `State`."""

    def app(self) -> Starlette:
        table: Table = [
            ("POST", "/v1/sessions", self.sign_in),
            ("GET", "/v1/projects", self.list_projects),
            ("POST", "/v1/projects", self.add_project),
            ("DELETE", PROJECT, self.drop_project),
            *self.key_routes(),
            *self.submission_routes(),
            *self.list_routes(),
            *self.entity_routes(),
            *self.file_routes(),
            *self.user_routes(),
            *self.form_routes(),
        ]
        routes = [Route(path, self._signed(what), methods=[method]) for method, path, what in table]
        routes.append(Route("/v1/key/{key}/projects/{project:int}/submission", self._openrosa, methods=["POST"]))
        routes += self.phone_routes()
        app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])
        app.add_exception_handler(404, lambda *_: JSONResponse(_json(missing()), 404))
        return app

    def _signed(self, what: Callable[..., Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            self.requests.append(f"{request.method} {request.url.path}")
            self.headers.append(dict(request.headers))
            meddled = self.meddle(request)
            if meddled is not None:
                return meddled
            try:
                token = request.headers.get("Authorization", "").removeprefix("Bearer ")
                if what != self.sign_in and token not in self.sessions:
                    refuse(unknown_user())
                body = await request.body()
                found = what(body, **self._resolved(request), **_asked(request, what))
            except ProblemError as problem:
                return JSONResponse(_json(problem), int(problem.code.partition(".")[0]))
            lost = self.lose(request) if self.lose else None
            return lost or (found if isinstance(found, Response) else JSONResponse(found))

        return answer

    def _resolved(self, request: Request) -> dict[str, Any]:
        given = dict(request.path_params)
        if "project" in given:
            given["project"] = self.projects.get(given["project"]) or refuse(missing())
        if "form" in given:
            given["form"] = given["project"].forms.get(given["form"]) or refuse(missing())
        return given

    def sign_in(self, body: bytes) -> Response:
        if json.loads(body) != {"email": EMAIL, "password": PASSWORD}:
            raise unknown_user()
        token = secrets.token_urlsafe(48)
        self.sessions.add(token)
        answer = JSONResponse({"token": token, "csrf": "x", "expiresAt": self.now(), "createdAt": self.now()})
        answer.set_cookie("session", token)
        return answer

    def list_projects(self, _: bytes) -> Any:
        return [{"id": number, "name": project.name} for number, project in self.projects.items()]

    def add_project(self, body: bytes) -> Any:
        number = max(self.projects, default=0) + 1
        self.projects[number] = Project(json.loads(body)["name"])
        return {"id": number, "name": self.projects[number].name}

    def drop_project(self, _: bytes, project: Project) -> Any:
        self.projects = {number: kept for number, kept in self.projects.items() if kept is not project}
        return {"success": True}

    async def _openrosa(self, request: Request) -> Response:
        try:
            if "x-openrosa-version" not in request.headers:
                refuse(ProblemError("400.6", "An expected header field (X-OpenRosa-Version) did not match …"))
            project = self._resolved(request)["project"]
            async with request.form() as parts:
                sent = {name: await part.read() for name, part in parts.multi_items()}  # type: ignore[union-attr]
            xml = sent.pop("xml_submission_file")
            self._accept(project, str(request.path_params["key"]), xml)
            self.receive(project, xml, sent)
            self.work(project, xml)
        except ProblemError as problem:
            return _said(problem.message, int(problem.code.partition(".")[0]))
        return _said("full submission upload was successful!", 201)


def _asked(request: Request, what: Callable[..., Any]) -> dict[str, Any]:
    return {"request": request} if "request" in signature(what).parameters else {}


def _said(words: str, status: int) -> Response:
    nature = "" if status < 300 else "error"
    body = f'<message nature="{nature}">{words}</message>'
    around = f'<OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">{body}</OpenRosaResponse>'
    return Response(around, status, media_type="text/xml")


def _json(problem: ProblemError) -> dict[str, Any]:
    return {"message": problem.message, "code": float(problem.code)}
