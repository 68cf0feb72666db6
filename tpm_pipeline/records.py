"""What crosses the borders between the parts: frozen, typed, without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

Privacy = Literal["public", "quasi", "sensitive", "identifying", "text"]
Language = Literal["fr", "ar"]
AnswerType = Literal[
    "string", "integer", "decimal", "date", "datetime", "time", "select_one", "select_multiple", "geopoint", "binary"
]


@dataclass(frozen=True)
class Choice:
    """One answer of a list."""

    name: str
    labels: Mapping[Language, str]


@dataclass(frozen=True)
class Question:
    """One question of one form version, as the warehouse sees it.

    `path` is the XForm path below the root, without repeats' positions: ("g_bureau", "bureau");
    `former` the paths at which older versions held the answer.
    """

    path: tuple[str, ...]
    type: AnswerType
    privacy: Privacy | None
    labels: Mapping[Language, str]
    hints: Mapping[Language, str]
    choices: str | None = None
    calculated: bool = False
    former: tuple[tuple[str, ...], ...] = ()

    @property
    def name(self) -> str:
        """The name an analyst sees as a column."""
        return self.path[-1]


@dataclass(frozen=True)
class Table:
    """The questions of a form outside its repeats, or those of one repeat.

    `path` is () for the form itself, else the repeat's path.
    """

    path: tuple[str, ...]
    questions: tuple[Question, ...]
    repeats: tuple["Table", ...] = ()
    labels: Mapping[Language, str] | None = None


@dataclass(frozen=True)
class FormSchema:
    """A form version as typed tables, read from its XForm."""

    form_id: str
    version: str
    title: str
    root: Table
    lists: Mapping[str, tuple[Choice, ...]]


@dataclass(frozen=True)
class Finding:
    """Something a person should look at; `error` stops a deployment, `warning` does not."""

    code: str
    where: str
    what: str
    level: Literal["error", "warning"] = "error"


@dataclass(frozen=True)
class MediaFile:
    """A file a form needs beside it (a list of communes, a recorded prompt)."""

    name: str
    content: bytes


@dataclass(frozen=True)
class CompiledForm:
    """An XForm ready to deploy. `version` follows from the content, media included.

    `entity_lists` are the lists the form creates or updates (`entities` sheet) and
    `media` the attached files it reads; a list may be both.
    """

    form_id: str
    version: str
    title: str
    xform: bytes
    media: tuple[MediaFile, ...]
    entity_lists: tuple[str, ...]


@dataclass(frozen=True)
class FormVersion:
    """A version a server holds or has held, with its XForm."""

    form_id: str
    version: str
    xform: bytes


@dataclass(frozen=True)
class Change:
    """One line of a deployment plan: what would be done, in words."""

    action: Literal["create", "update", "none"]
    what: str


@dataclass(frozen=True)
class Dialect:
    """How one kind of server writes a submission as JSON.

    Groups are objects inside objects. The fields are JSON paths of the row, but for `system`,
    the keys that are no answers, and `review_states`, which translates the server's words.
    """

    name: str
    submission_id: str
    instance_id: str
    form_version: str
    submitted_at: str
    updated_at: str
    review_state: str
    deleted_at: str
    system: tuple[str, ...]
    review_states: Mapping[str, str]


@dataclass(frozen=True)
class Page:
    """Complete rows of one form, as the server wrote them.

    `path` is a file holding one JSON array of rows; the reader deletes it. `cursor` is
    where the next pull starts once these rows are stored.
    """

    path: Path
    rows: int
    cursor: str


@dataclass(frozen=True)
class PullReport:
    """What one pull of one form brought."""

    form_id: str
    seen: int
    written: int


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh brought, whether it had anything to publish, and what the checks found in all, by check."""

    pulled: tuple[PullReport, ...]
    published: bool
    findings: Mapping[str, int]

    @property
    def written(self) -> int:
        """Submissions that were new or changed."""
        return sum(report.written for report in self.pulled)


@dataclass(frozen=True)
class IndicatorLine:
    """An indicator's latest reporting year, for a quick look."""

    code: str
    name: str
    period: str
    value: float | None
    target: float | None
    unit: str
    decimals: int
    is_yes_or_no: bool


@dataclass(frozen=True)
class Period:
    """A half-open span of time with the name people give it (`2021-03`, `2021-T1`, `projet`)."""

    code: str
    kind: Literal["mois", "trimestre", "semestre", "annee", "projet"]
    start: date
    end: date
