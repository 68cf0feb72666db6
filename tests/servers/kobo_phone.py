"""A phone that fills forms of KoboToolbox: it knows each by the server's own name, and says which version it had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from tpm_pipeline.forms import schema
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.kobo_api import KoboApi
from tpm_pipeline.servers.kobo_assets import Assets, of
from tpm_pipeline.servers.openrosa import OpenRosaClient


@dataclass(frozen=True)
class _Form:
    """What a phone read in the form it downloaded: names for it, and the server's for each of our versions."""

    uid: str
    uuid: str
    versions: Mapping[str, str]


class KoboPhone(OpenRosaClient):
    """Sends what was written for a form and a version of ours as if it had been filled in what the server gave."""

    def __init__(self, url: str, token: str, project: str, timeout_s: float, office: str = "") -> None:
        super().__init__(url, timeout_s, f"Token {token}")
        self._api = KoboApi(url, token, timeout_s)
        self._assets, self._office = Assets(self._api, project), office
        self._forms: dict[str, _Form] = {}

    def submit(self, xml: bytes, attachments: Sequence[MediaFile] = ()) -> None:
        super().submit(self.rewritten(xml), attachments)

    def send_again(self, xml: bytes) -> None:
        """Send what the server itself once stored."""
        super().submit(xml)

    def rewritten(self, xml: bytes) -> bytes:
        """The submission with the server's names in the place of ours; of a form it does not have, as it is."""
        root = etree.fromstring(xml)
        form = self._form(root.get("id", ""))
        if form is None:
            return xml
        root.set("id", form.uid)
        told = etree.Element("formhub")
        etree.SubElement(told, "uuid").text = form.uuid
        root.insert(0, told)
        version = root.get("version", "")
        etree.SubElement(root, "__version__").text = form.versions.get(version, version)
        return etree.tostring(root, encoding="utf-8")

    def _form(self, form_id: str) -> _Form | None:
        if form_id not in self._forms:
            found = of(self._assets.all(), form_id)
            asset = next((one for one in found if one.office == self._office), None)
            if asset is None:
                return None
            versions = self._assets.versions(form_id, [asset])
            named = {schema.read(version.xform).version: version.version for version in versions}
            self._forms[form_id] = _Form(asset.uid, self._api.get(asset.path)["deployment__uuid"], named)
        return self._forms[form_id]


def nested(row: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """The answers of a flat row, group in group, without what the server adds."""
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key.startswith("_") or (key.startswith(("formhub/", "meta/")) and key != "meta/instanceID"):
            continue
        *groups, name = key.removeprefix(above).split("/")
        place = found
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = [nested(item, f"{key}/") for item in value] if isinstance(value, list) else value
    return found
