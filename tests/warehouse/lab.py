"""Small forms written as tables, the pages servers would send of them, and a warehouse to put them in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from tpm_pipeline.records import Dialect, FormSchema, FormVersion, Page
from tpm_pipeline.servers import central, local
from tpm_pipeline.warehouse import build, db, raw, staging

Kind = Literal["central", "local"]

DIALECTS: Mapping[str, Dialect] = {"central": central.DIALECT, "local": local.DIALECT}
PADS = (b"\x36" * 64, b"\x5c" * 64)

_HEADERS = {
    "privacy": "bind::tpm:privacy",
    "fr": "label::Français (fr)",
    "ar": "label::العربية (ar)",
    "hint": "hint::Français (fr)",
}
_REST = """
| choices  |           |      |                      |
|          | list_name | name | label::Français (fr) |
|          | lettre    | a    | Lettre a             |
|          | lettre    | b    | Lettre b             |
| settings |           |      |                      |
|          | form_id   | version   | namespaces                     |
|          | {form_id} | {version} | tpm="https://migdev.org/tpm" |
"""


def form(survey: str, version: str = "1", form_id: str = "essai") -> FormVersion:
    """A form from its survey sheet: columns type, name, privacy and, where wanted, fr, ar and hint."""
    from pyxform.xls2xform import convert

    header, *lines = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in survey.strip().splitlines()]
    rows = [[_HEADERS.get(name, name) for name in header], *lines]
    if "fr" not in header:
        named = [(line[0].startswith("end") or line[0] == "calculate") for line in lines]
        labels = [_HEADERS["fr"], *("" if bare else line[1] for bare, line in zip(named, lines, strict=True))]
        rows = [[*row, label] for row, label in zip(rows, labels, strict=True)]
    table = "| survey |\n" + "\n".join("| | " + " | ".join(row) + " |" for row in rows)
    markdown = table + _REST.format(form_id=form_id, version=version)
    return FormVersion(form_id, version, convert(markdown, validate=False).xform.encode())


@dataclass(frozen=True)
class Row:
    """One submission as its server knows it, in the project's words."""

    submission_id: str
    answers: Mapping[str, Any] = field(default_factory=dict)
    instance_id: str = ""
    version: str = "1"
    submitted: str = "2021-01-05T10:00:00.000Z"
    updated: str | None = None
    review: str = "received"
    deleted: str | None = None


def as_json(row: Row, kind: Kind) -> dict[str, Any]:
    """The row in the words of a kind of server."""
    instance = row.instance_id or row.submission_id
    dates = {"updatedAt": row.updated, "deletedAt": row.deleted}
    theirs = {ours: word for word, ours in DIALECTS[kind].review_states.items()}[row.review]
    system: dict[str, Any] = {"formVersion": row.version, "reviewState": theirs or None, **dates}
    answers = {**row.answers, "meta": {"instanceID": instance}}
    if kind == "central":
        system |= {
            "submissionDate": row.submitted,
            "edits": int(instance != row.submission_id),
            "status": None,
            "attachmentsPresent": 0,
        }
        return {**answers, "__id": row.submission_id, "__system": system}
    system |= {"submittedAt": row.submitted, "submissionId": row.submission_id, "instanceId": instance}
    return {**answers, "__system": system}


def page(folder: Path, rows: list[Row], cursor: str = "c", kind: Kind = "central") -> Page:
    """A page holding these rows."""
    path = folder / "page.json"
    path.write_bytes(orjson.dumps([as_json(row, kind) for row in rows]))
    return Page(path, len(rows), cursor)


@dataclass(frozen=True)
class Lab:
    """A warehouse in memory, and a folder for pages."""

    connection: db.Connection
    folder: Path

    def store(
        self, *rows: Row, kind: Kind = "central", server: str = "", form_id: str = "essai", cursor: str = "c"
    ) -> int:
        sent = page(self.folder, list(rows), cursor, kind)
        return raw.store(self.connection, server or kind, form_id, DIALECTS[kind], [sent]).written

    def store_json(self, *rows: dict[str, Any]) -> int:
        """Store rows as Central writes them."""
        path = self.folder / "page.json"
        path.write_bytes(orjson.dumps(rows))
        page = Page(path, len(rows), "c")
        return raw.store(self.connection, "central", "essai", DIALECTS["central"], [page]).written

    def deploy(self, *forms: FormVersion, server: str = "central") -> None:
        raw.store_versions(self.connection, server, list(forms))

    def stage(self, form_id: str = "essai", pads: tuple[bytes, bytes] = PADS) -> FormSchema:
        (schema,) = build.schemas(self.connection, [form_id])
        staging.create(self.connection)
        staging.build(self.connection, schema, pads)
        return schema

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return db.rows(self.connection, sql, parameters)

    def column(self, sql: str, *parameters: Any) -> list[Any]:
        return [row[0] for row in self.connection.execute(sql, parameters).fetchall()]

    def misfits(self) -> list[str]:
        return self.column("select question from staging.misfit order by 1")
