"""The fake kpi's deployments and the files of a form, which phones see only after a deployment."""

import json
import mimetypes
from hashlib import md5
from typing import Any
from uuid import uuid4

from lxml import etree
from starlette.responses import JSONResponse, Response

from tests.servers.fake_kobo_assets import Assets, paged
from tests.servers.fake_kobo_state import (
    ASSET,
    ASSETS,
    Asset,
    Call,
    Deployment,
    FormFile,
    RefusalError,
    Table,
    missing,
    new_uid,
    raw,
    stamp,
)
from tpm_pipeline.errors import FormError
from tpm_pipeline.forms.content import xform_of

_DEPLOYMENT, _FILES = ASSET + "deployment/", ASSET + "files/"
_X = "{http://www.w3.org/2002/xforms}"
_ALLOWED = ("image", "audio", "video", "text/csv", "application/xml", "application/zip", "application/geo+json")


class Deploy(Assets):
    def deploy_routes(self) -> Table:
        return [
            ("GET", _DEPLOYMENT, self.show_deployment),
            ("POST", _DEPLOYMENT, self.deploy),
            ("PATCH", _DEPLOYMENT, self.redeploy),
            ("GET", _FILES, self.list_files),
            ("POST", _FILES, self.add_file),
            ("GET", _FILES + "{file}/", self.show_file),
            ("GET", _FILES + "{file}/content/", self.read_file),
            ("DELETE", _FILES + "{file}/", self.drop_file),
        ]

    def show_deployment(self, call: Call) -> Any:
        asset = self.found(call)
        if asset.deployment is None:
            raise missing()
        return self._deployed(call, asset)

    def deploy(self, call: Call) -> Any:
        """The first deployment; without a word on it, the project takes no submissions."""
        asset, sent = self.found(call, "change_asset"), call.sent()
        if asset.kind != "survey":
            raise RefusalError(500)
        if asset.deployment is not None:
            raise RefusalError(405, {"detail": "Use PATCH to update an existing deployment"})
        _require_current(asset, sent)
        self._publish(asset, active=sent.get("active", False))
        return self._deployed(call, asset)

    def redeploy(self, call: Call) -> Any:
        asset, sent = self.found(call, "change_asset"), call.sent()
        if asset.deployment is None:
            raise RefusalError(405, {"detail": "Use POST to create a new deployment"})
        if sent.keys() == {"active"}:
            asset.deployment.active = sent["active"]
            return self._deployed(call, asset)
        _require_current(asset, sent)
        self._publish(asset, active=sent.get("active", asset.deployment.active))
        return self._deployed(call, asset)

    def _deployed(self, call: Call, asset: Asset) -> dict[str, Any]:
        assert asset.deployment is not None
        told = {"backend": "openrosa", "active": asset.deployment.active}
        return {**told, "version_id": asset.deployment.version.uid, "asset": self.detail(call, asset)}

    def _publish(self, asset: Asset, *, active: bool) -> None:
        version, old = asset.versions[-1], asset.deployment
        number = len({one.uid for one in asset.versions if one.deployed} | {version.uid})
        label = f"{number} ({asset.modified:%Y-%m-%d %H:%M:%S})"
        pk, uuid = (old.pk, old.uuid) if old else (self.number(), uuid4().hex)
        xform = _xform(asset, label, uuid, version.uid)
        now = self.now()
        version.deployed = version.deployed or now
        asset.modified = now
        asset.deployment = Deployment(pk, uuid, active, version, label, xform, now)
        known = {file.uid: number for number, file in old.files.items()} if old else {}
        there = asset.files.values()
        asset.deployment.files = {known[one.uid] if one.uid in known else self.number(): one for one in there}

    def list_files(self, call: Call) -> Any:
        asset = self.nested(call)
        return paged(call, [file_json(call, asset, one) for one in asset.files.values()])

    async def add_file(self, call: Call) -> Response:
        asset = self._changing(call)
        if missing_ones := [name for name in ("file_type", "description") if not call.text(name)]:
            raise RefusalError(400, {name: ["This field is required."] for name in missing_ones})
        upload = (await call.files()).get("content")
        metadata = call.text("metadata")
        if metadata is None:
            raise RefusalError(500)
        if upload is None:
            raise RefusalError(400, {"content": ["No files have been submitted"]})
        json.loads(metadata)
        _check_file(asset, upload.name)
        file = FormFile(
            new_uid("af"), upload.name, upload.content, self.now(), str(call.text("description")), call.user
        )
        asset.files[file.uid] = file
        asset.modified = self.now()
        return JSONResponse(file_json(call, asset, file), 201)

    def show_file(self, call: Call) -> Any:
        asset = self.nested(call)
        return file_json(call, asset, _file(asset, call))

    def read_file(self, call: Call) -> Response:
        file = _file(self.nested(call), call)
        return raw(file.content, _kind(file.name), f"attachment; filename*=UTF-8''{file.name}")

    def drop_file(self, call: Call) -> Response:
        asset = self._changing(call)
        del asset.files[_file(asset, call).uid]
        return Response(status_code=204)

    def _changing(self, call: Call) -> Asset:
        return self.found(call, "change_asset", RefusalError(404))


def _require_current(asset: Asset, sent: dict[str, Any]) -> None:
    if sent.get("version_id", asset.versions[-1].uid) != asset.versions[-1].uid:
        raise RefusalError(500)


def _xform(asset: Asset, label: str, uuid: str, version: str) -> bytes:
    """The form as phones get it: named by its project, and saying which one and which version it is."""
    names = {"form_id": asset.uid, "name": asset.uid, "version": label, "form_title": asset.name or asset.uid}
    try:
        xform = xform_of(asset.content, **names)
    except FormError as error:
        raise RefusalError(400, {"error": error.cause.partition(": ")[2]}) from None
    root = etree.fromstring(xform)
    model = next(root.iter(f"{_X}model"))
    data = model.findall(f"{_X}instance")[0][0]
    formhub = etree.Element(f"{_X}formhub")
    etree.SubElement(formhub, f"{_X}uuid")
    data.insert(0, formhub)
    meta = next(one for one in data if isinstance(one.tag, str) and etree.QName(one).localname == "meta")
    meta.addprevious(etree.Element(f"{_X}__version__"))
    last = model.findall(f"{_X}bind")[-1]
    for place, value in (("formhub/uuid", uuid), ("__version__", version)):
        bind = etree.Element(f"{_X}bind", nodeset=f"/{asset.uid}/{place}", type="string", calculate=f"'{value}'")
        last.addnext(bind)
    return etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _check_file(asset: Asset, name: str) -> None:
    if any(one.name == name for one in asset.files.values()):
        raise RefusalError(400, {"content": ["File already exists"]})
    if not _kind(name).startswith(_ALLOWED):
        kinds = "`, `".join(_ALLOWED)
        raise RefusalError(400, {"content": [f"Only `{kinds}` MIME types are allowed"]})


def _kind(name: str) -> str:
    return mimetypes.guess_type(name)[0] or ""


def _file(asset: Asset, call: Call) -> FormFile:
    found = asset.files.get(call.path("file"))
    if found is None:
        raise missing("AssetFile")
    return found


def file_json(call: Call, asset: Asset, file: FormFile) -> dict[str, Any]:
    url = f"{call.base}{ASSETS}{asset.uid}/"
    return {
        "uid": file.uid,
        "url": f"{url}files/{file.uid}/",
        "asset": url,
        "user": f"{call.base}/api/v2/users/{file.user}/",
        "user__username": file.user,
        "file_type": "form_media",
        "description": file.description,
        "date_created": stamp(file.created),
        "content": f"{url}files/{file.uid}/content/",
        "metadata": {"filename": file.name, "hash": f"md5:{digest(file.content)}", "mimetype": _kind(file.name)},
    }


def digest(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()
