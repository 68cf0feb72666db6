"""What people do on KoboToolbox beside our client: colleagues in its pages, accounts on their phones."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from lxml import etree

from tests.servers.kobo_phone import KoboPhone
from tests.servers.site import Site
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import SharedList
from tpm_pipeline.servers.kobo import KoboServer
from tpm_pipeline.servers.kobo_api import KoboApi, address
from tpm_pipeline.servers.kobo_assets import Asset
from tpm_pipeline.servers.openrosa import OpenRosaClient

ALICE, BOB, CAROL, STRANGER, EVERYBODY = "alice", "bob", "carol", "", "AnonymousUser"
_TOKENS = {ALICE: "a11ce" * 8, BOB: "b0b5" * 10, CAROL: "ca401" * 8}
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Hands:
    """The owner's hands in the pages of a server; whatever they do, our client was not asked."""

    site: Site

    @property
    def server(self) -> KoboServer:
        assert isinstance(self.site.server, KoboServer)
        return self.site.server

    @property
    def api(self) -> KoboApi:
        return self.server._api

    def assets(self) -> dict[str, Asset]:
        """Every asset of the project by form and office: `suivis · AGA01`."""
        found = self.server._assets.all()
        return {" · ".join(filter(None, (asset.form_id, asset.office))): asset for asset in found}

    def shown(self, name: str = "visites") -> Any:
        """An asset as its page shows it."""
        return self.api.get(self.assets()[name].path)

    def edit(self, name: str = "visites") -> None:
        """Add a question in the form builder, which saves a draft."""
        asset = self.shown(name)
        question = {"type": "text", "name": "ajoutee", "label": ["Ajoutée"]}
        content = {**asset["content"], "survey": [*asset["content"]["survey"], question]}
        self.api.patch(address("assets", asset["uid"]), {"content": content})

    def deploy(self, name: str = "visites") -> None:
        """Press the button that gives phones the draft."""
        asset = self.shown(name)
        said = {"active": True, "version_id": asset["version_id"]}
        self.api.patch(address("assets", asset["uid"], "deployment"), said)

    def archive(self, name: str = "visites") -> None:
        self.api.patch(address("assets", self.assets()[name].uid, "deployment"), {"active": False})

    def allow(self, user: str, permission: str, name: str = "visites") -> None:
        url = self.api.url + "/api/v2"
        said = {"user": f"{url}/users/{user}/", "permission": f"{url}/permissions/{permission}/"}
        self.api.post(address("assets", self.assets()[name].uid, "permission-assignments"), said)

    def allowed(self, user: str, name: str = "visites") -> set[str]:
        """The names of an account's permissions."""
        rows = self.api.get(address("assets", self.assets()[name].uid, "permission-assignments"))
        return {_last(row["permission"]) for row in rows if _last(row["user"]) == user}

    def files(self, name: str = "visites") -> list[str]:
        rows = self.api.get(address("assets", self.assets()[name].uid, "files"))["results"]
        return sorted(row["metadata"]["filename"] for row in rows)

    def phone(self, user: str, office: str = "") -> KoboPhone:
        """The phone of an account, whose forms are an office's own or everybody's."""
        return KoboPhone(self.api.url, _TOKENS[user], self.server._project, _TIMEOUT_S, office)

    def stranger(self, xml: bytes) -> None:
        """Send as a phone without any account does."""
        OpenRosaClient(f"{self.api.url}/{ALICE}", _TIMEOUT_S).submit(self.phone(ALICE).rewritten(xml))

    def count(self, user: str, name: str = "visites") -> int | None:
        """How many submissions an account sees; None when it may see none."""
        uid = self.assets()[name].uid
        try:
            return int(KoboApi(self.api.url, _TOKENS[user], _TIMEOUT_S).get(address("assets", uid, "data"))["count"])
        except ServerError as error:
            if error.code not in {"SRV-061", "SRV-062"}:
                raise
            return None

    def colleague(self) -> KoboServer:
        """The same project from another machine, at the same time."""
        return KoboServer(self.api.url, _TOKENS[ALICE], self.server._project, _TIMEOUT_S)

    def view(self, user: str) -> "View":
        return View(self.api.url, user)


@dataclass(frozen=True)
class View:
    """What an account's phone downloads, or a stranger's; each step follows the addresses the one before it gave."""

    url: str
    user: str

    def forms(self) -> dict[str, dict[str, str]]:
        """What the list says of each form it may fill, by identifier."""
        listed = etree.fromstring(self._get(self.url + ("" if self.user else f"/{ALICE}") + "/formList"))
        return {str(form.findtext("{*}formID")): {_tag(one): one.text or "" for one in form} for form in listed}

    def title(self, uid: str) -> str | None:
        """The name of a form; None when the phone does not get it."""
        return self.forms().get(uid, {}).get("name")

    def files(self, uid: str) -> dict[str, bytes]:
        """The files of a form."""
        manifest = etree.fromstring(self._get(self.forms()[uid]["manifestUrl"]))
        return {str(file.findtext("{*}filename")): self._get(str(file.findtext("{*}downloadUrl"))) for file in manifest}

    def questions(self, uid: str) -> set[str]:
        """What the form it downloads asks."""
        form = etree.fromstring(self._get(self.forms()[uid]["downloadUrl"]))
        paths = (bind.get("nodeset", "") for bind in form.iter("{*}bind"))
        return {path.rpartition("/")[2] for path in paths}

    def _get(self, url: str) -> bytes:
        # Not through our door: numbers that are the server's own would be held against the other kind of server.
        here = self.url + urlsplit(url).path
        signed = {"Authorization": f"Token {_TOKENS[self.user]}"} if self.user else {}
        answer = requests.get(here, headers={**signed, "X-OpenRosa-Version": "1.0"}, timeout=_TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        return answer.content


def shared(name: str, *rows: str, **offices: str) -> SharedList:
    """A list of cases: all of them, and each office's own."""

    def written(found: tuple[str, ...]) -> bytes:
        return "\n".join(["name,label", *found, ""]).encode()

    return SharedList(name, written(rows), {office: written((row,)) for office, row in offices.items()})


def lost(what: Callable[[], object]) -> bool:
    """Tell whether something was interrupted."""
    try:
        what()
    except ServerError:
        return True
    return False


def _last(url: str) -> str:
    return str(url).rstrip("/").rpartition("/")[2]


def _tag(element: Any) -> str:
    return str(etree.QName(element).localname)
