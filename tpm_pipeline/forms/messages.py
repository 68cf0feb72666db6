"""What pyxform and ODK Validate say, with the place in the sheets they mean."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms.catalog import place
from tpm_pipeline.forms.sheets import Row, Sheets
from tpm_pipeline.records import Finding

_ROW: Final = re.compile(r"\[row : (\d+)\]")
_SHEET: Final = re.compile(r"'(survey|choices|settings|entities)' sheet")
_NAMED: Final = (
    re.compile(r"(?:expression for|attached to|for node|bind for|ref=)\s*[\[\"]*\$\{([\w.-]+)\}"),
    re.compile(r"field '([\w.-]+)'"),
    re.compile(r"\$\{([\w.-]+)\}"),
    re.compile(r"(?:element named|question type) '([^']+)'"),
)
_NOISE: Final = re.compile(
    r"^(ODK Validate (Errors|Warnings):|>> .*|The following files failed validation:|\$\{tmp\w+\}|Result: .*"
    r"|Caused by: .*|\.\.\. \d+ more|Picked up .*|NOTE: Picked up .*|)$"
)
_DETAILS: Final = re.compile(r",? ?Bad node: \S+| ?Learn more: \S+|\borg\.javarosa\.[\w.]+: ")
_REFERENCE: Final = re.compile(r"\$\{([\w.-]+)\}|current\(\)(?:/\.\.)+/(?:[\w.-]+/)*([\w.-]+)")
_ELSEWHERE: Final = (("${instanceName}", "settings"), ("${entity}", "entities"), ("${label}", "entities"))


def refused(code: str, path: Path, book: Sheets, message: str) -> FormError:
    """Turn an error of pyxform or ODK Validate into ours, with its row."""
    remedy = "Correct the expression." if code == "FORM-007" else "Correct the sheet."
    return FormError(code, where(path, book, message), tidy(message), remedy)


def findings(path: Path, book: Sheets, warnings: Iterable[str]) -> tuple[Finding, ...]:
    """Turn the warnings that say something into findings that stop nothing."""
    said = ((where(path, book, message), tidy(message)) for message in warnings)
    return tuple(Finding("FORM-011", spot, text, "warning") for spot, text in said if text)


def tidy(message: str) -> str:
    """Leave the sentence a person needs: no row mark, no file list, no Java."""
    lines = (line.strip().removeprefix(": ") for line in _ROW.sub("", message).splitlines())
    text = " ".join(dict.fromkeys(_DETAILS.sub("", line) for line in lines if not _NOISE.match(line)))
    return text if text.endswith((".", "!")) or not text else f"{text}."


def where(path: Path, book: Sheets, message: str) -> str:
    """Find the place a message speaks of: the row it gives, or that of the question it names."""
    row, sheet = _ROW.search(message), _SHEET.search(message)
    if row:
        return place(path, sheet[1] if sheet else "survey", int(row[1]))
    for mark, name in _ELSEWHERE:
        if f'attached to "{mark}' in message and name in book:
            return place(path, name, *(line.number for line in book[name].rows))
    found = next(_candidates(book, message), None)
    return place(path, "survey", found.number) if found else place(path, sheet[1] if sheet else "")


def where_said(path: Path, book: Sheets, words: str) -> str:
    """Find the first question one of whose cells contains these words."""
    rows = (row for row in book["survey"].rows if any(words in text for text in row.cells.values()))
    return place(path, "survey", *(row.number for row in [*rows][:1]))


def _candidates(book: Sheets, message: str) -> Iterator[Row]:
    """Yield the rows a message may mean, the surest first."""
    rows = book["survey"].rows
    if "nodeset expression" in message:
        said = _squeezed(message)
        yield from (
            row for row in rows if "choice_filter" in row.cells and _squeezed(row.cells["choice_filter"]) in said
        )
    for name in (name for pattern in _NAMED for name in pattern.findall(message)):
        base = name.removesuffix("_count")
        yield from (row for row in rows if name in (row.cells.get("name"), row.cells.get("type")))
        yield from (row for row in rows if row.cells.get("name") == base and "repeat_count" in row.cells)


def _squeezed(expression: str) -> str:
    """Write an expression without spaces, its references as bare names, so that both sides compare."""
    return "".join(_REFERENCE.sub(r"\1\2", expression).split())
