"""How the fake kpi takes submissions: new, edited, sent twice, late attachments; and how it writes the rows."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.parsers.expat import ExpatError

from tests.servers.fake_kobo_deploy import Deploy
from tests.servers.fake_kobo_rows import (
    MEDIA_TYPES,
    answers,
    bare,
    file_places,
    geolocation,
    meta,
    parsed,
    paths,
    prefixed,
    printable,
    stored_name,
)
from tests.servers.fake_kobo_state import (
    ANONYMOUS,
    ASSETS,
    Asset,
    Attachment,
    Call,
    RefusalError,
    Submission,
    Upload,
    missing,
    new_uid,
)
from tests.servers.fake_kobo_users import NO_CREDENTIALS, rights

_FORM_UUID = re.compile(r"<formhub>\s*<uuid>\s*([^<]+)\s*</uuid>\s*</formhub>")
_KEPT = re.compile(r".*\.enc|audit\.csv|\d{10,}\.(m4a|amr)|background-audio-\d{8}_\d{6}\.webm")
_UPLOADED = tuple(kind for kind in MEDIA_TYPES if kind != "background-audio")


class PhoneError(Exception):
    """A refusal told in the words of OpenRosa."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Submit(Deploy):
    def receive(self, user: str, xml: str, files: Iterable[Upload]) -> Submission:
        """Store what a phone sent, or refuse it as kpi does, in its order."""
        if not printable(xml):
            told = "Submission rejected: the form contains unsupported or invisible characters."
            raise PhoneError(400, told)
        try:
            return self._receive(user, xml, [*files])
        except ExpatError:
            raise PhoneError(400, "Improperly formatted XML.") from None

    def _receive(self, user: str, xml: str, files: list[Upload]) -> Submission:
        asset = self._addressed(xml)
        _require_right(asset, user)
        if not _uuid(xml):
            raise PhoneError(400, "Instance ID is required")
        for place in (one for one in self.assets.values() if one.owner == asset.owner):
            twin = next((row for row in place.rows.values() if row.xml == xml), None)
            if twin is not None:
                return self._again(place, twin, files)
        edited = _edited(asset, xml)
        if edited is None:
            return self._add(asset, user, xml, files)
        if user == ANONYMOUS:
            raise RefusalError(401, NO_CREDENTIALS)
        if "change_submissions" not in rights(asset, user):
            raise PhoneError(403, "Access denied")
        return self.replace(asset, user, edited, xml, files)

    def _addressed(self, xml: str) -> Asset:
        """The form of its `formhub/uuid`, and else the one named by the root's `id`."""
        told = _FORM_UUID.search(xml)
        deployed = [one for one in self.assets.values() if one.deployment]
        for asset in deployed:
            if told and asset.deployment and asset.deployment.uuid == told[1]:
                return asset
        root = parsed(xml).documentElement
        assert root is not None
        found = next((one for one in deployed if one.uid == root.getAttribute("id")), None)
        if found is None:
            raise missing()
        return found

    def _again(self, asset: Asset, row: Submission, files: list[Upload]) -> Submission:
        _require_active(asset)
        new = _new_files(row, files)
        if not new:
            raise PhoneError(202, "Duplicate Instance")
        self._attach(asset, row, new)
        self.write(asset, row)
        return row

    def _add(self, asset: Asset, user: str, xml: str, files: list[Upload]) -> Submission:
        _require_active(asset)
        number, root = self.number(), bare(meta(xml, "rootUuid") or _uuid(xml))
        if any(row.root == root for row in asset.rows.values()):
            raise PhoneError(409, "Submission with this instance ID already exists")
        _require_answers(asset, xml)
        by = None if user == ANONYMOUS else user
        created = _dated(xml) or self.now()
        row = Submission(number, xml, _uuid(xml), root, created, self.now(), by, late=self.slow)
        self._attach(asset, row, files)
        asset.rows[number] = row
        asset.last_submission = created
        self.write(asset, row)
        self.note(asset, user, "add-submission", row)
        return row

    def replace(self, asset: Asset, user: str, row: Submission, xml: str, files: list[Upload]) -> Submission:
        """An edit: the same row with another uuid."""
        _require_active(asset)
        _require_answers(asset, xml)
        new = _new_files(row, files)
        row.replaced.append(row.uuid)
        row.xml, row.uuid = xml, _uuid(xml)
        self._attach(asset, row, new)
        self.write(asset, row)
        self.note(asset, user, "modify-submission", row)
        return row

    def _attach(self, asset: Asset, row: Submission, files: list[Upload]) -> None:
        """Keep the files, and drop those that no answer names, when the form asks for files at all."""
        assert asset.deployment is not None
        folder = f"{asset.owner}/attachments/{asset.deployment.uuid}/{row.root}"
        for file in files:
            path = f"{folder}/{stored_name(file.name)}"
            row.attachments.append(Attachment(new_uid("att"), file.name, file.kind, file.content, path))
        content = asset.deployment.version.content
        asked = frozenset(paths(content, *_UPLOADED))
        if not asked:
            return
        named = set(_texts(answers(row.xml, content), asked))
        for one in reversed([file for file in row.attachments if not file.deleted]):
            if one.name in named and not one.dropped:
                named.discard(one.name)
            elif not _KEPT.fullmatch(one.name):
                one.dropped = True

    def write(self, asset: Asset, row: Submission) -> None:
        """Write the row that the lists show. The first time keeps the offset of a date it was given; later ones not."""
        assert asset.deployment is not None
        content = asset.deployment.version.content
        found = answers(row.xml, content)
        row.modified = self.now()
        if row.row:
            row.created = row.created.astimezone(UTC)
        row.row = {
            "_id": row.number,
            **found,
            "_uuid": row.uuid,
            "meta/rootUuid": prefixed(row.root),
            "_attachments": [_stored(one) for one in row.attachments if not one.dropped],
            "_status": "submitted_via_web",
            "_geolocation": geolocation(found, content),
            "_submission_time": f"{row.created:%Y-%m-%dT%H:%M:%S}",
            "_validation_status": row.validation,
            "_submitted_by": row.by,
        }

    def shown(self, call: Call, asset: Asset, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with the addresses of its attachments, and where each was asked for, if those columns are there."""
        if "_attachments" not in row:
            return dict(row)
        media = frozenset(path for version in asset.versions for path in paths(version.content, *MEDIA_TYPES))
        places = file_places(row, media)
        url = f"{call.base}{ASSETS}{asset.uid}/data/{row['_id']}/attachments/"
        return {**row, "_attachments": [_addressed(one, url, places) for one in row["_attachments"]]}


def _uuid(xml: str) -> str:
    return bare(meta(xml, "instanceID") or "")


def _require_right(asset: Asset, user: str) -> None:
    if asset.open_to_all:
        return
    if user == ANONYMOUS:
        raise RefusalError(401, NO_CREDENTIALS)
    if "add_submissions" not in rights(asset, user):
        raise PhoneError(403, "Access denied")


def _require_active(asset: Asset) -> None:
    if asset.deployment is None or not asset.deployment.active:
        raise PhoneError(405, "Form is not active")


def _require_answers(asset: Asset, xml: str) -> None:
    found = answers(xml, asset.content)
    if not found:
        raise PhoneError(400, "Received empty submission. No instance was created")
    try:
        geolocation(found, asset.content)
    except ValueError:
        raise RefusalError(500) from None


def _edited(asset: Asset, xml: str) -> Submission | None:
    told = meta(xml, "deprecatedID")
    if not told:
        return None
    found = next((row for row in asset.rows.values() if row.uuid == bare(told)), None)
    if found is not None:
        return found
    if any(bare(told) in row.replaced for row in asset.rows.values()):
        raise PhoneError(410, "Invalid submission - deprecatedID refers to an old version")
    raise PhoneError(404, "Invalid submission - deprecatedID not found")


def _new_files(row: Submission, files: list[Upload]) -> list[Upload]:
    there = {one.name: one.content for one in row.attachments if not (one.deleted or one.dropped)}
    if any(there.get(file.name, file.content) != file.content for file in files):
        raise PhoneError(409, "Attachment with same name already exists")
    return [file for file in files if file.name not in there]


def _dated(xml: str) -> datetime | None:
    """The date of sending that the root gives, if it does."""
    root = parsed(xml).documentElement
    assert root is not None
    told = root.getAttribute("submissionDate")
    if not told:
        return None
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise RefusalError(500) from None
    return at.replace(tzinfo=at.tzinfo or UTC)


def _texts(row: Mapping[str, Any], asked: frozenset[str]) -> Iterable[str]:
    for key, value in row.items():
        if isinstance(value, list):
            for one in value:
                yield from _texts(one, asked)
        elif key in asked:
            yield value


def _stored(file: Attachment) -> dict[str, Any]:
    named = {"mimetype": file.kind, "filename": file.path, "media_file_basename": file.name}
    return {**named, "uid": file.uid, "is_deleted": file.deleted}


def _addressed(file: Mapping[str, Any], url: str, places: Mapping[str, str]) -> dict[str, Any]:
    own = f"{url}{file['uid']}/"
    sizes = ("large", "medium", "small") if file["mimetype"].startswith("image/") else ()
    thumbs = {f"download_{size}_url": f"{own}{size}/" for size in sizes}
    place = places.get(file["filename"].rpartition("/")[2], "")
    return {"download_url": own, **file, **thumbs, "question_xpath": place}
