"""What Central itself says of a form, read without the client under test."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import requests

from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tpm_pipeline.warehouse.db import Connection

_WORDS = {
    None: "received",
    "edited": "edited",
    "hasIssues": "has_issues",
    "rejected": "rejected",
    "approved": "approved",
}

State = tuple[str, str, bool]
"""The instance, the review state, and whether it is deleted."""


@dataclass(frozen=True)
class Witness:
    """A session of its own, on one form."""

    url: str
    headers: Mapping[str, str]

    def listed(self) -> dict[str, State]:
        """Every submission by its identifier, deleted ones too."""
        found: dict[str, State] = {}
        for deleted in ("false", "true"):
            rows = self._get("/submissions", deleted=deleted).json()
            found |= {
                row["instanceId"]: (row["currentVersion"]["instanceId"], _WORDS[row["reviewState"]], deleted == "true")
                for row in rows
            }
        return found

    def xml(self, submission_id: str) -> bytes:
        return self._get(f"/submissions/{quote(submission_id, safe='')}.xml").content

    def files(self, submission_id: str) -> dict[str, bytes]:
        """The files that are there."""
        here = f"/submissions/{quote(submission_id, safe='')}/attachments"
        names = [file["name"] for file in self._get(here).json() if file["exists"]]
        return {name: self._get(f"{here}/{quote(name, safe='')}").content for name in names}

    def _get(self, path: str, **query: str) -> requests.Response:
        answer = requests.get(self.url + path, params=query, headers=self.headers, timeout=60)
        answer.raise_for_status()
        return answer


def witness(site: Site, form_id: str) -> Witness:
    api, project = api_of(site)
    signed = requests.post(f"{api.url}/v1/sessions", json=api._credentials, timeout=60)
    return Witness(f"{api.url}/v1{project}/forms/{form_id}", {"Authorization": f"Bearer {signed.json()['token']}"})


def known(connection: Connection, form_id: str) -> dict[str, State]:
    """What the warehouse says of every submission."""
    found = connection.execute(
        "select submission_id, instance_id, review_state, deleted_at is not null from raw.current where form_id = ?",
        [form_id],
    ).fetchall()
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}
