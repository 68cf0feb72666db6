"""The fake Central's submissions: received over OpenRosa, read as OData, reviewed, deleted."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml import etree
from starlette.responses import StreamingResponse

from tests.servers.fake_central_rows import as_row, name
from tests.servers.fake_central_state import (
    FORM,
    PROJECT,
    Form,
    ProblemError,
    Project,
    State,
    Submission,
    Table,
    missing,
    refuse,
    unknown_user,
)

_CLAUSE = re.compile(r"__system/(submissionDate|updatedAt|deletedAt) ge (\S+)")


class Submissions(State):
    def submission_routes(self) -> Table:
        return [
            ("GET", PROJECT + "/forms/{form}.svc/Submissions", self.odata),
            ("PATCH", FORM + "/submissions/{row}", self.review),
            ("DELETE", FORM + "/submissions/{row}", self.delete),
        ]

    def review(self, body: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        form.rows[row].review, form.rows[row].updated = json.loads(body)["reviewState"], self.now()
        return {"instanceId": row}

    def delete(self, _: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        form.rows[row].deleted = self.now()
        return {"success": True}

    def odata(self, _: bytes, project: Project, form: Form, query: dict[str, str]) -> Any:  # noqa: ARG002
        if not form.versions:
            raise missing()
        rows = [(root, row) for root, row in form.rows.items() if _selected(row, query.get("$filter"))]
        rows.sort(key=lambda found: found[1].created, reverse=True)
        return StreamingResponse(self._page(form, rows), media_type="application/json; charset=utf-8")

    def _page(self, form: Form, rows: list[tuple[str, Submission]]) -> Iterator[str]:
        yield '{"value":['
        for n, (root, row) in enumerate(rows):
            written = as_row(form.versions[-1][0], row.versions[-1][1], _system(row), root)
            yield ("," if n else "") + json.dumps(written, separators=(",", ":"), ensure_ascii=False)
        yield f'],"@odata.context":"http://elsewhere/$metadata#Submissions","@odata.count":{len(rows) + self.extra}}}'

    def _accept(self, project: Project, key: str, xml: bytes) -> None:
        users = [number for number, user in project.users.items() if user["token"] == key]
        if not users:
            raise ProblemError("403.1", "The authentication you provided does not have rights to perform that action.")
        root = etree.fromstring(xml)
        form = project.forms.get(str(root.get("id"))) or refuse(missing())
        if not set(users) & form.allowed:
            raise unknown_user()
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


def _selected(row: Submission, asked: str | None) -> bool:
    if asked is None:
        return row.deleted is None
    stamps = {"submissionDate": row.created, "updatedAt": row.updated, "deletedAt": row.deleted}
    clauses = [_CLAUSE.fullmatch(clause) or refuse(ProblemError("501.5", asked)) for clause in asked.split(" or ")]
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
