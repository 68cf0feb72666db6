"""A form as Markdown tables: what a reviewer reads in a diff, one line per question."""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

from tpm_pipeline.forms import catalog, sheets
from tpm_pipeline.forms.sheets import Row, Sheet, Sheets
from tpm_pipeline.paths import FORMS, write_atomically

_QUESTION: Final = ("type", "name", "label::Français (fr)", "label::العربية (ar)", "privacy")
_LANGUAGE: Final = re.compile(r"::[^(]*\(")
_WORDS: Final = ("hint", "required_message", "constraint_message")


def render_all(folder: Path = FORMS) -> list[Path]:
    """Write the Markdown of every form beside it; return the files that changed."""
    stale = [path for form_id in catalog.form_ids(folder) if is_stale(path := catalog.path_of(form_id, folder))]
    for path in stale:
        write_atomically(path.with_suffix(".md"), markdown(path))
    return [path.with_suffix(".md") for path in stale]


def is_stale(path: Path, book: Sheets | None = None) -> bool:
    """Tell whether a form's Markdown says something else than its XLSForm; `book` spares reading it again."""
    rendered = path.with_suffix(".md")
    return not rendered.is_file() or rendered.read_text(encoding="utf-8") != markdown(path, book)


def markdown(path: Path, book: Sheets | None = None) -> str:
    """Render the sheets of a form; the same form gives the same text."""
    book = book or sheets.read(path)
    parts = [f"# {path.stem}", f"Rendered from `{path.name}`. Edit that file, then run `tpm forms render`."]
    parts += ["## settings", *map(_card, book["settings"].rows)]
    parts += ["## entities", *map(_card, book["entities"].rows)] if "entities" in book else []
    parts += ["## survey", _survey(book["survey"])]
    parts += ["## choices", *_choices(book["choices"])] if "choices" in book else []
    if shared := _shared(path, book):
        parts += ["## shared lists", f"{shared}, in `forms/lists/{sheets.SHARED}`."]
    return "\n\n".join(parts) + "\n"


def _survey(sheet: Sheet) -> str:
    shown = [header for header in _QUESTION if header in sheet.headers]
    rest = [header for header in sheet.headers if header not in shown]
    lines = ([*(_text(row.cells.get(header, "")) for header in shown), _details(row, rest)] for row in sheet.rows)
    return _table([*shown, "logic and words"], lines)


def _details(row: Row, headers: Iterable[str]) -> str:
    """Name everything else a question says; expressions as code, words as words."""
    return "<br>".join(
        f"{_LANGUAGE.sub(' (', header)}: {_text(text) if header.startswith(_WORDS) else _code(text)}"
        for header in headers
        if (text := row.cells.get(header))
    )


def _choices(sheet: Sheet) -> Iterable[str]:
    """Give each list a heading and a table with the columns it uses."""
    for name, rows in groupby(sheet.rows, lambda row: row.cells.get("list_name", "")):
        items = list(rows)
        used = [header for header in sheet.headers if any(header in row.cells for row in items)]
        headers = [header for header in used if header != "list_name"]
        yield f"### {name}"
        yield _table(headers, ([_text(row.cells.get(header, "")) for header in headers] for row in items))


def _shared(path: Path, book: Sheets) -> str:
    """Name the lists a form takes from those it shares."""
    own = book["choices"].rows if "choices" in book else ()
    whole = sheets.with_shared(path, book)
    rows = whole["choices"].rows if "choices" in whole else ()
    return ", ".join(f"`{name}`" for name in dict.fromkeys(row.cells.get("list_name") for row in rows[len(own) :]))


def _card(row: Row) -> str:
    return _table(["", ""], ([header, _code(text)] for header, text in row.cells.items()))


def _table(headers: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    names = list(headers)
    return "\n".join(map(_line, [names, ["---"] * len(names), *lines]))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    return f"`{_text(text)}`"


def _text(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", "<br>")
