"""The fake kpi's projects: listed, shown, changed, imported from a workbook, and their versions."""

import base64
import copy
import json
import re
from collections import Counter
from hashlib import sha1
from typing import Any
from zipfile import BadZipFile

from starlette.responses import JSONResponse, Response

from tests.servers import kobo_content
from tests.servers.fake_kobo_query import linked
from tests.servers.fake_kobo_state import (
    ANONYMOUS,
    ASSET,
    ASSETS,
    Asset,
    Call,
    RefusalError,
    Table,
    Version,
    forbidden,
    missing,
    new_uid,
    stamp,
)
from tests.servers.fake_kobo_users import NO_CREDENTIALS, Users, own, rights
from tests.servers.kobo_content import content_of, sheets_from_xlsx

_SETTINGS = {"sector": {}, "country": [], "description": "", "organization": "", "country_codes": []}
_TERM = re.compile(r'(?P<key>\w+):(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s()]+))|(?P<word>"[^"]*"|[^\s():]+)')


class ImportRefusedError(Exception):
    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Assets(Users):
    def asset_routes(self) -> Table:
        return [
            ("GET", ASSETS, self.list_assets),
            ("POST", ASSETS, self.add_asset),
            ("GET", ASSET, self.show_asset),
            ("PATCH", ASSET, self.change_asset),
            ("DELETE", ASSET, self.drop_asset),
            ("GET", ASSET + "versions/", self.list_versions),
            ("GET", ASSET + "versions/{version}/", self.show_version),
            ("GET", "/api/v2/imports/{task}/", self.show_import),
            ("POST", "/api/v2/imports/", self.start_import),
            ("GET", "/api/v2/imports/", self.list_imports),
        ]

    def list_assets(self, call: Call) -> Any:
        mine = [
            one for one in self.assets.values() if call.user != ANONYMOUS and "view_asset" in rights(one, call.user)
        ]
        found = [one for one in mine if _is_asked(one, call.query.get("q", ""))]
        return paged(
            call, [self.summary(call, one) for one in sorted(found, key=lambda one: one.modified, reverse=True)]
        )

    def summary(self, call: Call, asset: Asset) -> dict[str, Any]:
        api, deployed, mine = f"{call.base}/api/v2", asset.deployment, rights(asset, call.user)
        status = ("deployed" if deployed.active else "archived") if deployed else "draft"
        return {
            "url": f"{api}/assets/{asset.uid}/",
            "uid": asset.uid,
            "kind": "asset",
            "name": asset.name,
            "asset_type": asset.kind,
            "owner": f"{api}/users/{asset.owner}/",
            "owner__username": asset.owner,
            "tag_string": "",
            "settings": asset.settings,
            "date_created": stamp(asset.created),
            "date_modified": stamp(asset.modified),
            "date_deployed": stamp(deployed.deployed) if deployed else None,
            "version_id": asset.versions[-1].uid,
            "has_deployment": deployed is not None,
            "deployed_version_id": deployed.version.uid if deployed else None,
            "deployment__active": deployed is not None and deployed.active,
            "deployment__submission_count": len(asset.visible) if "view_submissions" in mine else None,
            "deployment__last_submission_time": stamp(asset.last_submission) if asset.last_submission else None,
            "deployment__uuid": deployed.uuid if deployed else None,
            "deployment_status": status,
            "status": _seen(asset),
            "permissions": self.grants_json(call, asset),
            "data": f"{api}/assets/{asset.uid}/data/",
        }

    def detail(self, call: Call, asset: Asset) -> dict[str, Any]:
        deployed = [version_json(call, asset, one) for one in reversed(asset.versions) if one.deployed]
        return {
            **self.summary(call, asset),
            "content": asset.content,
            "deployment__links": self._pages(asset),
            "deployment__data_download_links": _downloads(call, asset),
            "version_count": len(asset.versions),
            "deployed_versions": {"count": len(deployed), "next": None, "previous": None, "results": deployed},
        }

    def _pages(self, asset: Asset) -> dict[str, str]:
        if asset.deployment is None or not self.enketo:
            return {}
        code = asset.uid[-8:]
        return {"offline_url": f"{self.enketo}/x/{code}", "url": f"{self.enketo}/{code}"}

    def add_asset(self, call: Call) -> Response:
        sent = call.sent()
        if call.user == ANONYMOUS:
            raise RefusalError(401, NO_CREDENTIALS)
        if "clone_from" in sent:
            sent = self._cloned(call, sent)
        if sent.get("asset_type") not in {"survey", "block"}:
            unknown = f'"{sent.get("asset_type")}" is not a valid choice.'
            raise RefusalError(400, {"asset_type": [unknown if "asset_type" in sent else "This field is required."]})
        settings = _settings(sent)
        asset = self.new_asset(call.user, sent.get("name", ""), sent["asset_type"])
        asset.settings |= settings
        self.new_version(asset, completed(sent.get("content") or {}))
        return JSONResponse(self.detail(call, asset), 201)

    def _cloned(self, call: Call, sent: dict[str, Any]) -> dict[str, Any]:
        """A copy is made of the newest content, and keeps what is written in the settings."""
        source = self.assets.get(sent["clone_from"])
        if source is None or "view_asset" not in rights(source, call.user):
            raise missing("Asset")
        made = {"name": source.name, "asset_type": source.kind, "content": source.content}
        return {**made, **sent, "settings": {**source.settings, **_settings(sent)}}

    def show_asset(self, call: Call) -> Any:
        return self.detail(call, self.found(call))

    def change_asset(self, call: Call) -> Any:
        """Settings are merged key by key; a name or a content makes a new version."""
        asset, sent = self.found(call, "change_asset"), call.sent()
        asset.settings = {**asset.settings, **_settings(sent)}
        asset.name = sent.get("name", asset.name)
        asset.modified = self.now()
        if "name" in sent or "content" in sent:
            self.new_version(asset, completed(sent.get("content") or asset.content))
        return self.detail(call, asset)

    def drop_asset(self, call: Call) -> Response:
        asset = self.found(call)
        if "manage_asset" not in rights(asset, call.user):
            raise forbidden()
        del self.assets[asset.uid]
        return Response(status_code=204)

    def new_version(self, asset: Asset, content: dict[str, Any]) -> None:
        asset.modified = self.now()
        asset.versions.append(Version(new_uid("v"), copy.deepcopy(content), asset.modified))

    def list_versions(self, call: Call) -> Any:
        asset = self.found(call, unknown=missing("Asset"))
        return paged(call, [version_json(call, asset, one) for one in reversed(asset.versions)])

    def show_version(self, call: Call) -> Any:
        asset = self.found(call, unknown=missing("Asset"))
        version = next((one for one in asset.versions if one.uid == call.path("version")), None)
        if version is None:
            raise missing("AssetVersion")
        return {**version_json(call, asset, version), "content": version.content}

    async def start_import(self, call: Call) -> Response:
        """The workbook is read at once, but only the task says so."""
        if call.user == ANONYMOUS:
            raise RefusalError(401, NO_CREDENTIALS)
        files = await call.files()
        encoded = call.text("base64Encoded")
        data = base64.b64decode(encoded[encoded.index("base64") + 7 :]) if encoded else None
        data = files["file"].content if data is None and "file" in files else data
        task = new_uid("i")
        told = {"uid": task, "url": f"{call.base}/api/v2/imports/{task}/", "status": "processing"}
        try:
            outcome = {"status": "complete", "uid": task, "messages": self._import(call, data)}
        except ImportRefusedError as error:
            message = {"error": str(error), "error_type": error.kind}
            outcome = {"status": "error", "uid": task, "messages": message}
        self.imports[task] = {**outcome, "date_created": stamp(self.now()), "user": call.user}
        return JSONResponse(told, 201)

    def _import(self, call: Call, data: bytes | None) -> dict[str, Any]:
        sheets = _sheets(data)
        title = next(iter(sheets.get("settings", ())), {}).get("form_title", "")
        destination = call.text("destination")
        if destination:
            known = self.assets.get(destination.rstrip("/").rpartition("/")[2])
            if known is None or "change_asset" not in rights(known, call.user):
                raise ImportRefusedError("DoesNotExist", "Asset matching query does not exist.")
            asset = known
            asset.name = title or asset.name
        else:
            kind = "survey" if call.text("library") == "false" else "block"
            asset = self.new_asset(call.user, title or call.text("name") or "", kind)
        self.new_version(asset, content_of(sheets))
        said = {"uid": asset.uid, "kind": "asset", "owner__username": asset.owner}
        return {"updated" if destination else "created": [said]}

    def new_asset(self, owner: str, name: str, kind: str) -> Asset:
        asset = Asset(new_uid("a"), owner, name, kind, dict(_SETTINGS), self.now(), self.now())
        own(asset)
        self.assets[asset.uid] = asset
        return asset

    def list_imports(self, _: Call) -> Any:
        """Broken on the real one as soon as there was an import."""
        raise RefusalError(500)

    def show_import(self, call: Call) -> Any:
        task = self.imports.get(call.path("task"))
        if task is None or task["user"] != call.user:
            raise missing("ImportTask")
        return {key: value for key, value in task.items() if key != "user"}


def _settings(sent: dict[str, Any]) -> dict[str, Any]:
    found = sent.get("settings") or {}
    if not isinstance(found, dict):
        raise RefusalError(400, {"settings": ["Unable to parse JSON"]})
    return found


def completed(content: dict[str, Any]) -> dict[str, Any]:
    """What a content sent as JSON becomes: its rows get their names and their paths."""
    whole = {"schema": "1", "settings": {}, "survey": [], "choices": [], **copy.deepcopy(content)}
    rows = [*whole["survey"], *whole["choices"]]
    if translated := sorted({key for row in rows for key, value in row.items() if isinstance(value, list)}):
        whole = {"translations": [None], **whole, "translated": translated}
    kobo_content._name(whole)
    return whole if "choices" in content else {name: found for name, found in whole.items() if name != "choices"}


def _downloads(call: Call, asset: Asset) -> dict[str, str]:
    if asset.deployment is None:
        return {}
    old, new = (f"{call.base}/{asset.owner}/{kind}/{asset.uid}/" for kind in ("exports", "reports"))
    legacy = {f"{kind}_legacy": f"{old}{kind}/" for kind in ("xls", "csv", "zip")}
    return {**legacy, "xls": f"{new}export.xlsx", "csv": f"{new}export.csv"}


def _seen(asset: Asset) -> str:
    others = {one.user for one in asset.grants} - {asset.owner}
    return "public" if "view_asset" in rights(asset, ANONYMOUS) else "shared" if others else "private"


def _sheets(data: bytes | None) -> dict[str, tuple[dict[str, str], ...]]:
    if data is None:
        told = "ImportTask data must contain `base64Encoded`, `url`, or `single_xls_url`"
        raise ImportRefusedError("Exception", told)
    try:
        sheets = sheets_from_xlsx(data)
    except BadZipFile:
        raise ImportRefusedError("XlsFormatException", "Unsupported format, or corrupt file") from None
    names = Counter(row["name"] for row in sheets["survey"] if "name" in row and not row["type"].startswith("end"))
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise ImportRefusedError("DuplicateNameException", f"Duplicate node name: {twice}")
    return sheets


def version_json(call: Call, asset: Asset, version: Version) -> dict[str, Any]:
    before = asset.versions[: asset.versions.index(version) + 1]
    deployed = sum(one.deployed is not None for one in before)
    return {
        "uid": version.uid,
        "url": f"{call.base}{ASSETS}{asset.uid}/versions/{version.uid}/",
        "content_hash": sha1(json.dumps(version.content).encode(), usedforsecurity=False).hexdigest(),
        "date_deployed": stamp(version.deployed) if version.deployed else False,
        "date_modified": stamp(version.deployed or version.modified),
        "version_number": str(deployed) if version.deployed else f"{deployed}.{len(before) - deployed}",
    }


def paged(call: Call, rows: list[Any]) -> dict[str, Any]:
    """A page of a list that is not the data list: `start` moves it, and a bad limit is the default one."""
    limit = int(call.query["limit"]) if call.query.get("limit", "").isdecimal() else 0
    limit = limit or 100
    start = int(call.query["start"]) if call.query.get("start", "").isdecimal() else 0
    return {**linked(call, len(rows), limit), "results": rows[start : start + limit]}


def _is_asked(asset: Asset, query: str) -> bool:
    """Terms joined by AND; a term is `field:value`, where `settings__a__b` reaches into the settings, or a word."""
    if query.count("(") != query.count(")"):
        return False
    if re.search(r"\bOR\b|\bNOT\b|[()]", re.sub(r'"[^"]*"', "", query)):
        raise NotImplementedError(query)
    terms = [term for term in _TERM.finditer(query) if term["word"] != "AND"]
    return all(_has(asset, term) for term in terms)


def _has(asset: Asset, term: re.Match[str]) -> bool:
    if term["word"]:
        return term["word"].strip('"').lower() in asset.name.lower()
    wanted = term["quoted"] if term["bare"] is None else term["bare"]
    status = ("deployed" if asset.deployment.active else "archived") if asset.deployment else "draft"
    known = {"uid": asset.uid, "name": asset.name, "asset_type": asset.kind, "owner__username": asset.owner}
    known["_deployment_status"] = status
    if term["key"].endswith(("__icontains", "__iexact", "__isnull", "__in")):
        raise NotImplementedError(term["key"])
    if term["key"].startswith("settings__"):
        value: Any = asset.settings
        for key in term["key"].split("__")[1:]:
            value = value.get(key) if isinstance(value, dict) else None
        return bool(value == wanted)
    return known.get(term["key"]) == wanted
