"""What crosses the borders between the parts: frozen, typed, without behaviour."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal

from tpm_pipeline.errors import FormError, TpmError

Privacy = Literal["public", "quasi", "sensitive", "identifying", "text"]
Language = Literal["fr", "ar"]
Role = Literal["manager", "viewer", "formfill"]
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

    `path` is () for the form itself, else the repeat's path; `former` the paths at which older versions held its rows.
    """

    path: tuple[str, ...]
    questions: tuple[Question, ...]
    repeats: tuple["Table", ...] = ()
    labels: Mapping[Language, str] | None = None
    former: tuple[tuple[str, ...], ...] = ()


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
    `media` the attached files it reads; a list may be both. `sheets` are the rows of the XLSForm behind it.
    """

    form_id: str
    version: str
    title: str
    xform: bytes
    media: tuple[MediaFile, ...]
    entity_lists: tuple[str, ...]
    sheets: Mapping[str, tuple[Mapping[str, str], ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class FormVersion:
    """A version a server holds or has held, with its XForm."""

    form_id: str
    version: str
    xform: bytes


@dataclass(frozen=True)
class Change:
    """One line of a deployment plan: what would be done, in words.

    A `drift` is what a hand changed on the server, and a forced deployment undoes.
    """

    action: Literal["create", "update", "revoke", "drift", "none"]
    what: str


@dataclass(frozen=True)
class Share:
    """What one of several servers has of a project: forms, and the offices that fill them there."""

    forms: tuple[str, ...] = ()
    offices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Access:
    """Who may fill what, as an installation declares it.

    `phones` are the devices of each office, `web_users` a role for each e-mail, `desk_links` the offices that fill a
    form in a browser, `retired` the forms no phone gets any more, `own_cases` the entity lists of which an office
    receives only its own rows. `accounts` are the names with which an office signs in, where a server gives phones no
    address of their own, and `anonymous` the forms that anybody may send there. `servers` is what is named for each
    kind of server, where there are several.
    """

    phones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    web_users: Mapping[str, Role] = field(default_factory=dict, repr=False)
    desk_links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    own_cases: tuple[str, ...] = ()
    accounts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    anonymous: tuple[str, ...] = ()
    servers: Mapping[str, Share] = field(default_factory=dict)


NOBODY: Final = Access()


@dataclass(frozen=True)
class Door:
    """The address by which an office's device, or its desk for one form, enters: whoever has it can submit.

    With a `username`, the account's password is asked for too.
    """

    office: str
    name: str
    url: str = field(repr=False)
    username: str = field(default="", repr=False)


@dataclass(frozen=True)
class Dialect:
    """How one kind of server writes a submission as JSON.

    Groups are objects inside objects; or, `flat`, every key is the answer's path from the root (`g_bureau/bureau`),
    in the rows of a repeat too. The fields are JSON paths of the row, but for `system`, the keys that are no answers,
    and `review_states`, which translates the server's words.
    `content` are the paths, `[*]` standing for each of several, that tell one set of answers from another where the
    server writes the same answers differently as its forms change; empty, only the whole row tells. `sealed` has a
    value while the answers are still encrypted. `attachments` is how many files belong to the answers, or the list of
    them; without it, rows do not tell. `corrected` has a value once the answers were edited, where the review state
    does not say so. `keeps_files` tells whether a version that was edited keeps its files. `rank` grows with each
    submission, where two of one second would otherwise have come at the same time.
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
    content: tuple[str, ...] = ()
    sealed: str | None = None
    attachments: str | None = None
    corrected: str | None = None
    flat: bool = False
    keeps_files: bool = True
    rank: str | None = None


@dataclass(frozen=True)
class Page:
    """Complete rows of one form, as the server wrote them.

    `path` is a file holding one JSON array of rows; the reader deletes it. `cursor` is where the next pull
    starts once these rows are stored; without one, more belongs to this page, and none of it may be kept alone.
    """

    path: Path
    rows: int
    cursor: str | None


@dataclass(frozen=True)
class SharedList:
    """A list that phones look into, for a server that keeps none itself: a CSV file, whole and for each office."""

    name: str
    whole: bytes = field(repr=False)
    by_office: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Sweep:
    """Every submission of a form with its state, without its answers, as the server lists them.

    `paths` are files that each hold one JSON array; the reader deletes them. `cursor` tells this listing
    from a later one; `is_narrower` that a part of the form which the last one showed is out of sight.
    """

    paths: tuple[Path, ...]
    cursor: str
    is_narrower: bool = False


@dataclass(frozen=True)
class Instance:
    """One version of a submission."""

    form_id: str
    submission_id: str
    instance_id: str


@dataclass(frozen=True)
class AttachmentName:
    """A file that belongs to a submission; it may arrive after the answers.

    `key` tells it from another that had its name before, where a server replaces files.
    """

    name: str
    is_there: bool
    key: str = ""


@dataclass(frozen=True)
class StoredFile:
    """The content of a file, told by its SHA-256 and its MD5 in hexadecimal. `size` is in bytes."""

    digest: str
    md5: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Comment:
    """What a reviewer wrote beside a submission."""

    text: str
    author: str
    created_at: str


@dataclass(frozen=True)
class EntityVersion:
    """An entity as one change left it.

    `data` are its properties without their label. `source` is the instance that wrote it, or the server's word for
    another way; None when the server does not tell any more. `more` is what else it says of the change.
    """

    version: int
    label: str
    data: Mapping[str, str]
    source: str | None
    creator: str | None
    created_at: str | None
    base_version: int | None = None
    conflict: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class PullReport:
    """What one pull of one form brought: rows seen, rows new or changed, and of these those only a sweep found.

    `files` came with them or late; `swept` tells whether all that the server lists was compared, `pending` whether
    what hangs on the rows is still to be asked for. `server` is named where there may be several. `unread` says which
    of the form's versions cannot be read.
    """

    form_id: str
    seen: int
    written: int
    found_by_sweep: int = 0
    files: int = 0
    swept: bool = False
    pending: bool = False
    server: str = ""
    unread: FormError | None = None


Brought = tuple[list[PullReport], list[TpmError]]
"""What a pull brought, and beside it the errors of what did not come."""


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
