"""Central's export, the only place where it opens submissions with a key it manages: checked, and made rows again."""

import csv
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zipfile import BadZipFile, ZipFile

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.central_complete import FormPlace
from tpm_pipeline.servers.central_versions import NodePath, Shape
from tpm_pipeline.servers.http import cut, expect

Record = Sequence[tuple[str, str]]
"""A line of a table: each column's name and cell."""

_FILES = ("AttachmentsPresent", "AttachmentsExpected")
_SYSTEM = ("KEY", "SubmitterID", "SubmitterName", *_FILES, "Status", "ReviewState", "DeviceID", "Edits", "FormVersion")
_ITERATION = ("PARENT_KEY", "KEY")
_LOG = "instance ID"
_MEDIA = "media/"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_WRONG = "400.12"
# How Central fails when a file does not decrypt: it breaks off in mid-answer, or before the answer begins.
_BROKEN = {"SRV-005", "SRV-006", "SRV-007"}
_POINT = ("-Latitude", "-Longitude", "-Altitude", "-Accuracy")
_STEP = re.compile(r"([^\[\]]+)(?:\[(\d+)\])?")
# What Central leaves out of the names of files, as no file system takes it.
_NO_NAME = re.compile(r'[/?<>\\:*|"\x00-\x1f\x80-\x9f]|[. ]+\Z')
_LARGEST_CELL = 1 << 28


@dataclass(frozen=True)
class Export:
    """The submissions by their identifier, the iterations by their key, each log's lines, and the media files."""

    submissions: Mapping[str, Record]
    iterations: Sequence[tuple[str, Record]]
    logs: Sequence[Sequence[str]]
    media: Sequence[tuple[str, bytes]]

    def answers(self, submission_id: str, shape: Shape) -> dict[str, Any] | None:
        """One submission's answers, nested as in its XML; None when a column may be the place of several answers."""
        tables = _Tables(shape)
        written: dict[str, Any] = {}
        found = [("", self.submissions[submission_id][1 : -len(_SYSTEM)])]
        start = f"{submission_id}/"
        found += [(key[len(start) :], record) for key, record in self.iterations if key.startswith(start)]
        for key, record in found:
            steps = [*_steps(key)]
            told = tables.read(tuple(name for name, _ in steps), record)
            if told is None:
                return None
            _place(_reached(written, steps), told)
        return written

    def file(self, submission_id: str, name: str) -> bytes | None:
        """A media file or the log, by its name; None when it is not there, or may be another's.

        Only in the export of one submission are the files known to be its own.
        """
        if name == "audit.csv":
            return self._log(submission_id)
        named = _NO_NAME.sub("", name)
        found = [content for known, content in self.media if known == named]
        return found[0] if len(found) == 1 else None

    def _log(self, submission_id: str) -> bytes | None:
        lines = [line[1:] for line in self.logs if line[0] in {_LOG, submission_id}]
        text = io.StringIO()
        csv.writer(text).writerows(lines)
        return text.getvalue().encode() if len(lines) > 1 else None


def managed_keys(place: FormPlace) -> dict[str, int]:
    """The public keys of a form's submissions whose private half Central keeps, each with its number."""
    return {str(key["public"]): int(key["id"]) for key in place.api.get(_keys(place)) if key["managed"]}


def ask(
    place: FormPlace, keys: Sequence[int], passphrase: str, ids: Sequence[str], *, media: bool = False
) -> Export | None:
    """The export of these submissions, opened with the passphrase; None when Central breaks off over one of them."""
    try:
        return _asked(place, keys, passphrase, ids, media=media)
    except ServerError as error:
        if error.code not in _BROKEN:
            raise
    # Central itself may be down: this says so.
    place.api.get(_keys(place))
    return None


def can_be_named(submission_id: str) -> bool:
    """Tell whether an export can be asked for by this identifier: Central reads no quote inside a quoted text."""
    return "'" not in submission_id


def read(where: str, body: bytes) -> Export:
    """Read an export; SRV-005 when it is not whole."""
    submissions: dict[str, Record] = {}
    iterations: list[tuple[str, Record]] = []
    logs: list[list[str]] = []
    members = _members(where, body)
    for name, content in members:
        if name.startswith(_MEDIA):
            continue
        header, records = _table(where, content)
        if header[-len(_SYSTEM) :] == _SYSTEM:
            submissions |= {dict(record)["KEY"]: record for record in records}
        elif header[-2:] == _ITERATION:
            iterations += [(record[-1][1], record[:-2]) for record in records]
        elif header[:1] == (_LOG,):
            logs += [[*header], *([cell for _, cell in record] for record in records)]
    media = [(name.removeprefix(_MEDIA), content) for name, content in members if name.startswith(_MEDIA)]
    return Export(submissions, iterations, logs, media)


def _keys(place: FormPlace) -> str:
    return f"{place.path}/submissions/keys"


def _asked(place: FormPlace, keys: Sequence[int], passphrase: str, ids: Sequence[str], *, media: bool) -> Export:
    # The fields of all versions: else the answers to a dropped question would be missing.
    query = {"$filter": " or ".join(f"__id eq '{one}'" for one in ids), "deletedFields": "true"}
    query |= {} if media else {"attachments": "false"}
    body = urlencode({str(key): passphrase for key in keys}).encode()
    here = f"{place.path}/submissions.csv.zip"
    with place.api.stream(here, query, method="POST", headers=_FORM, body=body, tolerate=(_WRONG,)) as answer:
        if answer.status != 200:  # noqa: PLR2004
            cause = "It does not open the key that Central manages."
            remedy = "Set the passphrase that was chosen in Central when encryption was enabled."
            raise ServerError("SRV-037", "TPM_CENTRAL_KEY_PASSPHRASE", cause, remedy)
        expect(answer.where, answer.media_type, "application/zip")
        return read(answer.where, answer.read().body)


def _members(where: str, body: bytes) -> list[tuple[str, bytes]]:
    try:
        with ZipFile(io.BytesIO(body)) as archive:
            return [(member.filename, archive.read(member)) for member in archive.infolist()]
    except (BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise cut(where) from None


def _table(where: str, content: bytes) -> tuple[tuple[str, ...], list[Record]]:
    try:
        header, *lines = [tuple(line) for line in _lines(content) if line] or [()]
        return header, [tuple(zip(header, line, strict=True)) for line in lines]
    except (ValueError, csv.Error):
        raise cut(where) from None


def _lines(content: bytes) -> Iterator[list[str]]:
    csv.field_size_limit(_LARGEST_CELL)
    # Central does not quote a lone carriage return, which to Python ends a line; no XML may hold the character.
    text = content.decode().replace("\r\n", "\n").replace("\r", "\x01")
    for line in csv.reader(io.StringIO(text, newline="")):
        yield [cell.replace("\x01", "\n") for cell in line]


class _Tables:
    """Where the columns of each table belong, in the version a submission was made with."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._groups = {path[:depth] for path in shape.answers | shape.repeats for depth in range(1, len(path))}
        self._known: dict[NodePath, dict[str, list[tuple[NodePath, int | None]]]] = {}
        self._named: dict[NodePath, dict[str, list[NodePath]]] = {}

    def read(self, table: NodePath, record: Record) -> dict[NodePath, str] | None:
        """The answers of a line, by their path in the table; None when one has no certain place."""
        if table and table not in self._shape.repeats:
            return None
        columns = {name for name, _ in record}
        # A question that was dropped from a repeat may stand in another table, its answers over those of others.
        if not all({name, name + _POINT[0]} & columns for name in self._names(table)):
            return None
        told: dict[NodePath, list[str]] = {}
        twice = {name for name, times in Counter(name for name, cell in record if cell.strip()).items() if times > 1}
        for column, cell in record:
            if not cell.strip():
                continue
            places = self._places(table, column)
            if len(places) != 1 or column in twice:
                return None
            ((path, part),) = places
            # The parts of a point come in their order; altitude and accuracy may be missing.
            told.setdefault(path, []).append(cell if part is None else cell.strip())
        return {path: " ".join(cells) for path, cells in told.items()}

    def _places(self, table: NodePath, column: str) -> list[tuple[NodePath, int | None]]:
        if table not in self._known:
            self._known[table] = self._columns(table)
        if column in self._known[table]:
            return self._known[table][column]
        if not table and column.startswith("meta-"):
            kept = column.removeprefix("meta-")
            return [(("meta", "entity", kept[7:]) if kept.startswith("entity-") else ("meta", kept), None)]
        # A node that is no question, as the count of a repeat.
        groups = [(), *(group[len(table) :] for group in self._groups if self._is_in(table, group))]
        starts = [(group, "".join(f"{name}-" for name in group)) for group in groups]
        found = [(*group, column.removeprefix(start)) for group, start in starts if column.startswith(start)]
        return [(path, None) for path in found if "-" not in path[-1]]

    def _columns(self, table: NodePath) -> dict[str, list[tuple[NodePath, int | None]]]:
        columns: dict[str, list[tuple[NodePath, int | None]]] = {}
        for name, paths in self._names(table).items():
            for column, part in [(name, None), *((name + suffix, n) for n, suffix in enumerate(_POINT))]:
                columns.setdefault(column, []).extend((path, part) for path in paths)
        return columns

    def _names(self, table: NodePath) -> Mapping[str, Sequence[NodePath]]:
        """What the questions of a table are called in it, each with its path there."""
        if table not in self._named:
            named = self._named[table] = {}
            for path in self._shape.answers:
                if self._is_in(table, path):
                    below = path[len(table) :]
                    named.setdefault("-".join(below), []).append(below)
        return self._named[table]

    def _is_in(self, table: NodePath, path: NodePath) -> bool:
        """Tell whether a path is in this table, and not in a repeat of it."""
        between = (path[:depth] for depth in range(len(table) + 1, len(path) + 1))
        return path[: len(table)] == table and path != table and not any(one in self._shape.repeats for one in between)


def _steps(key: str) -> Iterator[tuple[str, int | None]]:
    """Read `group/repeat[2]/repeat[1]`."""
    for step in key.split("/") if key else ():
        match = _STEP.fullmatch(step)
        name, position = (match[1], match[2]) if match else (step, None)
        yield name, None if position is None else int(position)


def _reached(written: dict[str, Any], steps: Sequence[tuple[str, int | None]]) -> dict[str, Any]:
    """The place of an iteration, made with those before it: one without answers counts too."""
    node = written
    for name, position in steps:
        if position is None:
            node = node.setdefault(name, {})
            continue
        iterations = node.setdefault(name, [])
        iterations += ({} for _ in range(position - len(iterations)))
        node = iterations[position - 1]
    return node


def _place(node: dict[str, Any], told: Mapping[NodePath, str]) -> None:
    for path, text in told.items():
        _reached(node, [(name, None) for name in path[:-1]])[path[-1]] = text
