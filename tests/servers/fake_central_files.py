"""The fake Central's files of submissions, and what reviewers wrote beside them."""

import json
from hashlib import md5
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response

from tests.servers.fake_central_rows import name as local_name
from tests.servers.fake_central_state import FORM, Form, Project, State, Submission, Table, missing, refuse


class Files(State):
    def file_routes(self) -> Table:
        row = FORM + "/submissions/{row}"
        return [
            ("GET", row + "/attachments", self.list_attachments),
            ("GET", row + "/attachments/{name}", self.read_attachment),
            ("GET", row + "/versions/{instance}/attachments", self.list_attachments),
            ("GET", row + "/versions/{instance}/attachments/{name}", self.read_attachment),
            ("POST", row + "/attachments/{name}", self.add_attachment),
            ("GET", row + "/comments", self.list_comments),
            ("POST", row + "/comments", self.add_comment),
        ]

    def receive(self, project: Project, xml: bytes, sent: dict[str, bytes]) -> None:
        """Keep the files the answers name; what was not sent again is that of the version before."""
        root = etree.fromstring(xml)
        form = project.forms[str(root.get("id"))]
        meta = {local_name(e): e.text or "" for e in root.iter() if isinstance(e.tag, str)}
        before = self.files.get(meta["instanceID"], self.files.get(meta.get("deprecatedID", ""), {}))
        names = _expected(form, root)
        self.files[meta["instanceID"]] = {name: sent.get(name, before.get(name)) for name in names}

    def list_attachments(
        self,
        _: bytes,
        project: Project,  # noqa: ARG002
        form: Form,
        row: str,
        instance: str = "",
    ) -> Any:
        found = sorted(self._files_of(_live(form, row), instance).items())
        return [{"name": name, "exists": content is not None} for name, content in found]

    def read_attachment(  # noqa: PLR0917 - as its address
        self,
        _: bytes,
        project: Project,  # noqa: ARG002
        form: Form,
        row: str,
        name: str,
        request: Request,
        instance: str = "",
    ) -> Any:
        content = self._files_of(_live(form, row), instance).get(name)
        if content is None:
            raise missing()
        etag = {"ETag": f'"{md5(content, usedforsecurity=False).hexdigest()}"'}
        if request.headers.get("If-None-Match") == etag["ETag"]:
            return Response(status_code=304, headers=etag)
        return Response(content, headers=etag, media_type="application/octet-stream")

    def add_attachment(self, body: bytes, project: Project, form: Form, row: str, name: str) -> Any:  # noqa: ARG002
        files = self.files.get(_live(form, row).versions[-1][0], {})
        if name not in files:
            raise missing()
        files[name] = body
        return {"success": True}

    def list_comments(self, _: bytes, project: Project, form: Form, row: str, request: Request) -> Any:  # noqa: ARG002
        _live(form, row)
        actor = {"id": 5, "type": "user", "displayName": "Réviseuse"}
        more = {"actor": actor} if request.headers.get("X-Extended-Metadata") == "true" else {}
        return [{**comment, **more} for comment in reversed(self.comments.get(row, []))]

    def add_comment(self, body: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        _live(form, row)
        comment = {"body": json.loads(body)["body"], "actorId": 5, "createdAt": self.now()}
        self.comments.setdefault(row, []).append(comment)
        return comment

    def _files_of(self, row: Submission, instance: str) -> dict[str, bytes | None]:
        instance = instance or row.versions[-1][0]
        return self.files.get(instance, {}) if instance in dict(row.versions) else refuse(missing())


def _live(form: Form, row: str) -> Submission:
    found = form.rows.get(row) or refuse(missing())
    return found if not found.deleted else refuse(missing())


def _expected(form: Form, root: etree._Element) -> list[str]:
    """What the questions that take a file name, each name once; of an encrypted submission what its envelope names."""
    if root.get("encrypted") == "yes":
        return [e.text or "" for e in root.iter("{*}file", "{*}encryptedXmlFile")]
    version = next(xform for xform, _ in form.versions if xform.version == root.get("version", ""))
    paths = [path for path, kind in version.types.items() if kind == "binary"]
    texts = (root.findtext("/".join(f"{{*}}{part}" for part in path.split("/")[2:])) or "" for path in paths)
    return list(dict.fromkeys(text for text in texts if text))
