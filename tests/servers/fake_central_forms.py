"""The fake Central's forms: drafts, their files, versions."""

import json
from hashlib import md5
from typing import Any

from starlette.responses import Response

from tests.servers.fake_central_rows import read_xform
from tests.servers.fake_central_state import FORM, PROJECT, Form, ProblemError, Project, State, Table, missing, refuse


class Forms(State):
    def form_routes(self) -> Table:
        return [
            ("GET", PROJECT + "/forms", self.list_forms),
            ("POST", PROJECT + "/forms", self.add_form),
            ("GET", FORM + "/versions", self.list_versions),
            ("GET", FORM + "/versions/{version}.xml", self.version_xml),
            ("POST", FORM + "/draft", self.add_draft),
            ("GET", FORM + "/draft/attachments", self.list_files),
            ("POST", FORM + "/draft/attachments/{file}", self.add_file),
            ("PATCH", FORM + "/draft/attachments/{file}", self.link_file),
            ("POST", FORM + "/draft/publish", self.publish),
            ("GET", FORM, self.show_form),
        ]

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
            raise missing()
        form.files[file] = body
        return _file(form, file)

    def link_file(self, body: bytes, project: Project, form: Form, file: str) -> Any:
        if not json.loads(body)["dataset"] or file.removesuffix(".csv") not in project.lists:
            raise missing()
        form.files.pop(file, None)
        form.linked.add(file)
        return _file(form, file)

    def publish(self, _: bytes, project: Project, form: Form) -> Any:
        if form.draft is None:
            raise missing()
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
        return Response(found[0] if found else refuse(missing()), media_type="application/xml")


def _file(form: Form, file: str) -> dict[str, Any]:
    blob = form.files.get(file)
    digest = md5(blob, usedforsecurity=False).hexdigest() if blob is not None else None
    linked = file in form.linked
    there = linked or blob is not None
    return {"name": file, "exists": there, "blobExists": blob is not None, "datasetExists": linked, "hash": digest}
