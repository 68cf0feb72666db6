"""An XLSForm compiled to an XForm a server can hold (the only door to pyxform)."""

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from pyxform.errors import PyXFormError
from pyxform.validators.odk_validate import ODKValidateError
from pyxform.xls2xform import convert

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import messages, privacy, schema, seal, sheets
from tpm_pipeline.forms.catalog import form_ids, path_of, place
from tpm_pipeline.forms.sheets import Sheet, Sheets
from tpm_pipeline.records import CompiledForm, Finding, MediaFile

Target = Literal["local", "central", "kobo"]
Tables = Mapping[str, tuple[Mapping[str, str], ...]]

_UNSET: Final = "@version@"
_SEALED: Final = b"1"  # counts as content: what was deployed before forms were sealed is another version
_PRIVACY: Final = "bind::tpm:privacy"
# Pyxform straightens typographic quotes: in what people read, they pass it as characters it does not know.
_READ: Final = ("label", "hint", "guidance_hint", "required_message", "constraint_message", "form_title")
_READ_IN: Final = ("survey", "choices", "settings")
_QUOTES, _HIDDEN = "‘’“”", "\ue018\ue019\ue01c\ue01d"
_FILE: Final = re.compile(r'src="jr://file(?:-csv)?/([^"]+)"')


def compile_form(
    path: Path, target: Target, *, validate: bool = True, book: Sheets | None = None
) -> tuple[CompiledForm, tuple[Finding, ...]]:
    """Compile one form for one kind of server; `validate` also runs ODK Validate (half a second).

    Raises `FormError` for what stops a deployment; what does not comes back as warnings.
    `book` holds its sheets where they were read already.
    """
    book = sheets.with_shared(path, book or sheets.read(path))
    settings = sheets.settings(path, book)
    privacy.refuse_unclassified(path, book)
    _refuse_missing_lists(path, book)
    workbook = _workbook(book, target)
    draft, warnings = _convert(path, book, workbook, validate=validate)
    _refuse_generated(path, draft)
    media = tuple(_media(path, book, name) for name in sorted(set(_FILE.findall(draft))))
    entity_lists = _entity_lists(book)
    version = f"{settings['version']}-{_digest(draft, media, _changing(path) if target == 'kobo' else entity_lists)}"
    form = CompiledForm(
        form_id=settings["form_id"],
        version=version,
        title=settings.get("form_title", settings["form_id"]),
        xform=seal.sealed(draft.replace(_UNSET, version).encode()),
        media=media,
        entity_lists=entity_lists,
        sheets=_tables(workbook, version) if target == "kobo" else {},
    )
    return form, messages.findings(path, book, warnings)


def compile_sheets(tables: Tables) -> bytes:
    """Compile sheets that were read back from a server: whoever made them, they are what phones were given."""
    workbook: dict[str, Any] = {"sheet_names": [*tables]}
    for name, rows in tables.items():
        workbook[name] = [*map(dict, rows)]
        workbook[f"{name}_header"] = [dict.fromkeys(header for row in rows for header in row)]
    try:
        return _shown(convert(_hiding(workbook), validate=False).xform).encode()
    except PyXFormError as error:
        raise FormError(
            "FORM-029",
            next((row["form_id"] for row in tables.get("settings", ()) if "form_id" in row), "a form of the server"),
            f"The version on the server does not compile here: {messages.tidy(_shown(str(error)))}",
            "Deploy ours again, or correct it there.",
        ) from None


def _tables(workbook: Mapping[str, Any], version: str) -> Tables:
    """Return what was compiled as one would write it in Excel, without blank rows."""
    rows = {name: tuple(filter(None, workbook[name])) for name in workbook["sheet_names"] if name in workbook}
    return rows | {"settings": tuple({**row, "version": version} for row in rows["settings"])}


def _workbook(book: Sheets, target: Target) -> dict[str, Any]:
    """Build what pyxform reads: rows where Excel has them, headers declared, blanks left out."""
    workbook: dict[str, Any] = {"sheet_names": list(book)}
    for name, sheet in book.items():
        if target == "kobo" and name == "entities":
            continue
        rows = _padded(sheet, drop={"save_to"} if target == "kobo" else set())
        if name == "settings":
            rows[0] |= {"version": _UNSET, "namespaces": _namespaces(rows[0].get("namespaces", ""))}
        workbook[name] = rows
        workbook[f"{name}_header"] = [dict.fromkeys([*map(_header, sheet.headers), *(rows[0] if rows else ())])]
    return workbook


def _padded(sheet: Sheet, drop: set[str]) -> list[dict[str, str]]:
    """Put each row at its number, so that pyxform's messages name the row Excel shows."""
    by_number = {row.number: row.cells for row in sheet.rows}
    return [
        {_header(header): text for header, text in by_number.get(number, {}).items() if header not in drop}
        for number in range(2, max(by_number, default=1) + 1)
    ]


def _header(header: str) -> str:
    return _PRIVACY if header == privacy.COLUMN else header


def _namespaces(declared: str) -> str:
    return f'{declared} tpm="{schema.PRIVACY_NAMESPACE}"'.strip()


def _convert(path: Path, book: Sheets, workbook: Mapping[str, Any], *, validate: bool) -> tuple[str, list[str]]:
    if validate and not shutil.which("java"):
        raise FormError(
            "FORM-010",
            place(path),
            "ODK Validate needs Java, which was not found.",
            "Install a Java runtime, for example openjdk-17-jre-headless.",
        )
    try:
        result = convert(_hiding(workbook), validate=validate)
    except PyXFormError as error:
        raise messages.refused("FORM-008", path, book, _shown(str(error))) from None
    except ODKValidateError as error:
        raise messages.refused("FORM-007", path, book, _shown(str(error))) from None
    return _shown(result.xform), [*map(_shown, result.warnings)]


def _hiding(workbook: Mapping[str, Any]) -> dict[str, Any]:
    """The workbook with its typographic quotes hidden wherever no expression stands."""
    hidden = str.maketrans(_QUOTES, _HIDDEN)
    rows = {name: workbook[name] for name in _READ_IN if name in workbook}
    return {**workbook} | {name: [_translated(row, hidden) for row in found] for name, found in rows.items()}


def _translated(row: Mapping[str, str], hidden: Mapping[int, int]) -> dict[str, str]:
    return {
        header: text.translate(hidden) if header.partition("::")[0] in _READ else text for header, text in row.items()
    }


def _shown(text: str) -> str:
    return text.translate(str.maketrans(_HIDDEN, _QUOTES))


def _refuse_missing_lists(path: Path, book: Sheets) -> None:
    choices = book.get("choices")
    known = {row.cells.get("list_name") for row in choices.rows} if choices else set()
    for row in book["survey"].rows:
        wanted = sheets.SELECT.match(row.cells.get("type", ""))
        if wanted and wanted[1] not in known:
            raise FormError(
                "FORM-003",
                place(path, "survey", row.number),
                f"The choice list «{wanted[1]}» does not exist.",
                f"Add it to the choices sheet, or to lists/{sheets.SHARED}, or correct the name.",
            )


def _refuse_generated(path: Path, xform: str) -> None:
    """Refuse the questions pyxform itself adds without a class (`or_other`)."""
    if names := [question.name for question in schema.unclassified(schema.read(xform.encode()).root)]:
        raise FormError(
            "FORM-015",
            place(path, "survey"),
            f"pyxform adds questions without a privacy class: {', '.join(names)}.",
            "Ask for the other answer in a question of its own.",
        )


def _media(path: Path, book: Sheets, name: str) -> MediaFile:
    file = path.parent.parent / "lists" / name
    if not file.is_file():
        raise FormError(
            "FORM-009",
            messages.where_said(path, book, name),
            f"The file «{name}» is not in forms/lists.",
            "Add it there or correct the name.",
        )
    return MediaFile(name, file.read_bytes())


def _entity_lists(book: Sheets) -> tuple[str, ...]:
    rows = book["entities"].rows if "entities" in book else ()
    return tuple(row.cells["list_name"] for row in rows if "list_name" in row.cells)


def _changing(path: Path) -> frozenset[str]:
    """Return the lists that any form beside this one writes: a server without entities keeps them all as files."""
    folder = path.parent.parent
    files = [path_of(form_id, folder) for form_id in form_ids(folder)]
    return frozenset(name for file in files for name in _written(file, file.stat().st_mtime_ns))


@lru_cache
def _written(path: Path, _changed_at: int) -> tuple[str, ...]:
    """Remember what each form writes, or compiling all would read all for each."""
    return _entity_lists(sheets.read(path))


def _digest(draft: str, media: Iterable[MediaFile], entity_lists: Iterable[str]) -> str:
    """Tell contents apart; entity lists change every day on the server, and do not count."""
    total = hashlib.sha256(draft.encode() + _SEALED)
    for file in media:
        if file.name.removesuffix(".csv") not in entity_lists:
            total.update(file.name.encode() + b"\0" + hashlib.sha256(file.content).digest())
    return total.hexdigest()[:8]
