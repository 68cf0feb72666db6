"""The fake Central's forms: drafts, their files, versions, states."""

import json
import re
from collections.abc import Callable
from hashlib import md5, sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.servers.fake_central_rows import XForm, read_xform
from tests.servers.fake_central_state import FORM, PROJECT, Form, ProblemError, Project, State, Table, missing, refuse

_SAVETO = re.compile(rb'saveto="(\w+)"')
_VERSION = re.compile(rb'(<data [^>]*version=)"[^"]*"')


class Forms(State):
    encrypting: Callable[[bytes], bytes]

    def form_routes(self) -> Table:
        return [
            ("GET", PROJECT + "/forms", self.list_forms),
            ("POST", PROJECT + "/forms", self.add_form),
            ("GET", FORM + "/versions", self.list_versions),
            ("GET", FORM + "/versions/{version}.xml", self.version_xml),
            ("GET", FORM + "/draft.xml", self.draft_xml),
            ("GET", FORM + "/draft", self.show_draft),
            ("POST", FORM + "/draft", self.add_draft),
            ("DELETE", FORM + "/draft", self.drop_draft),
            ("GET", FORM + "/attachments", self.list_files),
            ("GET", FORM + "/draft/attachments", self.list_draft_files),
            ("POST", FORM + "/draft/attachments/{file}", self.add_file),
            ("PATCH", FORM + "/draft/attachments/{file}", self.link_file),
            ("POST", FORM + "/draft/publish", self.publish),
            ("GET", FORM, self.show_form),
            ("PATCH", FORM, self.change_form),
        ]

    def list_forms(self, _: bytes, project: Project) -> Any:
        return [self.show_form(b"", project, form) for form in project.forms.values()]

    def show_form(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        shown = form.versions[-1] if form.versions else form.draft
        assert shown is not None
        return self._shown(form, shown, published=bool(form.versions))

    def change_form(self, body: bytes, project: Project, form: Form) -> Any:
        form.state = json.loads(body)["state"]
        return self.show_form(b"", project, form)

    def add_form(self, body: bytes, project: Project) -> Any:
        parsed = read_xform(body)
        if parsed.form_id in project.forms:
            raise ProblemError("409.3", "A resource already exists with projectId,xmlFormId value(s) of …")
        form = project.forms[parsed.form_id] = Form()
        self.add_draft(body, project, form)
        return self.show_form(b"", project, form)

    def add_draft(self, body: bytes, project: Project, form: Form) -> Any:
        # What the draft before it had is carried on, else what the published version has.
        files, linked = (form.draft_files, form.draft_linked) if form.draft else (form.files, form.linked)
        body = body or form.versions[-1][1]
        body = self.encrypting(body) if project.passphrase else body
        form.draft = (read_xform(body), body)
        names = set(form.draft[0].files)
        form.draft_files = {name: content for name, content in files.items() if name in names}
        lists = {name for name in names - form.draft_files.keys() if name.removesuffix(".csv") in project.lists}
        form.draft_linked = (linked & names) | lists
        return {"success": True}

    def show_draft(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        return self._shown(form, form.draft or refuse(missing()), published=False)

    def draft_xml(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        return Response((form.draft or refuse(missing()))[1], media_type="application/xml")

    def drop_draft(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        if not form.versions:
            raise ProblemError("409.7", "Could not delete draft, because the form has not been published. …")
        form.draft = None if form.draft else refuse(missing())
        return {"success": True}

    def list_files(self, _: bytes, project: Project, form: Form) -> Any:
        if not form.versions:
            return self.list_draft_files(b"", project, form)
        return [_file(form.files, form.linked, file) for file in form.versions[-1][0].files]

    def list_draft_files(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        assert form.draft is not None
        return [_file(form.draft_files, form.draft_linked, file) for file in form.draft[0].files]

    def add_file(self, body: bytes, project: Project, form: Form, file: str) -> Any:  # noqa: ARG002
        if form.draft is None or file not in form.draft[0].files:
            raise missing()
        form.draft_files[file] = body
        form.draft_linked.discard(file)
        return _file(form.draft_files, form.draft_linked, file)

    def link_file(self, body: bytes, project: Project, form: Form, file: str) -> Any:
        if not json.loads(body)["dataset"] or file.removesuffix(".csv") not in project.lists:
            raise missing()
        form.draft_files.pop(file, None)
        form.draft_linked.add(file)
        return _file(form.draft_files, form.draft_linked, file)

    def publish(self, _: bytes, project: Project, form: Form, request: Request | None = None) -> Any:
        xform, xml = form.draft or refuse(missing())
        if renamed := request and request.query_params.get("version"):
            xml = _VERSION.sub(rb'\1"' + renamed.encode() + b'"', xml)
            xform = read_xform(xml)
        if xform.version in [known.version for known, _ in form.versions]:
            raise ProblemError("409.6", f"You tried to publish … with version '{xform.version}', but …")
        form.versions.append((xform, xml))
        project.lists |= set(xform.entity_lists)
        for name in xform.entity_lists:
            project.properties.setdefault(name, set()).update(found.decode() for found in _SAVETO.findall(xml))
        form.draft, form.files, form.linked = None, form.draft_files, form.draft_linked
        form.linked |= {file for file in xform.files if file not in form.files and file[:-4] in project.lists}
        return {"success": True}

    def list_versions(self, _: bytes, project: Project, form: Form) -> Any:  # noqa: ARG002
        return [self._shown(form, version, published=True) for version in reversed(form.versions)]

    def version_xml(self, _: bytes, project: Project, form: Form, version: str) -> Any:  # noqa: ARG002
        found = [xml for xform, xml in form.versions if (xform.version or "___") == version]
        return Response(found[0] if found else refuse(missing()), media_type="application/xml")

    def _shown(self, form: Form, version: tuple[XForm, bytes], *, published: bool) -> dict[str, Any]:
        xform, xml = version
        return {
            "xmlFormId": xform.form_id,
            "version": xform.version,
            "state": form.state,
            "sha256": sha256(xml).hexdigest(),
            "keyId": None,
            "enketoId": form.web_form,
            "publishedAt": self.now() if published else None,
        }


def _file(files: dict[str, bytes], linked: set[str], file: str) -> dict[str, Any]:
    blob = files.get(file)
    digest = md5(blob, usedforsecurity=False).hexdigest() if blob is not None else None
    there = file in linked or blob is not None
    return {
        "name": file,
        "type": "file",
        "exists": there,
        "blobExists": blob is not None,
        "datasetExists": file in linked,
        "hash": digest,
    }
