"""What the fake Central holds, and how it refuses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tests.servers.fake_central_rows import XForm

Table = list[tuple[str, str, Callable[..., Any]]]
PROJECT, FORM = "/v1/projects/{project:int}", "/v1/projects/{project:int}/forms/{form}"


class ProblemError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Form:
    versions: list[tuple[XForm, bytes]] = field(default_factory=list)
    draft: tuple[XForm, bytes] | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    draft_files: dict[str, bytes] = field(default_factory=dict)
    draft_linked: set[str] = field(default_factory=set)
    state: str = "open"
    web_form: str | None = None
    allowed: set[int] = field(default_factory=set)
    links: dict[int, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, "Submission"] = field(default_factory=dict)


@dataclass
class Submission:
    versions: list[tuple[str, bytes]]
    version: str
    created: str
    updated: str | None = None
    deleted: str | None = None
    review: str | None = None
    event: int = 0


@dataclass
class History:
    versions: list[dict[str, Any]]
    created: str
    updated: str | None = None
    deleted: str | None = None
    conflict: str | None = None


@dataclass
class Project:
    name: str
    forms: dict[str, Form] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    properties: dict[str, set[str]] = field(default_factory=dict)
    entities: dict[str, list[Any]] = field(default_factory=dict)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)
    actor_properties: set[str] = field(default_factory=set)
    filters: dict[str, dict[str, Any]] = field(default_factory=dict)
    approvals: set[str] = field(default_factory=set)
    roles: set[tuple[int, int]] = field(default_factory=set)
    passphrase: str = ""


@dataclass
class State:
    """Its state, and the handles tests pull.

    `meddle` answers in its place, `lose` after it; `extra` falsifies the count; `ago` sets its clock back.
    """

    projects: dict[int, Project] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    meddle: Callable[[Request], Response | None] = lambda _: None
    lose: Callable[[Request], Response | None] | None = None
    extra: int = 0
    events: int = 0
    files: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    histories: dict[str, History] = field(default_factory=dict)
    worked: set[str] = field(default_factory=set)
    ago: timedelta = timedelta()
    actors: int = 100
    people: dict[int, str] = field(default_factory=lambda: {5: "pipeline@example.org"})

    def new_actor(self) -> int:
        self.actors += 1
        return self.actors

    def counted(self, row: Submission) -> dict[str, Any]:
        files = self.files.get(row.versions[-1][0], {})
        there = sum(content is not None for content in files.values())
        counts: dict[str, Any] = {"attachmentsPresent": there, "attachmentsExpected": len(files)}
        if b'encrypted="yes"' in row.versions[-1][1]:
            came = files.get("submission.xml.enc") is not None
            counts["status"] = "notDecrypted" if came else "missingEncryptedFormData"
        return counts

    def now(self) -> str:
        return (datetime.now(UTC) - self.ago).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def missing() -> ProblemError:
    return ProblemError("404.1", "Could not find the resource you were looking for.")


def unknown_user() -> ProblemError:
    return ProblemError("401.2", "Could not authenticate with the provided credentials.")


def no_right() -> ProblemError:
    return ProblemError("403.1", "The authentication you provided does not have rights to perform that action.")


def refuse(problem: ProblemError) -> Any:
    raise problem
