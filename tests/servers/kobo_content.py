"""What KoboToolbox makes of an imported workbook: the rules seen on a real server (kpi, August 2026).

- Rows without a type, choices without a list are left out; what nobody answers (start, audit …) comes first.
- `label::X` becomes the entry of a list that belongs to X, for every column with a colon but `bind:` and `body:`; a
  column without one belongs to the language null. Languages come as first met, the default language first of all.
- `select_one x` and its like are split in type and list; yes and no of `required` become booleans; some old names of
  types and columns are replaced.
- `form_id` becomes `id_string`; `form_title` goes, to be the asset's name; version and any other setting stay.
- Every row has a `$kuid`, every named one its `$autoname` or `$autovalue` and `$xpath`, and quotes stay as they are.
"""

import io
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import openpyxl

Sheets = Mapping[str, Sequence[Mapping[str, str]]]
Row = dict[str, Any]

META: Final = frozenset(
    {"start", "today", "end", "deviceid", "phone_number", "phonenumber", "imei", "username", "audit", "start-geopoint"}
)
KNOWN: Final = ("survey", "choices", "settings")
MEDIA: Final = ("audio", "image", "video", "big-image")
SELECT: Final = re.compile(r"(select[ _](?:one|multiple)(?:[ _]from[ _]file)?|rank) +(\S+?)( +or.other)?$")
OLD_TYPES: Final = {
    **{f"{edge} {kind}": f"{edge}_{kind}" for edge in ("begin", "end") for kind in ("group", "repeat")},
    "string": "text",
    "trigger": "acknowledge",
    "photo": "image",
    "dateTime": "datetime",
    "gps": "geopoint",
    "imei": "deviceid",
}
OLD_HEADERS: Final = {"calculate": "calculation", "readonly": "read_only", "relevance": "relevant"}
YES_NO: Final = {
    spelling: answer
    for word, answer in (("yes", True), ("true", True), ("no", False), ("false", False))
    for spelling in (word, word.title(), word.upper())
} | {"true()": True, "false()": False}


def sheets_from_xlsx(data: bytes) -> dict[str, tuple[dict[str, str], ...]]:
    """Read the sheets of a workbook as the server's importer does."""
    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    return {sheet.title: tuple(_lines(sheet.values)) for sheet in book.worksheets}


def content_of(sheets: Sheets) -> dict[str, Any]:
    """The `content` of an asset after the import of these sheets; its name is their form_title."""
    survey = [_typed(row) for row in sheets["survey"] if "type" in row]
    survey.sort(key=lambda row: row["type"] not in META)
    choices = [dict(row) for row in sheets.get("choices", ()) if "list_name" in row]
    settings = dict(next(iter(sheets.get("settings", ())), {}))
    others = {name: [dict(row) for row in rows] for name, rows in sheets.items() if name not in KNOWN}
    content: dict[str, Any] = {**others, "survey": survey, "choices": choices, "schema": "1"}
    _translate(content, settings.get("default_language"))
    settings.pop("form_title", None)
    content["settings"] = {{"form_id": "id_string"}.get(name, name): text for name, text in settings.items()}
    _name(content)
    return content if "choices" in sheets else {name: rows for name, rows in content.items() if name != "choices"}


def _lines(lines: Iterator[tuple[object, ...]]) -> Iterator[dict[str, str]]:
    headers = [str(value).strip() if value else "" for value in next(lines, ())]
    for line in lines:
        texts = ((header, str(value).strip()) for header, value in zip(headers, line, strict=True) if value is not None)
        yield {header: text for header, text in texts if header and text}


def _typed(cells: Mapping[str, str]) -> Row:
    row: Row = {OLD_HEADERS.get(header, header): text for header, text in cells.items()}
    if select := SELECT.match(row["type"]):
        row["type"] = select[1].replace(" ", "_")
        row["file" if row["type"].endswith("_from_file") else "select_from_list_name"] = select[2]
        if select[3]:
            row["_or_other"] = True
    row["type"] = OLD_TYPES.get(row["type"], row["type"])
    if "required" in row:
        row["required"] = YES_NO.get(row["required"], row["required"])
    return row


def _translate(content: dict[str, Any], default: str | None) -> None:
    rows = [*content["survey"], *content["choices"]]
    headers = dict.fromkeys(header for row in rows for header in row)
    columns = {header: found for header in headers if (found := _column(header, headers))}
    languages = [*dict.fromkeys(language for _, language in columns.values())]
    languages.sort(key=lambda language: language != default)
    if not columns:
        return
    for row in rows:
        for header in [header for header in row if header in columns]:
            base, language = columns[header]
            text = row.pop(header)
            row.setdefault(base, [None] * len(languages))[languages.index(language)] = text
    content |= {"translations": languages, "translated": sorted({base for base, _ in columns.values()})}


def _column(header: str, headers: Mapping[str, None]) -> tuple[str, str | None] | None:
    """The base and the language of a column whose texts are translated."""
    if header in MEDIA:
        return f"media::{header}", None
    if header.startswith(("bind:", "body:")):
        return None
    if media := re.fullmatch(rf"(?:media::?)?({'|'.join(MEDIA)})(?:::?([^:]+))?", header):
        return f"media::{media[1]}", media[2]
    if parts := re.fullmatch(r"([^:]+?)::?([^:]+)", header):
        return parts[1], parts[2]
    translated = any(other.startswith(f"{header}:") for other in headers)
    return (header, None) if header in ("label", "hint") or translated else None


def _name(content: Mapping[str, Any]) -> None:
    above: list[str] = []
    for row in content["survey"]:
        row["$kuid"] = secrets.token_hex(4)
        if row["type"].startswith("end_"):
            above.pop()
            continue
        row |= {"$autoname": row["name"], "$xpath": "/".join([*above, row["name"]])}
        if row["type"].startswith("begin_"):
            above.append(row["name"])
    for row in content["choices"]:
        row |= {"$kuid": secrets.token_hex(4), "$autovalue": row["name"]}
