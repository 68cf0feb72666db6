"""The fake Central's submissions: received over OpenRosa, read as OData, reviewed, deleted."""

import json
import re
from collections.abc import Callable, Iterator
from hashlib import md5
from typing import Any

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

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

_CLAUSE = re.compile(r"__system/(submissionDate|updatedAt|deletedAt) (ge|eq|ne) ([^\s()]+)|__id eq '([^']*)'")
_STAMPS = {"submissionDate": "created", "updatedAt": "updated", "deletedAt": "deleted"}
Rows = list[tuple[str, Submission]]


class Submissions(State):
    def submission_routes(self) -> Table:
        row = FORM + "/submissions/{row}"
        return [
            ("GET", PROJECT + "/forms/{form}.svc/Submissions", self.odata),
            ("GET", FORM + "/submissions", self.list_rows),
            ("GET", row + ".xml", self.row_xml),
            ("GET", row + "/versions/{instance}.xml", self.row_xml),
            ("GET", row, self.show_row),
            ("POST", row + "/restore", self.restore),
            ("PATCH", row, self.review),
            ("DELETE", row, self.delete),
        ]

    def touched(self, row: Submission) -> Submission:
        """What happens to the submission's own row gives it a new number; what hangs on it does not."""
        self.events += 1
        row.event = self.events
        return row

    def review(self, body: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        found = self.touched(_live(form, row))
        found.review, found.updated = json.loads(body)["reviewState"], self.now()
        return {"instanceId": row}

    def delete(self, _: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        self.touched(_live(form, row)).deleted = self.now()
        return {"success": True}

    def restore(self, _: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        found = form.rows.get(row) or refuse(missing())
        if not found.deleted:
            raise missing()
        self.touched(found).deleted = None
        return {"success": True}

    def purge(self, project: Project) -> None:
        """Remove what was deleted for good: no answer of the server says so."""
        for form in project.forms.values():
            form.rows = {root: row for root, row in form.rows.items() if not row.deleted}

    def show_row(self, _: bytes, project: Project, form: Form, row: str) -> Any:  # noqa: ARG002
        return _listed(row, _live(form, row))

    def row_xml(self, _: bytes, project: Project, form: Form, row: str, instance: str = "") -> Any:  # noqa: ARG002
        versions = _live(form, row).versions
        found = dict(versions).get(instance or versions[-1][0]) or refuse(missing())
        return Response(found, media_type="application/xml")

    def odata(self, _: bytes, project: Project, form: Form, request: Request) -> Any:  # noqa: ARG002
        if not form.versions:
            raise missing()
        return self._answer(request, selected(form, request.query_params.get("$filter")), self._page(form))

    def list_rows(self, _: bytes, project: Project, form: Form, request: Request) -> Any:  # noqa: ARG002
        found = [(root, row) for root, row in _newest(form) if bool(row.deleted) == _wants_deleted(request)]
        return self._answer(request, found, lambda rows: iter([json.dumps([_listed(*row) for row in rows])]))

    def _answer(self, request: Request, rows: Rows, write: Callable[[Rows], Iterator[str]]) -> Response:
        state = "0" * 32
        for _, row in rows:
            event = md5(str(row.event).encode(), usedforsecurity=False).hexdigest()
            state = md5(f"{state}{event}".encode(), usedforsecurity=False).hexdigest()
        etag = {"ETag": f'W/"eventhash:{state}"'}
        if request.headers.get("If-None-Match") == etag["ETag"]:
            return Response(status_code=304, headers=etag)
        return StreamingResponse(write(rows), headers=etag, media_type="application/json; charset=utf-8")

    def _page(self, form: Form) -> Callable[[Rows], Iterator[str]]:
        def write(rows: Rows) -> Iterator[str]:
            yield '{"value":['
            for n, (root, row) in enumerate(rows):
                written = as_row(form.versions[-1][0], row.versions[-1][1], _system(row) | self.counted(row), root)
                yield ("," if n else "") + json.dumps(written, separators=(",", ":"), ensure_ascii=False)
            count = len(rows) + self.extra
            yield f'],"@odata.context":"http://elsewhere/$metadata#Submissions","@odata.count":{count}}}'

        return write

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
            form.rows[instance] = self.touched(Submission([(instance, xml)], version, self.now()))
        elif edited not in known:
            raise ProblemError("404.5", f"… we can't find that submission to update ({edited})")
        else:
            row = next(row for row in form.rows.values() if edited in dict(row.versions))
            if row.versions[-1][0] != edited:
                raise ProblemError("409.9", "… the copy you were editing is now out of date.")
            self.touched(row).versions.append((instance, xml))
            row.updated, row.review = self.now(), "edited"


def _live(form: Form, row: str) -> Submission:
    found = form.rows.get(row) or refuse(missing())
    return found if not found.deleted else refuse(missing())


def _newest(form: Form) -> Rows:
    rows = [*form.rows.items()][::-1]
    return sorted(rows, key=lambda found: found[1].created, reverse=True)


def selected(form: Form, asked: str | None) -> Rows:
    """The rows of an OData filter; without a word on deletion, the live ones."""
    return [(root, row) for root, row in _newest(form) if _is_selected(root, row, asked)]


def _is_selected(root: str, row: Submission, asked: str | None) -> bool:
    if asked is None or "deletedAt" not in asked:
        asked = f"({asked or '__system/deletedAt eq null'}) and __system/deletedAt eq null"
    told = _CLAUSE.sub(lambda clause: str(_holds(clause, root, row)), asked)
    if set(re.findall(r"[^\s()]+", told)) - {"True", "False", "and", "or"}:
        raise ProblemError("501.5", f"The given OData filter expression uses features not supported: {asked}")
    return bool(eval(told, {"__builtins__": {}}))  # noqa: S307 - nothing is left in it but and, or, True, False


def _holds(clause: re.Match[str], root: str, row: Submission) -> bool:
    field, relation, literal, named = clause.groups()
    if named is not None:
        return root == named
    stamp = getattr(row, _STAMPS[field])
    if literal == "null":
        return (stamp is None) == (relation == "eq")
    return stamp is not None and stamp >= literal


def _wants_deleted(request: Request) -> bool:
    return str(request.query_params.get("deleted")) == "true"


def _listed(root: str, row: Submission) -> dict[str, Any]:
    sent = {"submitterId": 101, "createdAt": row.created, "deviceId": None, "userAgent": "Collect"}
    current = {**sent, "instanceId": row.versions[-1][0], "instanceName": None, "current": True}
    stamps = {"updatedAt": row.updated, "deletedAt": row.deleted}
    return {**sent, "instanceId": root, "reviewState": row.review, **stamps, "currentVersion": current}


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
