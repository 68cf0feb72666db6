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
    allowed: set[int] = field(default_factory=set)
    rows: dict[str, "Submission"] = field(default_factory=dict)


@dataclass
class Submission:
    versions: list[tuple[str, bytes]]
    version: str
    created: str
    updated: str | None = None
    deleted: str | None = None
    review: str | None = None


@dataclass
class Project:
    name: str
    forms: dict[str, Form] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    properties: dict[str, set[str]] = field(default_factory=dict)
    entities: dict[str, list[Any]] = field(default_factory=dict)
    users: dict[int, dict[str, Any]] = field(default_factory=dict)


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
    ago: timedelta = timedelta()

    def now(self) -> str:
        return (datetime.now(UTC) - self.ago).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def missing() -> ProblemError:
    return ProblemError("404.1", "Could not find the resource you were looking for.")


def unknown_user() -> ProblemError:
    return ProblemError("401.2", "Could not authenticate with the provided credentials.")


def refuse(problem: ProblemError) -> Any:
    raise problem
