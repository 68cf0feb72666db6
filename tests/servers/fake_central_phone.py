"""The fake Central as a phone or a browser sees it: what the token in the address lets it download."""

import csv
import io
from collections.abc import Callable
from hashlib import md5
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.servers.fake_central_state import Form, History, ProblemError, Project, State, missing, no_right, refuse

_KEY = "/v1/key/{key}/projects/{project:int}"
_LIST = '<xforms xmlns="http://openrosa.org/xforms/xformsList">{}</xforms>'
_FORM = (
    "<xform><formID>{id}</formID><name>{id}</name><version>{version}</version><hash>md5:{digest}</hash>"
    "<downloadUrl>{url}forms/{id}.xml</downloadUrl><manifestUrl>{url}forms/{id}/manifest</manifestUrl></xform>"
)
_MANIFEST = '<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{}</manifest>'
_FILE = (
    "<mediaFile{kind}><filename>{name}</filename><hash>md5:{digest}</hash>"
    "<downloadUrl>{url}attachments/{name}</downloadUrl></mediaFile>"
)


class Phone(State):
    _history: Callable[..., History]

    def phone_routes(self) -> list[Route]:
        table: dict[str, Callable[..., Response]] = {
            "/formList": self.form_list,
            "/forms/{form}/manifest": self.manifest,
            "/forms/{form}/attachments/{file}": self.attachment,
        }
        return [Route(_KEY + path, self._open(what)) for path, what in table.items()]

    def _open(self, what: Callable[..., Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            try:
                if what != self.attachment and "x-openrosa-version" not in request.headers:
                    refuse(ProblemError("400.6", "An expected header field (X-OpenRosa-Version) did not match …"))
                project = self.projects[request.path_params["project"]]
                return what(request, project, self._entering(request.path_params["key"], project))
            except ProblemError as problem:
                status = int(problem.code.partition(".")[0])
                if what == self.attachment:
                    return JSONResponse({"message": problem.message, "code": float(problem.code)}, status)
                said = f"<OpenRosaResponse><message>{problem.message}</message></OpenRosaResponse>"
                return Response(said, status, media_type="text/xml")

        return answer

    def _entering(self, key: str, project: Project) -> dict[str, Any]:
        links = [(form_id, one) for form_id, form in project.forms.items() for one in form.links.values()]
        found = [user for user in project.users.values() if user["token"] == key]
        found += [{**one, "form": form_id} for form_id, one in links if one["token"] == key]
        return found[0] if found else refuse(no_right())

    def form_list(self, request: Request, project: Project, who: dict[str, Any]) -> Response:
        url, rows = str(request.url).removesuffix("formList"), []
        for form_id, form in project.forms.items():
            if form.versions and form.state == "open" and _may_fill(who, form_id, form):
                xform, xml = form.versions[-1]
                rows.append(_FORM.format(id=form_id, version=xform.version, digest=_md5(xml), url=url))
        return Response(_LIST.format("".join(rows)), media_type="text/xml")

    def manifest(self, request: Request, project: Project, who: dict[str, Any]) -> Response:
        form, rows = _readable(request, project, who), []
        for name in form.versions[-1][0].files:
            kind = ' type="entityList"' if name in form.linked else ""
            content = self._content(project, form, name, who)
            url = str(request.url).removesuffix("manifest")
            rows.append(_FILE.format(kind=kind, name=name, digest=_md5(content), url=url))
        return Response(_MANIFEST.format("".join(rows)), media_type="text/xml")

    def attachment(self, request: Request, project: Project, who: dict[str, Any]) -> Response:
        form = _readable(request, project, who)
        return Response(self._content(project, form, request.path_params["file"], who), media_type="text/csv")

    def _content(self, project: Project, form: Form, file: str, who: dict[str, Any]) -> bytes:
        if file not in form.linked:
            return form.files[file]
        name, columns = file.removesuffix(".csv"), sorted(project.properties.get(file.removesuffix(".csv"), ()))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["name", "label", "__version", *columns])
        for one in project.entities.get(name, []):
            history = self._history(project, name, one["uuid"])
            now = history.versions[-1]
            if not history.deleted and _may_see(project, name, now["data"], who):
                values = [now["data"].get(column, "") for column in columns]
                writer.writerow([one["uuid"], now["label"], now["version"], *values])
        return text.getvalue().encode()


def _may_fill(who: dict[str, Any], form_id: str, form: Form) -> bool:
    return who["id"] in form.allowed or who.get("form") == form_id


def _readable(request: Request, project: Project, who: dict[str, Any]) -> Form:
    form_id = request.path_params["form"]
    form = project.forms.get(form_id)
    if form is None or not form.versions:
        raise missing()
    return form if form.state != "closed" and _may_fill(who, form_id, form) else refuse(no_right())


def _may_see(project: Project, name: str, data: dict[str, str], who: dict[str, Any]) -> bool:
    asked = project.filters.get(name)
    if asked is None:
        return True
    own = who.get("properties") or {}
    return all(own.get(one["actorProperty"]) == data.get(one["datasetProperty"], "") for one in asked["rules"])


def _md5(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()
