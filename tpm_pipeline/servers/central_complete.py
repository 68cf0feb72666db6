"""Rows of Central made whole: where OData leaves answers out, they are read from the submission's own XML."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.servers import payload
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_versions import Rendering, Shape, Shapes, shape

Row = dict[str, Any]
NodePath = tuple[str, ...]
Unseal = Callable[[list[Row]], list[Row]]
"""Opens rows whose answers are encrypted; those that cannot be opened come back as they were."""

_GONE = "404.1"
# A number of so many digits may have been rounded.
_LONG = re.compile(rb'":[-\d](?:\d{15}|[\d.]{16}|[\d.]*e)')
_NO_ANSWER = b'"accuracy'
_NO_XML = {"SRV-101", "SRV-118"}


@dataclass(frozen=True)
class FormPlace:
    """Where a form is on Central."""

    api: CentralApi
    project: int
    form_id: str

    @property
    def path(self) -> str:
        """Its address."""
        return address("projects", self.project, "forms", self.form_id)

    def submission_xml(self, submission_id: str, version: str = "") -> bytes | None:
        """The XML of a submission, of one `version` by its path; None when it is deleted."""
        here = f"{self.path}{address('submissions', submission_id)}{version}.xml"
        return self.api.xml_if_there(here, tolerate=(_GONE,))


class Completer:
    """Completes the rows of one answer. `expected` is the version published before it was asked for."""

    def __init__(self, place: FormPlace, expected: str, shapes: Shapes, unseal: Unseal) -> None:
        self._place, self._expected, self._shapes, self._unseal = place, expected, shapes, unseal
        self._rendering: Rendering | None = None
        self._pieces = 0

    def complete(self, content: bytes, rows: list[Row]) -> bytes:
        """Return the rows as a JSON array, the doubtful ones rewritten from their XML."""
        self._pieces += 1
        rendering = self._rendering = self._rendering or self._read_rendering()
        rounded = _has_long_number(content)
        sealed = [row for row in rows if row["__system"]["status"] and not row["__system"]["deletedAt"]]
        opened = {row["__id"]: row for row in self._unseal(sealed)} if sealed else {}
        remedies = [self._remedy(row, rendering, opened, rounded=rounded) for row in rows]
        if not any(remedies):
            return content
        return orjson.dumps([remedy(row) if remedy else row for row, remedy in zip(rows, remedies, strict=True)])

    def _remedy(
        self, row: Row, rendering: Rendering, opened: Mapping[str, Row], *, rounded: bool
    ) -> Callable[[Row], Row] | None:
        system = row["__system"]
        if system["deletedAt"]:
            return None
        if system["status"]:
            return lambda sealed: opened[sealed["__id"]]
        version, edited = str(system["formVersion"] or ""), bool(system["edits"])
        if rendering.is_faithful(version, edited=edited) and not (rounded and _has_long_number(orjson.dumps(row))):
            return None
        return self._whole

    def confirm(self) -> None:
        """Refuse the answer when a version was published while it was written."""
        if self._pieces > 1:
            self._published()

    def _whole(self, row: Row) -> Row:
        root = str(row["__id"])
        instance = (row.get("meta") or {}).get("instanceID") or ("" if row["__system"]["edits"] else root)
        version = address("versions", instance) if instance else ""
        xml = self._place.submission_xml(root, version)
        if xml is None:
            return row  # deleted in the meantime: it comes again, as deleted
        try:
            return rewritten(row, xml, lambda sent_in: self._shape(sent_in).repeats)
        except ServerError as error:
            # Central takes XML that is none, and reads it in its own way: then its reading is all there is.
            if error.code in _NO_XML:
                return row
            raise

    def _read_rendering(self) -> Rendering:
        return Rendering(self._expected, {version: self._shape(version) for version in self._published()})

    def _published(self) -> list[str]:
        """The published versions, newest first."""
        found = [str(row["version"] or "") for row in self._place.api.get(f"{self._place.path}/versions")]
        if found[0] != self._expected:
            cause = f"A version of «{self._place.form_id}» was published while its rows were read."
            raise ServerUnavailableError("SRV-021", self._place.api.where, cause, "Nothing of them is kept; try again.")
        return found

    def _shape(self, version: str) -> Shape:
        return shape_of(self._place, self._shapes, version)


def shape_of(place: FormPlace, shapes: Shapes, version: str) -> Shape:
    """The shape of a published version, asked for once."""
    key = (place.form_id, version)
    if key not in shapes:
        shapes[key] = shape(place.api.xml(f"{place.path}/versions{address((version or '___') + '.xml')}"))
    return shapes[key]


def rewritten(row: Row, xml: bytes, repeats: Callable[[str], frozenset[NodePath]]) -> Row:
    """The row with the answers of its XML; `repeats` tells where the answers of a version repeat."""
    root = payload.read(xml)
    version = root.get("version", "")
    answers = payload.answers(root, repeats(version))
    meta = {**(row.get("meta") or {}), **answers.pop("meta", {})}
    return {**answers, "meta": meta, "__id": row["__id"], "__system": {**row["__system"], "formVersion": version}}


def _has_long_number(content: bytes) -> bool:
    return any(not content.endswith(_NO_ANSWER, 0, found.start()) for found in _LONG.finditer(content))
