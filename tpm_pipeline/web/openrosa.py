"""OpenRosa: the form list, the files of a form, and the door submissions come through."""

import hashlib
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote
from xml.sax.saxutils import escape

from lxml import etree
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers import local_forms, local_submissions
from tpm_pipeline.servers.local_store import Store, explained

_HEADERS = {"X-OpenRosa-Version": "1.0"}
_XML = "text/xml; charset=utf-8"
_CREATED = 201
_STATUS = {
    "SRV-104": 404,
    "SRV-105": 404,
    "SRV-106": 409,
    "SRV-107": 404,
    "SRV-108": 409,
    "SRV-109": 409,
    "SRV-111": 507,
    "SRV-112": 413,
    "SRV-115": 404,
    "SRV-119": 503,
    "SRV-122": 404,
}


def message(words: str, status: int) -> Response:
    """Answer in the words a phone shows."""
    nature = "" if status == _CREATED else "error"
    content = (
        f'<OpenRosaResponse xmlns="http://openrosa.org/http/response">'
        f'<message nature="{nature}">{escape(words)}</message></OpenRosaResponse>'
    )
    return Response(content, status, headers=_HEADERS, media_type=_XML)


def refusal(error: ServerError) -> Response:
    """Answer an error with the status OpenRosa clients expect."""
    return message(f"{error.code}: {error.cause} {error.remedy}", _STATUS.get(error.code, 400))


def form_list(request: Request) -> Response:
    """List the forms to fill."""
    root = etree.Element("xforms", xmlns="http://openrosa.org/xforms/xformsList")
    for form in local_forms.offered(_store(request)):
        _add(
            etree.SubElement(root, "xform"),
            formID=form.form_id,
            name=form.title,
            version=form.version,
            hash=_md5(form.xform),
            downloadUrl=_url(request, "forms", form.form_id, f"{form.version}.xml"),
            manifestUrl=_url(request, "forms", form.form_id, "manifest"),
        )
    return _document(root)


def manifest(request: Request) -> Response:
    """List the files a form needs; phones also add to entity lists what they open while offline."""
    form_id = request.path_params["form_id"]
    root = etree.Element("manifest", xmlns="http://openrosa.org/xforms/xformsManifest")
    for file in local_forms.files(_store(request), form_id):
        _add(
            etree.SubElement(root, "mediaFile", {"type": "entityList"} if file.is_list else {}),
            filename=file.name,
            hash=_md5(file.content),
            downloadUrl=_url(request, "forms", form_id, "media", file.name),
        )
    return _document(root)


def form(request: Request) -> Response:
    """Give one version of a form."""
    content = local_forms.xform(_store(request), request.path_params["form_id"], request.path_params["version"])
    return Response(content, headers=_HEADERS, media_type=_XML)


def media(request: Request) -> Response:
    """Give one file of a form."""
    form_id, name = request.path_params["form_id"], request.path_params["name"]
    for file in local_forms.files(_store(request), form_id):
        if file.name == name:
            kind = "text/csv; charset=utf-8" if name.endswith(".csv") else "application/octet-stream"
            return Response(file.content, headers=_HEADERS, media_type=kind)
    raise ServerError("SRV-115", form_id, f"The form has no file «{name}».", "Download the form again.")


async def submission(request: Request) -> Response:
    """Say how much is accepted (HEAD), or accept a submission: 201 once it is safe on disk (POST)."""
    limit = request.app.state.limit
    if request.method == "HEAD":
        headers = {"Location": _url(request, "submission"), "X-OpenRosa-Accept-Content-Length": str(limit)}
        return Response(status_code=204, headers=_HEADERS | headers)
    if "x-openrosa-version" not in request.headers:
        cause = "The header X-OpenRosa-Version is missing."
        raise ServerError("SRV-113", "submission", cause, "Send it with an OpenRosa client.")
    if int(request.headers.get("content-length", "0")) > limit:
        raise _too_large(limit)
    store = _store(request)
    with explained(store.folder):
        async with Request(request.scope, _limited(request.receive, limit)).form() as sent:
            xml, attachments = await _parts(sent)
            await run_in_threadpool(local_submissions.accept, store, xml, attachments)
    return message("Accepted.", _CREATED)


def submitted(request: Request) -> Response:
    """Give a submission as it was last corrected."""
    wanted = request.path_params
    content = local_submissions.newest(_store(request), wanted["form_id"], wanted["submission_id"])
    return Response(content, headers={**_HEADERS, "Cache-Control": "no-store"}, media_type=_XML)


ROUTES = [
    Route("/formList", form_list),
    Route("/forms/{form_id}/manifest", manifest),
    Route("/forms/{form_id}/media/{name}", media),
    Route("/forms/{form_id}/{version}.xml", form),
    Route("/submission", submission, methods=["HEAD", "POST"]),
    Route("/submissions/{form_id}/{submission_id}", submitted),
]


async def _parts(sent: FormData) -> tuple[bytes, list[tuple[str, BinaryIO]]]:
    """Tell the submission's XML from its attachments, whose names lose any folder."""
    xml: bytes | None = None
    attachments: list[tuple[str, BinaryIO]] = []
    for field, part in sent.multi_items():
        if isinstance(part, UploadFile) and field == "xml_submission_file":
            xml = await part.read()
        elif isinstance(part, UploadFile):
            name = PurePosixPath((part.filename or field).replace("\\", "/")).name
            attachments.append((name, part.file))
    if xml is None:
        cause = "There is no file «xml_submission_file» in the request."
        raise ServerError("SRV-114", "submission", cause, "Send it with an OpenRosa client.")
    return xml, attachments


def _limited(receive: Receive, limit: int) -> Receive:
    """Stop reading a body that grows beyond the limit, whatever its headers said."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        event = await receive()
        received += len(event.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return event

    return limited


def _too_large(limit: int) -> ServerError:
    cause = f"The request is larger than {limit:,} bytes."
    return ServerError("SRV-112", "submission", cause, "Send the attachments in several requests.")


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _url(request: Request, *parts: str) -> str:
    origin = f"{request.url.scheme}://{request.url.netloc}"
    return origin + quote(request.scope.get("root_path", "")) + "/" + "/".join(quote(part, safe="") for part in parts)


def _md5(content: bytes) -> str:
    return f"md5:{hashlib.md5(content, usedforsecurity=False).hexdigest()}"


def _add(parent: etree._Element, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(parent, name).text = text


def _document(root: etree._Element) -> Response:
    content = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Response(content, headers=_HEADERS, media_type=_XML)
