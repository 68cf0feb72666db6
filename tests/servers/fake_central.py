"""A Central small enough to read: what our client depends on, with the real one's answers and traps."""

import json
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

from lxml import etree
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.servers.fake_central_rows import XForm, as_row, name, read_xform

EMAIL, PASSWORD = "pipeline@example.org", "fake-central"
_CLAUSE = re.compile(r"__system/(submissionDate|updatedAt|deletedAt) ge (\S+)")


class ProblemError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Form:
    versions: list[tuple[XForm, bytes]] = field(default_factory=list)
    draft: tuple[XForm, bytes] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    allowed: set[int] = field(default_factory=set)
    rows: dict[str, "Submission"] = field(default_factory=dict)


@dataclass
class Submission:
    versions: list[tuple[str, bytes]]
    version: str
    created: str
    updated: str | None = None
    deleted: str | None = None
    review: str | None = None


@dataclass
class Project:
    name: str
    forms: dict[str, Form] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    properties: dict[str, set[str]] = field(default_factory=dict)
    entities: dict[str, list[Any]] = field(default_factory=dict)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass
class FakeCentral:
    """Its state, and the handles tests pull.

    `meddle` answers in its place, `lose` after it; `extra` falsifies the count; `ago` sets its clock back.
    """

    projects: dict[int, Project] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    meddle: Callable[[Request], Response | None] = lambda _: None
    lose: Callable[[Request], Response | None] | None = None
    extra: int = 0
    ago: timedelta = timedelta()

    def now(self) -> str:
        return (datetime.now(UTC) - self.ago).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def app(self) -> Starlette:
        project, form = "/v1/projects/{project:int}", "/v1/projects/{project:int}/forms/{form}"
        table: list[tuple[str, str, Callable[..., Any]]] = [
            ("POST", "/v1/sessions", self.sign_in),
            ("GET", "/v1/projects", self.list_projects),
            ("POST", "/v1/projects", self.add_project),
            ("DELETE", project, self.drop_project),
            ("GET", project + "/forms", self.list_forms),
            ("POST", project + "/forms", self.add_form),
            ("GET", project + "/app-users", self.list_users),
            ("POST", project + "/app-users", self.add_user),
            ("GET", project + "/forms/{form}.svc/Submissions", self.odata),
            ("GET", form + "/versions", self.list_versions),
            ("GET", form + "/versions/{version}.xml", self.version_xml),
            ("POST", form + "/draft", self.add_draft),
            ("GET", form + "/draft/attachments", self.list_files),
            ("POST", form + "/draft/attachments/{file}", self.add_file),
            ("PATCH", form + "/draft/attachments/{file}", self.link_file),
            ("GET", project + "/datasets", self.list_lists),
            ("POST", project + "/datasets", self.add_list),
            ("POST", project + "/datasets/{name}/properties", self.add_property),
            ("GET", project + "/datasets/{name}/entities", self.list_entities),
            ("POST", project + "/datasets/{name}/entities", self.add_entities),
            ("POST", form + "/draft/publish", self.publish),
            ("POST", form + "/assignments/app-user/{user:int}", self.allow),
            ("PATCH", form + "/submissions/{row}", self.review),
            ("DELETE", form + "/submissions/{row}", self.delete),
            ("GET", form, self.show_form),
        ]
        routes = [Route(path, self._signed(what), methods=[method]) for method, path, what in table]
        routes.append(Route("/v1/key/{key}/projects/{project:int}/submission", self._openrosa, methods=["POST"]))
        app = Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)])
        app.add_exception_handler(404, lambda *_: JSONResponse(_json(_missing()), 404))
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
                    _raise(_unknown_user())
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
            given["project"] = self.projects.get(given["project"]) or _raise(_missing())
        if "form" in given:
            given["form"] = given["project"].forms.get(given["form"]) or _raise(_missing())
        return given

    def sign_in(self, body: bytes) -> Response:
        if json.loads(body) != {"email": EMAIL, "password": PASSWORD}:
            raise _unknown_user()
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

    def list_forms(self, _: bytes, project: Project) -> Any:
        return [self.show_form(b"", project, form) for form in project.forms.values()]

    def show_form(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        shown = form.versions[-1] if form.versions else form.draft
        assert shown is not None
        published = self.now() if form.versions else None
        return {"xmlFormId": shown[0].form_id, "version": shown[0].version, "publishedAt": published}

    def add_form(self, body: bytes, project: Project) -> Any:
        parsed = read_xform(body)
        if parsed.form_id in project.forms:
            raise ProblemError("409.3", "A resource already exists with projectId,xmlFormId value(s) of …")
        form = project.forms[parsed.form_id] = Form()
        self.add_draft(body, project, form)
        return self.show_form(b"", project, form)

    def add_draft(self, body: bytes, project: Project, form: Form) -> Any:
        form.draft = (read_xform(body), body)
        free = {file for file in form.draft[0].files if file not in form.files}
        form.linked |= {file for file in free if file.removesuffix(".csv") in project.lists}
        return {"success": True}

    def list_files(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        assert form.draft is not None
        return [_file(form, file) for file in form.draft[0].files]

    def add_file(self, body: bytes, project: Project, form: Form, file: str) -> Any:  # noqa: ARG002
        if form.draft is None or file not in form.draft[0].files:
            raise _missing()
        form.files[file] = body
        return _file(form, file)

    def link_file(self, body: bytes, project: Project, form: Form, file: str) -> Any:
        if not json.loads(body)["dataset"] or file.removesuffix(".csv") not in project.lists:
            raise _missing()
        form.files.pop(file, None)
        form.linked.add(file)
        return _file(form, file)

    def list_lists(self, _: bytes, project: Project) -> Any:
        return [{"name": name} for name in sorted(project.lists)]

    def add_list(self, body: bytes, project: Project) -> Any:
        name = json.loads(body)["name"]
        if name in project.lists:
            raise ProblemError("409.3", f"A resource already exists with name,projectId value(s) of {name},1.")
        project.lists.add(name)
        return {"name": name}

    def add_property(self, body: bytes, project: Project, name: str) -> Any:
        known, added = project.properties.setdefault(name, set()), json.loads(body)["name"]
        if added in known:
            raise ProblemError("409.3", f"A resource already exists with name,datasetId value(s) of {added},1.")
        known.add(added)
        return {"success": True}

    def list_entities(self, _: bytes, project: Project, name: str) -> Any:
        return project.entities.get(name, [])

    def add_entities(self, body: bytes, project: Project, name: str) -> Any:
        sent = json.loads(body)["entities"]
        if unknown := {column for one in sent for column in one["data"]} - project.properties.get(name, set()):
            raise ProblemError("400.28", f"The entity is invalid. You specified the dataset property {unknown} …")
        taken = {one["uuid"] for other in self.projects.values() for kept in other.entities.values() for one in kept}
        if known := [one["uuid"] for one in sent if one["uuid"] in taken]:
            raise ProblemError("409.3", f"A resource already exists with uuid value(s) of {known[0]}.")
        project.entities.setdefault(name, []).extend(sent)
        return {"success": True}

    def publish(self, _: bytes, project: Project, form: Form) -> Any:
        if form.draft is None:
            raise _missing()
        version = form.draft[0].version
        if version in [known.version for known, _ in form.versions]:
            raise ProblemError("409.6", f"You tried to publish … with version '{version}', but …")
        form.versions.append(form.draft)
        project.lists |= set(form.draft[0].entity_lists)
        self.add_draft(form.draft[1], project, form)
        form.draft = None
        return {"success": True}

    def list_versions(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        return [{"version": xform.version} for xform, _ in reversed(form.versions)]

    def version_xml(self, _: bytes, project: Project, form: Form, version: str) -> Any:  # noqa: ARG002
        found = [xml for xform, xml in form.versions if (xform.version or "___") == version]
        return Response(found[0] if found else _raise(_missing()), media_type="application/xml")

    def list_users(self, _: bytes, project: Project) -> Any:
        return list(project.users.values())

    def add_user(self, body: bytes, project: Project) -> Any:
        number = max(project.users, default=100) + 1
        token = secrets.token_hex(30) + "!$aB"
        project.users[number] = {"id": number, "displayName": json.loads(body)["displayName"], "token": token}
        return project.users[number]

    def allow(self, _: bytes, project: Project, form: Form, user: int) -> Any:  # noqa: ARG002
        if user in form.allowed:
            raise ProblemError("409.3", "A resource already exists with actorId,roleId,acteeId value(s) of …")
        form.allowed.add(user)
        return {"success": True}

    def review(self, body: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        form.rows[row].review, form.rows[row].updated = json.loads(body)["reviewState"], self.now()
        return {"instanceId": row}

    def delete(self, _: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        form.rows[row].deleted = self.now()
        return {"success": True}

    def odata(self, _: bytes, project: Project, form: Form, query: dict[str, str]) -> Any:  # noqa: ARG002
        if not form.versions:
            raise _missing()
        rows = [(root, row) for root, row in form.rows.items() if _selected(row, query.get("$filter"))]
        rows.sort(key=lambda found: found[1].created, reverse=True)
        return StreamingResponse(self._page(form, rows), media_type="application/json; charset=utf-8")

    def _page(self, form: Form, rows: list[tuple[str, Submission]]) -> Iterator[str]:
        yield '{"value":['
        for n, (root, row) in enumerate(rows):
            written = as_row(form.versions[-1][0], row.versions[-1][1], _system(row), root)
            yield ("," if n else "") + json.dumps(written, separators=(",", ":"), ensure_ascii=False)
        yield f'],"@odata.context":"http://elsewhere/$metadata#Submissions","@odata.count":{len(rows) + self.extra}}}'

    async def _openrosa(self, request: Request) -> Response:
        try:
            if "x-openrosa-version" not in request.headers:
                _raise(ProblemError("400.6", "An expected header field (X-OpenRosa-Version) did not match …"))
            project = self._resolved(request)["project"]
            async with request.form() as parts:
                xml = await parts["xml_submission_file"].read()  # type: ignore[union-attr]
            self._accept(project, str(request.path_params["key"]), xml)
        except ProblemError as problem:
            return _said(problem.message, int(problem.code.partition(".")[0]))
        return _said("full submission upload was successful!", 201)

    def _accept(self, project: Project, key: str, xml: bytes) -> None:
        users = [number for number, user in project.users.items() if user["token"] == key]
        if not users:
            raise ProblemError("403.1", "The authentication you provided does not have rights to perform that action.")
        root = etree.fromstring(xml)
        form = project.forms.get(str(root.get("id"))) or _raise(_missing())
        if not set(users) & form.allowed:
            raise _unknown_user()
        version = root.get("version", "")
        if version not in [xform.version for xform, _ in form.versions]:
            raise ProblemError("404.6", f"The form version specified in this submission '{version}' does not exist.")
        meta = {name(e): e.text or "" for e in root.iter() if isinstance(e.tag, str)}
        self._store(form, version, xml, meta["instanceID"], meta.get("deprecatedID"))

    def _store(self, form: Form, version: str, xml: bytes, instance: str, edited: str | None) -> None:
        known = {found: content for row in form.rows.values() for found, content in row.versions}
        if instance in form.rows and form.rows[instance].deleted:
            raise ProblemError("409.18", "This submission has been deleted. You may not resubmit it.")
        if instance in known:
            if known[instance] != xml:
                raise ProblemError("409.1", "A submission already exists with this ID, but with different XML.")
        elif not edited:
            form.rows[instance] = Submission([(instance, xml)], version, self.now())
        elif edited not in known:
            raise ProblemError("404.5", f"… we can't find that submission to update ({edited})")
        else:
            row = next(row for row in form.rows.values() if edited in dict(row.versions))
            if row.versions[-1][0] != edited:
                raise ProblemError("409.9", "… the copy you were editing is now out of date.")
            row.versions.append((instance, xml))
            row.updated, row.review = self.now(), "edited"


def _asked(request: Request, what: Callable[..., Any]) -> dict[str, Any]:
    return {"query": dict(request.query_params)} if what.__name__ == "odata" else {}


def _selected(row: Submission, asked: str | None) -> bool:
    if asked is None:
        return row.deleted is None
    stamps = {"submissionDate": row.created, "updatedAt": row.updated, "deletedAt": row.deleted}
    clauses = [_CLAUSE.fullmatch(clause) or _raise(ProblemError("501.5", asked)) for clause in asked.split(" or ")]
    hidden = row.deleted is not None and "deletedAt" not in asked
    return not hidden and any((stamps[clause[1]] or "") >= clause[2] for clause in clauses)


def _system(row: Submission) -> dict[str, Any]:
    return {
        "submissionDate": row.created,
        "updatedAt": row.updated,
        "submitterId": "101",
        "submitterName": 'a "{}" user',
        "attachmentsPresent": 0,
        "attachmentsExpected": 0,
        "status": None,
        "reviewState": row.review,
        "deviceId": None,
        "edits": len(row.versions) - 1,
        "formVersion": row.version,
        "deletedAt": row.deleted,
    }


def _file(form: Form, file: str) -> dict[str, Any]:
    blob = form.files.get(file)
    digest = md5(blob, usedforsecurity=False).hexdigest() if blob is not None else None
    linked = file in form.linked
    there = linked or blob is not None
    return {"name": file, "exists": there, "blobExists": blob is not None, "datasetExists": linked, "hash": digest}


def _said(words: str, status: int) -> Response:
    nature = "" if status < 300 else "error"
    body = f'<message nature="{nature}">{words}</message>'
    around = f'<OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">{body}</OpenRosaResponse>'
    return Response(around, status, media_type="text/xml")


def _json(problem: ProblemError) -> dict[str, Any]:
    return {"message": problem.message, "code": float(problem.code)}


def _missing() -> ProblemError:
    return ProblemError("404.1", "Could not find the resource you were looking for.")


def _unknown_user() -> ProblemError:
    return ProblemError("401.2", "Could not authenticate with the provided credentials.")


def _raise(problem: ProblemError) -> Any:
    raise problem
