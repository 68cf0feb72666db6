"""What KoboToolbox itself says of a form, read and changed without the client under test."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests

from tests.pulling.office import Office
from tests.servers.answers import of_xml
from tests.servers.site import Site
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.kobo import KoboServer

ROOT, INSTANCE = "meta/rootUuid", "meta/instanceID"
_WORDS = {
    "validation_status_approved": "approved",
    "validation_status_not_approved": "rejected",
    "validation_status_on_hold": "has_issues",
}
_TRIES = 8
_SENT, _NOT_FOUND, _CONFLICT = (201, 202), 404, 409

Row = Mapping[str, Any]
State = tuple[str, str]
"""The instance and the review state."""


@dataclass
class Account:
    """A connection of its own, on the data of one form.

    `stumbles` counts the answers that were asked for again. What was sent while it stumbled may be listed though it was
    not stored: `ghosts` are those; and, sent again, it may be listed a second time: `shadowed` are those.
    """

    url: str
    token: str
    uid: str
    stumbles: Counter[int] = field(default_factory=Counter)
    shadowed: set[str] = field(default_factory=set)
    ghosts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {self.token}"
        self._asset = f"{self.url}/api/v2/assets/{self.uid}"

    def rows(self) -> dict[str, Row]:
        """Every submission by its identifier; nobody may change them meanwhile."""
        found, listed = dict[str, Row](), 0
        page = f"{self._asset}/data/?limit=300"
        while page:
            told = self._get(page).json()
            for row in told["results"]:
                if row[ROOT] in found:
                    self.shadowed.add(row[ROOT])
                found[row[ROOT]] = row
            listed, page = listed + len(told["results"]), told["next"]
        assert listed == told["count"]
        return found

    def row(self, root: str) -> Row:
        """One submission, by its identifier."""
        query = orjson.dumps({ROOT: root}).decode()
        found: Row = self._get(f'{self._asset}/data/?limit=1&sort={{"_id":-1}}&query={query}').json()["results"][0]
        return found

    def xml(self, row: Row) -> bytes | None:
        """A submission as it is stored; None when it is not."""
        url = f"{self._asset}/data/{row['_id']}.xml"
        answer = self._patiently(lambda: self._session.get(url, timeout=120))
        if answer.status_code == _NOT_FOUND:
            self.ghosts.add(row[ROOT])
            return None
        answer.raise_for_status()
        return answer.content

    def files(self, row: Row) -> dict[str, bytes]:
        """The files that are there."""
        there = [file for file in row["_attachments"] if not file["is_deleted"]]
        assert len({file["media_file_basename"] for file in there}) == len(there)
        return {file["media_file_basename"]: self._get(file["download_url"], "*/*").content for file in there}

    def submit(self, xml: bytes, files: Sequence[MediaFile] = ()) -> bool:
        """Send as a phone does: again, while the server stumbles.

        False when it has still stored what it stumbled over when it was to delete it, and lists it no more.
        """
        parts = [("xml_submission_file", ("submission.xml", xml, "text/xml"))]
        parts += [(file.name, (file.name, file.content, "application/octet-stream")) for file in files]
        answer = self._patiently(lambda: self._session.post(f"{self.url}/submission", files=parts, timeout=120))
        is_stored = answer.status_code == _CONFLICT and bool(self.stumbles)
        assert answer.status_code in _SENT or is_stored, f"{answer.status_code} {answer.text[:300]}"
        return not is_stored

    def do(self, method: str, path: str, body: Any = None, *, tolerate: bool = False) -> Any:
        """Change something; what a stumbling server had done the first time may be refused the second."""
        stumbled = self.stumbles.total()
        answer = self._patiently(lambda: self._session.request(method, f"{self._asset}/{path}", json=body, timeout=120))
        told = f"{answer.status_code} {answer.text[:300]}"
        assert answer.status_code < 500, told
        assert answer.ok or tolerate or self.stumbles.total() > stumbled, told
        return answer.json() if answer.ok and answer.content else None

    def review(self, numbers: Sequence[int], word: str | None) -> None:
        """Set the review state of one or several, in KoboToolbox's word; None takes it away."""
        status = {"validation_status.uid": word and f"validation_status_{word}"}
        if len(numbers) == 1:
            path = f"data/{numbers[0]}/validation_status/"
            self.do("PATCH", path, status) if word else self.do("DELETE", path)
        else:
            method = "PATCH" if word else "DELETE"
            self.do(method, "data/validation_statuses/", {"payload": {"submission_ids": [*numbers], **status}})

    def edit(self, numbers: Sequence[int], answers: Mapping[str, str]) -> dict[str, str]:
        """Edit at once; return the new instance of each that was, by its identifier."""
        payload = {"submission_ids": [*numbers], "data": answers}
        told = self.do("PATCH", "data/bulk/", {"payload": payload})
        done = [one for one in told["results"] if one["status_code"] in _SENT]
        return {f"uuid:{one['root_uuid']}": f"uuid:{one['uuid']}" for one in done}

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete one, or several at once."""
        if len(numbers) == 1:
            self.do("DELETE", f"data/{numbers[0]}/")
        elif self.do("DELETE", "data/bulk/", {"payload": {"submission_ids": [*numbers]}}) is None:
            # It had stumbled over some of them.
            for number in numbers:
                self.do("DELETE", f"data/{number}/", tolerate=True)

    def drop(self, root: str, name: str) -> None:
        """Delete a file."""
        there = [file for file in self.row(root)["_attachments"] if not file["is_deleted"]]
        (uid,) = [file["uid"] for file in there if file["media_file_basename"] == name]
        self.do("DELETE", f"attachments/{uid}/")

    def _get(self, url: str, accept: str = "application/json") -> requests.Response:
        answer = self._patiently(lambda: self._session.get(url, headers={"Accept": accept}, timeout=120))
        answer.raise_for_status()
        return answer

    def _patiently(self, ask: Callable[[], requests.Response]) -> requests.Response:
        for n in range(_TRIES):
            answer = ask()
            if answer.status_code < 500 and answer.status_code != 423:
                return answer
            self.stumbles[answer.status_code] += 1
            time.sleep(n / 5)
        return answer


def account(site: Site, form_id: str) -> Account:
    """The account under test, on the deployed form."""
    server = site.server
    assert isinstance(server, KoboServer)
    (asset,) = [one for one in server._assets.all() if one.form_id == form_id]
    kind, token = server._api._headers["Authorization"].split(" ")
    assert kind == "Token"
    return Account(server._api.url, token, asset.uid)


def state(row: Row) -> State:
    """A row's state in our words."""
    word = row["_validation_status"].get("uid")
    unseen = "edited" if "meta/deprecatedID" in row else "received"
    return row[INSTANCE], _WORDS[word] if word else unseen


def live(office: Office) -> dict[str, State]:
    """What the warehouse says of the submissions that are there."""
    found = office.all("select submission_id, instance_id, review_state from raw.current where deleted_at is null")
    assert len({row[0] for row in found}) == len(found)
    return {row[0]: row[1:] for row in found}


def agree(office: Office, server: Account) -> tuple[int, int]:
    """Hold the warehouse against the server, to the last answer and file; return how many of each there are."""
    rows = server.rows()
    assert live(office) == {root: state(row) for root, row in rows.items()}
    found = office.all("select submission_id, payload from raw.current where deleted_at is null")
    payloads = {root: orjson.loads(payload) for root, payload in found}
    held, files = office.held(), 0
    for root, row in rows.items():
        assert _said(payloads[root]) == _said(row)
        if (xml := server.xml(row)) is None:
            continue
        assert _said(row) == _written(xml)
        here = {name: content for (instance, name), content in held.items() if instance == row[INSTANCE]}
        if root not in server.shadowed:
            assert here == server.files(row), row
        files += len(here)
    return len(rows), files


def _said(row: Row) -> dict[str, str]:
    """What people answered, without what the server says of the row."""
    return {key: value for key, value in row.items() if key != ROOT and (key[0] != "_" or key == "__version__")}


def _written(xml: bytes) -> dict[str, str]:
    # A bulk edit writes there another one than the row has.
    return {key: value for key, value in of_xml(xml).items() if key != ROOT}
