"""The fake kpi as a phone sees it: OpenRosa, without slashes at the end, in XML."""

from collections.abc import Callable
from xml.sax.saxutils import escape

from starlette.responses import Response

from tests.servers.fake_kobo_deploy import digest
from tests.servers.fake_kobo_state import (
    ANONYMOUS,
    Asset,
    Call,
    Deployment,
    RefusalError,
    Submission,
    Table,
    missing,
    raw,
)
from tests.servers.fake_kobo_submit import PhoneError, Submit
from tests.servers.fake_kobo_users import NO_CREDENTIALS, own_rights

HEADERS = {"X-OpenRosa-Version": "1.0", "X-OpenRosa-Accept-Content-Length": "10000000"}
_DECLARED = '<?xml version="1.0" encoding="utf-8"?>\n'
_FORMS = '<xforms xmlns="http://openrosa.org/xforms/xformsList">{}</xforms>'
_FILES = '<manifest xmlns="http://openrosa.org/xforms/xformsManifest">{}</manifest>'
_FORM = (
    "<xform><formID>{id}</formID><name>{name}</name><majorMinorVersion>{version}</majorMinorVersion>"
    "<version>{version}</version><hash>md5:{hash}</hash><descriptionText>{name}</descriptionText>"
    "<downloadUrl>{url}/forms/{pk}/form.xml</downloadUrl><manifestUrl>{url}/xformsManifest/{pk}</manifestUrl></xform>"
)
_FILE = (
    "<mediaFile><filename>{name}</filename><hash>md5:{hash}</hash>"
    "<downloadUrl>{url}/xformsMedia/{form}/{pk}{extension}</downloadUrl></mediaFile>"
)
_STORED = (
    '<OpenRosaResponse xmlns="http://openrosa.org/http/response">\n    <message>Successful submission.</message>\n'
    '    <submissionMetadata xmlns="http://www.opendatakit.org/xforms" id="{id}"  instanceID="uuid:{uuid}" '
    'submissionDate="{created}" isComplete="true" markedAsCompleteDate="{modified}"/>\n</OpenRosaResponse>\n'
)
_REFUSED = (
    "<?xml version='1.0' encoding='UTF-8' ?>\n"
    '<OpenRosaResponse xmlns="http://openrosa.org/http/response">\n'
    '        <message nature="">{}</message>\n</OpenRosaResponse>'
)


class Phone(Submit):
    def phone_routes(self) -> Table:
        """With the owner's name in front nobody needs one: the forms are those open to all."""
        plain: Table = [
            ("GET", "/formList", self._xml(self.form_list, _FORMS)),
            ("GET", "/forms/{pk}/form.xml", self._xml(self.form_xml, _FORMS)),
            ("GET", "/xformsManifest/{pk}", self._xml(self.manifest, _FILES)),
            ("GET", "/xformsMedia/{pk}/{file}.{kind}", self.form_file),
            ("GET", "/xformsMedia/{pk}/{file}", self._xml(self.form_file, _FORMS)),
            ("HEAD", "/submission", self._xml(self.greet, "<root>{}</root>")),
            ("POST", "/submission", self.submit),
        ]
        named: Table = [(method, "/{owner}" + path, what) for method, path, what in plain]
        return [*plain, ("POST", "/submission/", self.slashed), *named]

    def _xml(self, what: Callable[[Call], Response], around: str) -> Callable[[Call], Response]:
        def answer(call: Call) -> Response:
            try:
                return what(call)
            except RefusalError as refusal:
                return refused(refusal, around)

        return answer

    def _forms(self, call: Call) -> dict[int, tuple[Asset, Deployment]]:
        """The active forms one may fill, by their number."""
        owner = call.request.path_params.get("owner")
        if owner is None and call.user == ANONYMOUS:
            raise RefusalError(401, NO_CREDENTIALS)
        found: dict[int, tuple[Asset, Deployment]] = {}
        for asset in self.assets.values():
            allowed = "add_submissions" in own_rights(asset, call.user) if owner is None else asset.open_to_all
            if asset.deployment and asset.deployment.active and allowed and owner in {None, asset.owner}:
                found[asset.deployment.pk] = asset, asset.deployment
        return found

    def _form(self, call: Call) -> Deployment:
        found = self._forms(call).get(int(call.path("pk")))
        if found is None:
            raise missing("XForm")
        return found[1]

    def form_list(self, call: Call) -> Response:
        url = _address(call)
        forms = [
            _FORM.format(
                id=asset.uid,
                name=escape(asset.name or asset.uid),
                version=deployment.label,
                hash=digest(deployment.xform),
                url=url,
                pk=pk,
            )
            for pk, (asset, deployment) in self._forms(call).items()
        ]
        return _answer(_FORMS.format("".join(forms)))

    def form_xml(self, call: Call) -> Response:
        return Response(self._form(call).xform, headers=HEADERS, media_type="text/xml")

    def manifest(self, call: Call) -> Response:
        form = self._form(call)
        files = [
            _FILE.format(
                name=escape(file.name),
                hash=digest(file.content),
                url=_address(call),
                form=form.pk,
                pk=pk,
                extension=file.name[file.name.rindex(".") :].lower() if "." in file.name else "",
            )
            for pk, file in sorted(form.files.items())
        ]
        return _answer(_FILES.format("".join(files)))

    def form_file(self, call: Call) -> Response:
        file = self._form(call).files.get(int(call.path("file")))
        if file is None:
            raise missing("MetaData")
        kind = "text/csv" if file.name.endswith(".csv") else "application/octet-stream"
        return raw(file.content, kind, f"attachment; filename={file.name}")

    def greet(self, call: Call) -> Response:
        self._require_sender(call)
        headers = {**HEADERS, "Location": str(call.request.url)}
        return Response(status_code=204, headers=headers, media_type="text/xml")

    def slashed(self, _: Call) -> Response:
        told = "OpenRosa endpoints do not accept a trailing slash. Retry the request at /submission"
        return Response(told, 404, media_type="text/html")

    async def submit(self, call: Call) -> Response:
        try:
            self._require_sender(call)
            files = await call.files()
            sent = files.pop("xml_submission_file", None)
            if sent is None:
                raise RefusalError(500)  # noqa: TRY301
            row = self.receive(call.user, sent.content.decode(), files.values())
        except RefusalError as refusal:
            return refused(refusal)
        except PhoneError as refusal:
            return _answer(_REFUSED.format(refusal.message), refusal.status, declared=False)
        return self._stored(call, row)

    def _require_sender(self, call: Call) -> None:
        owner = call.request.path_params.get("owner")
        if call.user == ANONYMOUS and owner is None:
            raise RefusalError(401, NO_CREDENTIALS)
        if call.user == ANONYMOUS and owner not in self.users.values():
            raise missing("User")

    def _stored(self, call: Call, row: Submission) -> Response:
        told = _STORED.format(
            id=row.row["_xform_id_string"],
            uuid=row.uuid,
            created=row.created.isoformat(),
            modified=row.modified.isoformat(),
        )
        response = _answer(told, 201, declared=False)
        response.headers["Location"] = str(call.request.url)
        return response


def _address(call: Call) -> str:
    owner = call.request.path_params.get("owner")
    return f"{call.base}/{owner}" if owner else call.base


def _answer(body: str, status: int = 200, *, declared: bool = True) -> Response:
    return Response((_DECLARED if declared else "") + body, status, headers=HEADERS, media_type="text/xml")


def refused(refusal: RefusalError, around: str = "<root>{}</root>") -> Response:
    if refusal.body is None:
        return refusal.response()
    return _answer(around.format(f"<detail>{escape(refusal.body['detail'])}</detail>"), refusal.status)
