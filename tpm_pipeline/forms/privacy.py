"""The privacy column: every question says how sensitive its answers are."""

import re
from pathlib import Path
from typing import Final, get_args

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms.catalog import place
from tpm_pipeline.forms.sheets import Row, Sheets
from tpm_pipeline.records import Finding, Privacy

COLUMN: Final = "privacy"
CLASSES: Final[tuple[str, ...]] = get_args(Privacy)
_NO_QUESTION: Final = re.compile(r"(begin|end)[ _](group|repeat)\b")


def findings(path: Path, sheets: Sheets) -> list[Finding]:
    """Name every question without one of the five classes."""
    return [Finding("FORM-006", place(path, "survey", row.number), _what(row)) for row in _unclassified(sheets)]


def refuse_unclassified(path: Path, sheets: Sheets) -> None:
    """Raise when questions have no class, listing them all."""
    if rows := _unclassified(sheets):
        raise FormError(
            "FORM-006",
            place(path, "survey", *(row.number for row in rows)),
            " ".join(_what(row) for row in rows),
            f"Write one of {', '.join(CLASSES)} in the column «{COLUMN}».",
        )


def _unclassified(sheets: Sheets) -> list[Row]:
    return [
        row
        for row in sheets["survey"].rows
        if "type" in row.cells and not _NO_QUESTION.match(row.cells["type"]) and row.cells.get(COLUMN) not in CLASSES
    ]


def _what(row: Row) -> str:
    name, value = row.cells.get("name", row.cells["type"]), row.cells.get(COLUMN)
    return f"«{value}» is no privacy class («{name}»)." if value else f"«{name}» has no privacy class."
