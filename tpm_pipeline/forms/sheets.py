"""What an XLSForm's sheets say, row by row, with the row numbers a person sees in Excel."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms.catalog import place

NAMES: Final[tuple[str, ...]] = ("survey", "choices", "settings", "entities")
SHARED: Final = "choix.csv"
SELECT: Final = re.compile(r"(?:select_one|select_multiple|rank) ([^\s$]+)(?: or_other)?$")
_REQUIRED: Final = {"survey": {"type", "name"}, "settings": {"form_id", "version"}}


@dataclass(frozen=True)
class Row:
    """The filled cells of one row, by header."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Sheet:
    """One sheet: its headers and its rows that are not blank."""

    name: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


Sheets = Mapping[str, Sheet]


def read(path: Path) -> Sheets:
    """Read the sheets of an XLSForm that say something about the form."""
    # Large, with the image library it looks for; who only needs the lists does not import it.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise FormError(
            "FORM-001", place(path), f"This is not an Excel workbook ({type(error).__name__}).", "Save it as .xlsx."
        ) from None
    try:
        titles = {title.lower(): title for title in book.sheetnames}
        sheets = {name: _sheet(name, book[titles[name]].values) for name in NAMES if name in titles}
    finally:
        book.close()
    _require(path, sheets)
    return sheets


def shared(lists: Path) -> Sheet:
    """Read the choice lists that several forms share, from a folder of lists."""
    file = lists / SHARED
    if not file.is_file():
        return Sheet("choices", (), ())
    with file.open(encoding="utf-8", newline="") as opened:
        return _sheet("choices", (tuple(line) for line in csv.reader(opened)))


def with_shared(path: Path, book: Sheets) -> Sheets:
    """Add to a form's choices the shared lists it asks for, below its own rows."""
    own = book.get("choices", Sheet("choices", (), ()))
    known = {row.cells.get("list_name") for row in own.rows}
    wanted = {select[1] for row in book["survey"].rows if (select := SELECT.match(row.cells.get("type", "")))} - known
    common = shared(path.parent.parent / "lists")
    added = [row for row in common.rows if row.cells.get("list_name") in wanted]
    if not added:
        return book
    first = max((row.number for row in own.rows), default=1) + 1
    rows = (*own.rows, *(replace(row, number=number) for number, row in enumerate(added, start=first)))
    choices = Sheet("choices", tuple(dict.fromkeys((*own.headers, *common.headers))), rows)
    return {**book, "choices": choices}


def settings(path: Path, sheets: Sheets) -> Mapping[str, str]:
    """Return a form's settings; its id is the name of its folder."""
    rows = sheets["settings"].rows
    cells = rows[0].cells if rows else {}
    for name in sorted(_REQUIRED["settings"]):
        if name not in cells:
            raise FormError("FORM-004", place(path, "settings", 2), f"The {name} is missing.", f"Fill in {name}.")
    if cells["form_id"] != path.parent.name:
        raise FormError(
            "FORM-005",
            place(path, "settings", rows[0].number),
            f"The form_id is «{cells['form_id']}» but the folder is «{path.parent.name}».",
            "Give both the same name.",
        )
    return cells


def _require(path: Path, sheets: Sheets) -> None:
    for name, headers in _REQUIRED.items():
        if name not in sheets:
            raise FormError("FORM-002", place(path), f"The sheet «{name}» is missing.", "Add it.")
        if missing := sorted(headers - set(sheets[name].headers)):
            raise FormError(
                "FORM-012", place(path, name, 1), f"Missing columns: {', '.join(missing)}.", "Add them to the header."
            )


def _sheet(name: str, lines: Iterator[tuple[object, ...]]) -> Sheet:
    headers = tuple(_text(value) for value in next(lines, ()))
    rows = (Row(number, _cells(headers, line)) for number, line in enumerate(lines, start=2))
    return Sheet(name, tuple(filter(None, headers)), tuple(row for row in rows if row.cells))


def _cells(headers: tuple[str, ...], line: tuple[object, ...]) -> Mapping[str, str]:
    texts = zip(headers, map(_text, line), strict=False)
    return {header: text for header, text in texts if header and text}


def _text(value: object) -> str:
    """Write a cell as text: Excel's 1.0 is 1, its TRUE is TRUE, its no-break space a space."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).replace("\u00a0", " ").strip()
