"""A server under test, and the people who fill its forms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from tests.servers.kobo_phone import nested
from tests.servers.transcript import Transcript
from tpm_pipeline.forms import schema
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.openrosa import OpenRosaClient


@dataclass(frozen=True)
class Site:
    """A server under test. `phone()` gives a client that may fill what is deployed by then."""

    server: Server
    phone: Callable[[], OpenRosaClient]
    folder: Path
    transcript: Transcript = field(default_factory=Transcript)

    def submit(self, *submissions: bytes, files: tuple[MediaFile, ...] = ()) -> None:
        phone = self.phone()
        for xml in submissions:
            phone.submit(xml, files)

    def pull(self, since: str | None = None, form_id: str = "visites") -> tuple[list[dict[str, Any]], str | None]:
        """The rows of every page, and the last cursor."""
        rows: list[dict[str, Any]] = []
        cursor = since
        for page in self.server.pull(form_id, since, self.folder):
            found = orjson.loads(page.path.read_bytes())
            page.path.unlink()
            assert page.rows == len(found)
            rows, cursor = rows + found, page.cursor or cursor
        assert list(self.folder.iterdir()) == []
        self.transcript.rows(rows)
        return rows, cursor

    def sweep(self, form_id: str = "visites") -> list[dict[str, Any]]:
        """What the server lists; nothing when its cursor tells all."""
        found = self.server.sweep(form_id, None, self.folder)
        rows: list[dict[str, Any]] = []
        for path in found.paths if found else ():
            rows += orjson.loads(path.read_bytes())
            path.unlink()
        self.transcript.rows(rows)
        return rows

    def field(self, row: dict[str, Any], path: str) -> Any:
        """A value of a row by a JSON path of the dialect (`$.a.b`)."""
        value: Any = row
        for key in path.removeprefix("$.").split("."):
            value = (value or {}).get(key.strip('"'))
        return value

    def answers(self, row: dict[str, Any]) -> dict[str, Any]:
        """The answers of a row, group in group, without what the server adds."""
        if self.server.dialect.flat:
            return nested(row)
        return {key: value for key, value in row.items() if "@odata." not in key and key not in {"__id", "__system"}}

    def review(self, row: dict[str, Any]) -> str:
        """The review state of a row, in our words."""
        dialect = self.server.dialect
        said = self.field(row, dialect.review_state)
        if said is None and dialect.corrected and self.field(row, dialect.corrected):
            return "edited"
        return dialect.review_states[said or ""]

    def version(self, row: dict[str, Any], form_id: str = "visites") -> str:
        """The version of the form in which a row was sent, as the form itself says it."""
        named = {found.version: schema.read(found.xform).version for found in self.server.versions(form_id)}
        return named[self.field(row, self.server.dialect.form_version)]
