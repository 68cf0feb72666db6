"""A form as KoboToolbox tells it (the JSON `content` of an asset or of a version): its sheets, its XForm, its seal."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tpm_pipeline.forms import schema
from tpm_pipeline.forms.compile import Tables, compile_sheets

Cells = Mapping[str, str]

_SEAL: Final = "tpm_seal"
_BY_LANGUAGE: Final = "translations"
_NO_SHEET: Final = frozenset({_BY_LANGUAGE, "translated", "schema"})
_FIRST: Final = frozenset(
    {"start", "end", "today", "username", "deviceid", "phone_number", "phonenumber", "audit", "start-geopoint"}
)
_TYPES: Final[Cells] = {
    **{f"{edge} {kind}": f"{edge}_{kind}" for edge in ("begin", "end") for kind in ("group", "repeat")},
    "string": "text",
    "trigger": "acknowledge",
    "photo": "image",
    "dateTime": "datetime",
    "gps": "geopoint",
    "imei": "deviceid",
}
_HEADERS: Final[Mapping[str, Cells]] = {
    "survey": {
        "calculate": "calculation",
        "readonly": "read_only",
        "relevance": "relevant",
        **{kind: f"media::{kind}" for kind in ("image", "big-image", "audio", "video")},
    },
    "choices": {"list name": "list_name", "value": "name", "image": "media::image", "audio": "media::audio"},
    "settings": {"id_string": "form_id", "title": "form_title"},
}
_NEEDED: Final[Cells] = {"survey": "type", "choices": "list_name"}
_HEADER: Final = re.compile(r"((?:media::)?[^:]+?)\s*::?\s*([^:\s][^:]*)")
_UNTRANSLATED: Final = ("bind:", "body:")
_YES, _NO = frozenset({"yes", "true", "true()"}), frozenset({"no", "false", "false()"})


def sheets_of(content: Mapping[str, Any]) -> Tables:
    """Return the XLSForm behind a content; its title is not in it, but is the asset's name."""
    languages = content.get(_BY_LANGUAGE) or [None]
    sheets = {name: rows for name, rows in content.items() if name not in _NO_SHEET}
    rows = {name: [found] if isinstance(found, Mapping) else found for name, found in sheets.items()}
    tables = {name: tuple(_row(name, row, languages) for row in found) for name, found in rows.items()}
    return {name: found for name, found in tables.items() if any(found)}


def xform_of(content: Mapping[str, Any], **settings: str) -> bytes:
    """Compile a content to the XForm it stands for; `settings` (`version`, `form_title` …) replace its own."""
    tables = sheets_of(content)
    (own,) = tables.get("settings") or ({},)
    # As there: what was deployed long ago may repeat a choice.
    given = {"namespaces": f'tpm="{schema.PRIVACY_NAMESPACE}"', "allow_choice_duplicates": "yes"}
    return compile_sheets({**tables, "settings": ({**given, **own, **settings},)})


def seal_of(content: Mapping[str, Any]) -> str:
    """Return the digest of what people made of a form: another after any change by a hand, and after nothing else."""
    return _seal(sheets_of(content))


def sealed(sheets: Tables) -> Tables:
    """Return the same sheets with their seal among the settings, where it travels with the content."""
    (settings,) = sheets["settings"]
    return {**sheets, "settings": ({**settings, _SEAL: _seal(sheets)},)}


def is_ours(content: Mapping[str, Any]) -> bool:
    """Tell whether nothing was changed in a content since its sheets were sealed."""
    return bool((content.get("settings") or {}).get(_SEAL) == seal_of(content))


def canonical(sheets: Tables) -> Tables:
    """Spell sheets as the server would, so that those sent and those read back are equal when nobody changed them."""
    tables = {name: [_canonical(name, row) for row in rows] for name, rows in sheets.items()}
    for name, needed in _NEEDED.items():
        tables[name] = [row for row in tables.get(name, ()) if needed in row]
    # The server asks first what nobody answers.
    tables["survey"].sort(key=lambda row: row["type"] not in _FIRST)
    return {name: tuple(rows) for name, rows in tables.items() if any(rows)}


def _seal(sheets: Tables) -> str:
    return hashlib.sha256(json.dumps(canonical(sheets), sort_keys=True).encode()).hexdigest()


def _row(sheet: str, row: Mapping[str, Any], languages: Sequence[str | None]) -> Cells:
    cells = {header: text for key, value in row.items() for header, text in _cells(key, value, languages) if text}
    if name := row.get("$autoname") or row.get("$autovalue"):
        cells["name"] = name
    if sheet == "survey":
        told = ("file",) if cells.get("type", "").endswith("_from_file") else ("select_from_list_name",)
        words = [cells.get("type", ""), *(cells.pop(key, "") for key in told)]
        if cells.pop("_or_other", "") == "yes":
            words.append("or_other")
        cells["type"] = " ".join(filter(None, words))
    return {_HEADERS.get(sheet, {}).get(header, header): text for header, text in cells.items()}


def _cells(key: str, value: object, languages: Sequence[str | None]) -> Iterator[tuple[str, str]]:
    if key.startswith("$"):
        return
    if isinstance(value, list) and key != "tags":
        texts = zip(languages, value, strict=False)
        yield from ((f"{key}::{language}" if language else key, _text(text)) for language, text in texts)
    else:
        yield key, _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(_text, value))
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True)
    return "" if value is None else str(value).strip()


def _canonical(sheet: str, row: Cells) -> Cells:
    cells = {_header(sheet, header): text.strip() for header, text in row.items()}
    if "type" in cells and sheet == "survey":
        cells["type"] = _type(cells["type"])
    if cells.get("required", "").lower() in _YES:
        cells["required"] = "yes"
    elif cells.get("required", "").lower() in _NO:
        del cells["required"]
    dropped = {"form_title", _SEAL} if sheet == "settings" else ()
    return {header: text for header, text in cells.items() if text and header not in dropped}


def _header(sheet: str, header: str) -> str:
    parts = None if header.startswith(_UNTRANSLATED) else _HEADER.fullmatch(header)
    base, language = (parts[1], parts[2]) if parts and parts[1] != "media" else (header, "")
    base = _HEADERS.get(sheet, {}).get(base, base)
    return f"{base}::{language}" if language else base


def _type(text: str) -> str:
    words = " ".join(text.split())
    select = re.sub(r"^select (one|multiple)( from file)?\b", lambda match: match[0].replace(" ", "_"), words)
    return _TYPES.get(select, select)
