"""What people do to rows of the fake kpi: reviews, bulk edits, duplicates, deletions."""

import xml.etree.ElementTree as ET
from typing import Any
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from tests.servers.fake_kobo_data import Data
from tests.servers.fake_kobo_query import matches
from tests.servers.fake_kobo_state import DATA, Asset, Call, RefusalError, Submission, Table, Upload, forbidden
from tests.servers.fake_kobo_submit import PhoneError
from tests.servers.fake_kobo_users import rights

LABELS = {
    "validation_status_approved": "Approved",
    "validation_status_not_approved": "Not Approved",
    "validation_status_on_hold": "On Hold",
}
_STATUS = "validation_status.uid"
_PROTECTED = ("__version__", "formhub", "meta")


class Review(Data):
    def review_routes(self) -> Table:
        return [
            ("GET", DATA + "{row}/validation_status/", self.show_status),
            ("PATCH", DATA + "{row}/validation_status/", self.set_status),
            ("DELETE", DATA + "{row}/validation_status/", self.reset_status),
            ("PATCH", DATA + "validation_statuses/", self.set_statuses),
            ("DELETE", DATA + "validation_statuses/", self.set_statuses),
            ("PATCH", DATA + "bulk/", self.edit_rows),
            ("DELETE", DATA + "bulk/", self.drop_rows),
            ("DELETE", DATA + "{row}/", self.drop_row),
            ("POST", DATA + "{row}/duplicate/", self.duplicate),
        ]

    def show_status(self, call: Call) -> Any:
        return self.row(call, self.deployed(call)[1]).validation

    def set_status(self, call: Call) -> Any:
        asset, row = self._one(call, "validate_submissions")
        uid = call.sent().get(_STATUS)
        if uid not in LABELS:
            raise RefusalError(400, {"detail": f"Invalid validation status: `{uid}`"})
        self._review(call, row, uid)
        self.write(asset, row)
        self.note(asset, call.user, "modify-submission", row, status=LABELS[uid])
        return row.validation

    def reset_status(self, call: Call) -> Response:
        asset, row = self._one(call, "validate_submissions")
        row.validation = {}
        self.write(asset, row)
        self.note(asset, call.user, "modify-submission", row, status="None")
        return Response(status_code=204)

    def set_statuses(self, call: Call) -> Any:
        asset, rows, payload = self._many(call, "validate_submissions")
        found = _named(payload, rows)
        if _STATUS not in payload:
            raise RefusalError(400, {"payload": [f"`{_STATUS}` is required"]})
        for row in found:
            self._review(call, row, payload[_STATUS])
            self.write(asset, row)
            self.note(asset, call.user, "modify-submission", row, status=LABELS.get(payload[_STATUS], "None"))
        return {"detail": f"{len(found)} submissions have been updated"}

    def _one(self, call: Call, right: str) -> tuple[Asset, Submission]:
        """The row of the address, if one has the right to it."""
        asset, rows = self.deployed(call, right)
        row = self.row(call, asset.visible)
        if row not in rows:
            raise forbidden()
        return asset, row

    def _many(self, call: Call, right: str) -> tuple[Asset, list[Submission], dict[str, Any]]:
        """The rows one has a right to, and what is to be done: to those alone, if the right is not to all."""
        asset, rows = self.deployed(call, right)
        payload = call.sent().get("payload")
        if not isinstance(payload, dict):
            raise RefusalError(400, {"payload": ["This field is required."]})
        asked = {int(one) for one in payload.get("submission_ids", ())}
        if right not in rights(asset, call.user) and asked - {row.number for row in rows}:
            raise forbidden()
        return asset, rows, payload

    def _review(self, call: Call, row: Submission, uid: str | None) -> None:
        """Many at once may be given a status nobody knows: it is none."""
        told = {"timestamp": int(self.now().timestamp()), "uid": uid, "by_whom": call.user}
        row.validation = {**told, "label": LABELS[uid]} if uid in LABELS else {}

    def edit_rows(self, call: Call) -> Any:
        asset, rows, payload = self._many(call, "change_submissions")
        wanted = _ids(payload)
        if not payload.get("data"):
            raise RefusalError(400, {"payload": ["`data` is required"]})
        if not all(isinstance(value, str) for value in payload["data"].values()):
            raise RefusalError(500)
        found = [row for row in rows if row.number in wanted]
        if not found:
            raise RefusalError(400, ["No submissions match the given `submission_ids`"])
        results = []
        for row in found:
            uuid = str(uuid4())
            self.replace(asset, call.user, row, _edited(row.xml, uuid, payload["data"]), [])
            told = {"status_code": 201, "message": "Successful submission"}
            results.append({"uuid": uuid, "root_uuid": row.root, **told})
        return {"count": len(results), "successes": len(results), "failures": 0, "results": results}

    def drop_rows(self, call: Call) -> Any:
        asset, rows, payload = self._many(call, "delete_submissions")
        found = _named(payload, rows)
        for row in found:
            del asset.rows[row.number]
            self.note(asset, call.user, "delete-submission", row)
        return {"detail": f"{len(found)} submissions have been deleted"}

    def drop_row(self, call: Call) -> Response:
        asset, row = self._one(call, "delete_submissions")
        del asset.rows[row.number]
        self.note(asset, call.user, "delete-submission", row)
        return Response(status_code=204)

    def duplicate(self, call: Call) -> Response:
        asset, row = self._one(call, "change_submissions")
        uuid = str(uuid4())
        files = [Upload(one.name, one.kind, one.content) for one in row.attachments if not (one.deleted or one.dropped)]
        try:
            new = self.receive(call.user, _copied(row.xml, uuid, self.now().isoformat(timespec="milliseconds")), files)
        except PhoneError as refusal:
            raise RefusalError(refusal.status, {"detail": refusal.message}) from None
        return JSONResponse(self.shown(call, asset, new.row), 201)


def _ids(payload: dict[str, Any]) -> set[int]:
    found = {int(one) for one in payload.get("submission_ids", ())}
    if not found:
        raise RefusalError(400, {"payload": ["`submission_ids` must contain at least one value"]})
    return found


def _named(payload: dict[str, Any], rows: list[Submission]) -> list[Submission]:
    """The rows of the ids sent, all of which must be there, or those of a query; all only if confirmed."""
    if "submission_ids" not in payload:
        if "query" not in payload and not payload.get("confirm"):
            raise RefusalError(400, {"payload": ["Confirmation is required"]})
        return [row for row in rows if matches(row.row, payload.get("query", {}))]
    wanted = _ids(payload)
    found = [row for row in rows if row.number in wanted]
    if len(found) < len(wanted):
        raise RefusalError(400, {"detail": "One or more submission ids are invalid"})
    return found


def _edited(xml: str, uuid: str, data: dict[str, str]) -> str:
    """The XML of a bulk edit: its `rootUuid`, where it had none, is the uuid it has so far, not its first one."""
    root = ET.fromstring(xml)  # noqa: S314
    current = _at(root, "meta/instanceID")
    before, first = _at(root, "meta/deprecatedID"), _at(root, "meta/rootUuid")
    first.text = first.text or current.text
    before.text, current.text = current.text, f"uuid:{uuid}"
    for path, value in data.items():
        if path.partition("/")[0] not in _PROTECTED:
            _at(root, path).text = value
    return ET.tostring(root, encoding="unicode")


def _copied(xml: str, uuid: str, now: str) -> str:
    root = ET.fromstring(xml)  # noqa: S314
    for name in ("start", "end"):
        if (found := root.find(name)) is not None:
            found.text = now
    meta = _at(root, "meta")
    for old in [one for one in meta if one.tag in {"rootUuid", "deprecatedID"}]:
        meta.remove(old)
    _at(meta, "instanceID").text = f"uuid:{uuid}"
    return ET.tostring(root, encoding="unicode")


def _at(root: ET.Element, path: str) -> ET.Element:
    for name in path.split("/"):
        found = root.find(name)
        root = ET.SubElement(root, name) if found is None else found
    return root
