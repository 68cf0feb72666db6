"""The fake kpi's rows: listed, one by one, as JSON and as XML, with their attachments; and the project's history."""

import re
from typing import Any
from xml.sax.saxutils import escape

from starlette.responses import JSONResponse, Response

from tests.servers.fake_kobo_assets import paged
from tests.servers.fake_kobo_phone import Phone
from tests.servers.fake_kobo_query import asked_json, linked, ordered, picked, positive, selected
from tests.servers.fake_kobo_rows import bare
from tests.servers.fake_kobo_state import (
    ANONYMOUS,
    ASSET,
    DATA,
    Asset,
    Attachment,
    Call,
    RefusalError,
    Submission,
    Table,
    forbidden,
    missing,
    raw,
)
from tests.servers.fake_kobo_users import NO_CREDENTIALS, reach, rights

_ATTACHMENT = DATA + "{row}/attachments/{file}/"
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>\s*")
_ACTION, _SINCE = re.compile(r"action:([\w-]+)"), re.compile(r'date_created__gte:"?([^"\s)]+)')


class Data(Phone):
    def data_routes(self) -> Table:
        return [
            ("GET", DATA, self.list_rows),
            ("GET", DATA[:-1] + ".{format}", self.list_rows),
            ("GET", DATA + "{row}/", self.show_row),
            ("GET", DATA + "{row}.{format}", self.show_row),
            ("GET", DATA + "{row}/attachments/", self.find_attachment),
            ("GET", _ATTACHMENT, self.read_attachment),
            ("GET", _ATTACHMENT + "{size}/", self.read_attachment),
            ("DELETE", ASSET + "attachments/{file}/", self.drop_attachment),
            ("GET", ASSET + "history/", self.list_history),
        ]

    def deployed(self, call: Call, right: str = "view_submissions") -> tuple[Asset, list[Submission]]:
        """The asset, and the rows one has a right to."""
        asset = self.assets.get(call.path("uid"))
        if asset is None:
            raise RefusalError(404)
        rows = reach(asset, call.user, right)
        if asset.deployment is None:
            raise RefusalError(400, {"detail": "The specified asset has not been deployed"})
        return asset, rows

    def list_rows(self, call: Call) -> Response:
        as_xml = _format(call) == "xml"
        try:
            asset, rows = self.deployed(call)
            found, limit, start = self._asked(call, rows, as_xml=as_xml)
        except RefusalError as refusal:
            return _refused(refusal, as_xml=as_xml)
        self.note(asset, call.user, "view-data")
        head, cut = linked(call, len(found), limit), found[start : start + limit]
        if as_xml:
            return _xml(_page({row.number: row for row in rows}, cut, head))
        fields = asked_json(call, "fields", [])
        return JSONResponse(
            {**head, "results": [picked(self.shown(call, asset, _cut(row, fields)), fields) for row in cut]}
        )

    def _asked(self, call: Call, rows: list[Submission], *, as_xml: bool) -> tuple[list[dict[str, Any]], int, int]:
        if {"user", "skip_count"} & call.query.keys():
            raise RefusalError(500)
        limit = positive(call.query.get("limit", "100"), "limit", least=1)
        if "count" in call.query:
            raise RefusalError(400, {"count": _NO_COUNT})
        for name, told in (("sort", "This param is not supported"), ("fields", "This is not supported")):
            if as_xml and name in call.query:
                raise RefusalError(400, {name: f"{told} in `XML` format"})
        query, sort = asked_json(call, "query", {}), asked_json(call, "sort", {})
        start = positive(call.query.get("start", "0"), "start", ".")
        asked_json(call, "fields", [])
        found = ordered([dict(row) for row in selected([row.row for row in rows], query)], sort)
        return found, min(limit, self.page_limit), start

    def row(self, call: Call, rows: list[Submission]) -> Submission:
        """The row of a number, of its first uuid or of the present one, with or without what is before it."""
        asked = bare(call.path("row"))
        for row in rows:
            if asked in {str(row.number), row.root, row.uuid}:
                return row
        raise missing()

    def show_row(self, call: Call) -> Response:
        as_xml = _format(call) == "xml"
        try:
            asset, rows = self.deployed(call)
            row = self.row(call, rows)
        except RefusalError as refusal:
            return _refused(refusal, as_xml=as_xml)
        if as_xml:
            return _xml(row.xml if row.xml.startswith("<?xml") else _DECLARED + row.xml.strip())
        return JSONResponse(self.shown(call, asset, row.row))

    def find_attachment(self, call: Call) -> Response:
        asset, rows = self.deployed(call)
        row = self.row(call, rows)
        if not (asked := call.query.get("xpath")):
            raise RefusalError(400, {"detail": "`xpath` query parameter is required"})
        shown = self.shown(call, asset, row.row)["_attachments"]
        uid = next((one["uid"] for one in shown if one["question_xpath"] == asked), None)
        if uid is None:
            raise RefusalError(400, {"detail": "The path could not be found in the submission"})
        return _sent(row, uid)

    def read_attachment(self, call: Call) -> Response:
        return _sent(self.row(call, self.deployed(call)[1]), call.path("file"))

    def drop_attachment(self, call: Call) -> Response:
        """The row says `is_deleted`; nothing else of it changes, and the history does not know."""
        asset, rows = self.deployed(call, "change_submissions")
        for row in rows:
            for file in row.attachments:
                if file.uid == call.path("file") and not (file.deleted or file.dropped):
                    file.deleted = True
                    # Files come in the order in which they were last written.
                    row.attachments.sort(key=lambda one: one is file)
                    self.write(asset, row)
                    return raw(b"", "application/json", status=204)
        if "change_submissions" not in rights(asset, call.user):
            raise forbidden()
        raise RefusalError(400, {"attachment_uid": ["Invalid attachment UID"]})

    def list_history(self, call: Call) -> Any:
        asset = self.assets.get(call.path("uid"))
        if asset is None:
            raise missing("Asset")
        if call.user == ANONYMOUS:
            raise RefusalError(401, NO_CREDENTIALS)
        if "manage_asset" not in rights(asset, call.user):
            raise forbidden()
        query = call.query.get("q", "")
        actions, since = _ACTION.findall(query), _SINCE.search(query)
        if query and not (actions or since):
            return paged(call, [])
        lines = [one for one in reversed(asset.history) if not actions or one["action"] in actions]
        lines = [one for one in lines if since is None or one["date_created"] >= since[1]]
        return paged(call, [{"user": f"{call.base}/api/v2/users/{one['username']}/", **one} for one in lines])


_DECLARED = '<?xml version="1.0" encoding="utf-8"?>'
_NO_COUNT = "This param is not implemented. Use `count` property of the response instead."


def _format(call: Call) -> str:
    return str(call.request.path_params.get("format") or call.query.get("format", "json"))


def _cut(row: dict[str, Any], fields: Any) -> dict[str, Any]:
    """Where a file was asked for is looked up among the columns that were named: elsewhere it is nowhere."""
    if not isinstance(fields, list) or not fields:
        return row
    return {key: value for key, value in row.items() if key in {*fields, "_id", "_uuid", "meta/rootUuid"}}


def _xml(text: str, status: int = 200) -> Response:
    return Response(text, status, headers={"content-type": "application/xml; charset=utf-8"})


def _refused(refusal: RefusalError, *, as_xml: bool) -> Response:
    if not as_xml or not isinstance(refusal.body, dict):
        return refusal.response()
    ((name, told),) = refusal.body.items()
    return _xml(f"{_DECLARED}<root><{name}>{escape(str(told))}</{name}></root>", refusal.status)


def _page(rows: dict[int, Submission], cut: list[dict[str, Any]], head: dict[str, Any]) -> str:
    told = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in head.items())
    found = "".join(_DECLARATION.sub("", rows[one["_id"]].xml) for one in cut)
    return f"{_DECLARED}<root>{told}<results>{found}</results></root>"


def _sent(row: Submission, uid: str) -> Response:
    file: Attachment | None = next((one for one in row.attachments if one.uid == uid), None)
    if file is None or file.deleted or file.dropped:
        raise missing()
    name = f"inline; filename={file.name}".encode().decode("latin-1")
    return raw(file.content, file.kind, name)
