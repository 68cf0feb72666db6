"""What a phone downloads with nothing but the address it was given."""

import csv
import io
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml import etree

from tests.servers.conftest import TIMEOUT_S
from tpm_pipeline.servers.http import Http, Reply

_HEADERS = {"X-OpenRosa-Version": "1.0"}


@dataclass(frozen=True)
class View:
    """A phone; each step follows the addresses the one before it gave."""

    url: str

    def get(self, path: str, headers: dict[str, str] | None = None) -> Reply:
        return Http(self.url, TIMEOUT_S).send("GET", path, headers=_HEADERS if headers is None else headers)

    def forms(self) -> dict[str, str]:
        """Each form it may fill, with the address of its manifest."""
        listed = etree.fromstring(self.get("/formList").body)
        return {str(form.findtext("{*}formID")): str(form.findtext("{*}manifestUrl")) for form in listed}

    def files(self, form_id: str) -> dict[str, str]:
        """Each file of a form with its address."""
        manifest = etree.fromstring(self._follow(self.forms()[form_id], _HEADERS).body)
        return {str(file.findtext("{*}filename")): str(file.findtext("{*}downloadUrl")) for file in manifest}

    def cases(self, form_id: str, name: str = "dossiers.csv") -> list[str]:
        """The labels of the list a form reads."""
        content = self._follow(self.files(form_id)[name], {}).body.decode()
        return sorted(row["label"] for row in csv.DictReader(io.StringIO(content)))

    def _follow(self, url: str, headers: dict[str, str]) -> Reply:
        path = urlsplit(url).path.removeprefix(urlsplit(self.url).path)
        reply = self.get(path, headers)
        assert reply.status == 200, reply.body
        return reply
