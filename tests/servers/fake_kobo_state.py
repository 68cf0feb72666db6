"""What the fake kpi holds, how it is called and how it refuses."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

ASSETS = "/api/v2/assets/"
ASSET, DATA = ASSETS + "{uid}/", ASSETS + "{uid}/data/"
ANONYMOUS = "AnonymousUser"


class RefusalError(Exception):
    """An answer that is no success; `body` is JSON, or None for the page of an error."""

    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body

    def response(self) -> Response:
        return page(self.status) if self.body is None else JSONResponse(self.body, self.status)


@dataclass(frozen=True)
class Call:
    """A request, read; `users` are the names behind the tokens."""

    request: Request
    users: Mapping[str, str]
    body: bytes
    form: FormData

    @property
    def user(self) -> str:
        """Whose it is: `AnonymousUser` when it does not say."""
        kind, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if kind != "Token":
            return ANONYMOUS
        if token not in self.users:
            raise RefusalError(401, {"detail": "Invalid token."})
        return self.users[token]

    def sign(self) -> None:
        """Refuse a token nobody has."""
        self.user  # noqa: B018

    @property
    def base(self) -> str:
        return str(self.request.base_url).rstrip("/")

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query_params

    def path(self, name: str) -> str:
        return str(self.request.path_params[name])

    def sent(self) -> Any:
        try:
            return json.loads(self.body or b"{}")
        except ValueError as error:
            raise RefusalError(400, {"detail": f"JSON parse error - {error}"}) from None

    def text(self, name: str) -> str | None:
        value = self.form.get(name)
        return value if isinstance(value, str) else None

    async def files(self) -> dict[str, "Upload"]:
        found = [(name, part) for name, part in self.form.multi_items() if isinstance(part, UploadFile)]
        return {name: Upload(part.filename or "", part.content_type or "", await part.read()) for name, part in found}


Table = list[tuple[str, str, Callable[[Call], Any]]]


@dataclass(frozen=True)
class Upload:
    name: str
    kind: str
    content: bytes


@dataclass
class Version:
    uid: str
    content: dict[str, Any]
    modified: datetime
    deployed: datetime | None = None


@dataclass
class FormFile:
    uid: str
    name: str
    content: bytes
    created: datetime
    description: str
    user: str


@dataclass
class Deployment:
    """`files` are those phones see: what was there when it was last deployed, by their number."""

    pk: int
    uuid: str
    active: bool
    version: Version
    label: str
    xform: bytes
    deployed: datetime
    files: dict[int, FormFile] = field(default_factory=dict)


@dataclass
class Grant:
    uid: str
    user: str
    right: str
    partial: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Attachment:
    uid: str
    name: str
    kind: str
    content: bytes
    path: str
    deleted: bool = False
    dropped: bool = False


@dataclass
class Submission:
    """`row` is what the list shows: written anew whenever something changes; `replaced` are its old uuids."""

    number: int
    xml: str
    uuid: str
    root: str
    created: datetime
    modified: datetime
    by: str | None
    replaced: list[str] = field(default_factory=list)
    validation: dict[str, Any] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)
    late: bool = False


@dataclass
class Asset:
    uid: str
    owner: str
    name: str
    kind: str
    settings: dict[str, Any]
    created: datetime
    modified: datetime
    versions: list[Version] = field(default_factory=list)
    deployment: Deployment | None = None
    grants: list[Grant] = field(default_factory=list)
    files: dict[str, FormFile] = field(default_factory=dict)
    open_to_all: bool = False
    rows: dict[int, Submission] = field(default_factory=dict)
    last_submission: datetime | None = None
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def content(self) -> dict[str, Any]:
        return self.versions[-1].content

    @property
    def visible(self) -> list[Submission]:
        return [row for _, row in sorted(self.rows.items()) if not row.late]


@dataclass
class State:
    """Its state, and the handles tests pull.

    `meddle` answers in its place, `lose` after it. While `slow` is set, what is posted takes its `_id` but is seen
    only after `arrive()`. `page_limit` is the most rows of a page. `ago` sets its clock back.
    `enketo` is the address of its pages for browsers, if it has any.
    """

    assets: dict[str, Asset] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    imports: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    meddle: Callable[[Request], Response | None] = lambda _: None
    lose: Callable[[Request], Response | None] | None = None
    page_limit: int = 1000
    slow: bool = False
    ago: timedelta = timedelta()
    enketo: str = ""
    numbers: int = 0

    def arrive(self) -> None:
        """What was posted while `slow` was set is seen from now on."""
        for asset in self.assets.values():
            for row in asset.rows.values():
                row.late = False

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def now(self) -> datetime:
        return datetime.now(UTC) - self.ago

    def note(self, asset: Asset, user: str, action: str, row: Submission | None = None, **more: Any) -> None:
        """Write a line of the project's history."""
        seen = (
            {} if row is None else {"submission": {"root_uuid": row.root, "submitted_by": row.by or ANONYMOUS, **more}}
        )
        metadata = {"asset_uid": asset.uid, **seen, "log_subtype": "project", "project_owner": asset.owner}
        line = {"username": user, "action": action, "metadata": metadata}
        asset.history.append({**line, "date_created": stamp(self.now(), "seconds")})


def new_uid(prefix: str) -> str:
    letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    return prefix + "".join(secrets.choice(letters) for _ in range(21))


def stamp(at: datetime, precision: str = "auto") -> str:
    return at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def page(status: int) -> Response:
    return HTMLResponse(f"\n\n\n<!doctype html>\n<html><body>Error ({status})</body></html>\n", status)


def missing(what: str = "") -> RefusalError:
    return RefusalError(404, {"detail": f"No {what} matches the given query." if what else "Not found."})


def forbidden() -> RefusalError:
    return RefusalError(403, {"detail": "You do not have permission to perform this action."})


def raw(content: bytes, kind: str, disposition: str = "", status: int = 200) -> Response:
    """A file: its media type is told without a charset."""
    named = {"content-disposition": disposition} if disposition else {}
    return Response(content, status, headers={"content-type": kind, **named})
