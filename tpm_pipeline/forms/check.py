"""What can be known about the forms before they are deployed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tpm_pipeline.errors import FormError, TpmError
from tpm_pipeline.forms import catalog, privacy, renames, render, schema, sheets
from tpm_pipeline.forms.catalog import place
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.forms.sheets import Row, Sheet, Sheets
from tpm_pipeline.paths import FORMS
from tpm_pipeline.records import Finding, FormSchema

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,24}")
_NAME_RULE: Final = "a letter and at most 24 more of a-z, 0-9 and _"
_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_FRENCH, _ARABIC = "::Français (fr)", "::العربية (ar)"


Books = Mapping[Path, Sheets]
"""The sheets of forms, by the workbook they are in."""


def read(form_ids: Iterable[str], folder: Path = FORMS) -> tuple[Books, list[Finding]]:
    """Read each workbook once; one that cannot be read is a finding."""
    books, findings = {}, []
    for path in (catalog.path_of(form_id, folder) for form_id in form_ids):
        try:
            books[path] = sheets.read(path)
        except FormError as error:
            findings.append(as_finding(error))
    return books, findings


def as_finding(error: TpmError) -> Finding:
    """Say as one line among others what would have stopped a command."""
    return Finding(error.code, error.where, f"{error.cause} {error.remedy}")


def check(books: Books, folder: Path = FORMS) -> list[Finding]:
    """Check names, translations, privacy classes, shared lists and the Markdown of forms."""
    findings = [finding for path, book in books.items() for finding in _form(path, book)]
    return findings + list(_shared(folder, books))


def schemas(books: Books, *, validate: bool) -> tuple[list[FormSchema], list[Finding]]:
    """Compile each form for Central; one that is refused is a finding, and has no schema.

    A question without a class is not named here: `check` does so row by row.
    """
    compiled, findings = [], []
    for path, book in books.items():
        try:
            form, warnings = compile_form(path, "central", validate=validate, book=book)
        except FormError as error:
            findings += [] if error.code == "FORM-006" else [as_finding(error)]
        else:
            compiled.append(schema.read(form.xform))
            findings += [*warnings, *_renames(path, compiled[-1])]
    return compiled, findings


def _renames(path: Path, form: FormSchema) -> list[Finding]:
    """An old name that is wrong would lose the answers given under it."""
    try:
        declared = renames.read(path.stem, path.parent.parent)
    except FormError as error:
        return [as_finding(error)]
    return [as_finding(problem) for problem in renames.problems(declared, form)]


def _form(path: Path, book: Sheets) -> Iterator[Finding]:
    yield from privacy.findings(path, book)
    yield from _names(path, book)
    yield from _messages(path, book)
    for sheet in book.values():
        yield from _translations(path, sheet)
    if render.is_stale(path, book):
        what = f"{path.stem}.md does not say what {path.name} says. Run `tpm forms render`."
        yield Finding("FORM-023", place(path.with_suffix(".md")), what)


def _names(path: Path, book: Sheets) -> Iterator[Finding]:
    for row in book["survey"].rows:
        name = row.cells.get("name")
        if name and not _NAME.fullmatch(name):
            yield _bad_name(path, "survey", row, name, _NAME_RULE)
    yield from _choices(path, book.get("choices"))


def _choices(path: Path, choices: Sheet | None) -> Iterator[Finding]:
    for list_name, rows in _by_list(choices).items():
        if not _NAME.fullmatch(list_name):
            yield _bad_name(path, "choices", rows[0], list_name, _NAME_RULE)
        for row in rows:
            if not _CODE.fullmatch(code := row.cells.get("name", "")):
                yield _bad_name(path, "choices", row, code, "made of A-Z, a-z, 0-9, _ . and -")


def _bad_name(path: Path, sheet: str, row: Row, name: str, rule: str) -> Finding:
    return Finding("FORM-020", place(path, sheet, row.number), f"The name «{name}» is not {rule}.")


def _messages(path: Path, book: Sheets) -> Iterator[Finding]:
    """A phone that refuses an answer says why in the person's language, not in the program's English."""
    for row in book["survey"].rows:
        for rule in ("required", "constraint"):
            if rule in row.cells and f"{rule}_message{_FRENCH}" not in row.cells:
                what = f"«{row.cells.get('name', '')}» has a {rule} without a message of its own."
                yield Finding("FORM-024", place(path, "survey", row.number), what)


def _translations(path: Path, sheet: Sheet) -> Iterator[Finding]:
    """Every French word has its Arabic, and the other way round."""
    words = {header.partition("::")[0] for header in sheet.headers if header.endswith((_FRENCH, _ARABIC))}
    for row in sheet.rows:
        for word in sorted(words):
            given = [language for language in (_FRENCH, _ARABIC) if word + language in row.cells]
            if len(given) == 1:
                missing = _ARABIC if given == [_FRENCH] else _FRENCH
                what = f"The {word} of «{row.cells.get('name', '')}» has no {missing.removeprefix('::')}."
                yield Finding("FORM-021", place(path, sheet.name, row.number), what)


def _shared(folder: Path, books: Books) -> Iterator[Finding]:
    """The shared lists follow the forms' rules; a list that two forms ask for is written there, once."""
    file = folder / "lists" / sheets.SHARED
    common = sheets.shared(file.parent)
    yield from _choices(file, common)
    yield from _translations(file, common)
    first: dict[str, Path] = dict.fromkeys(_by_list(common), file)
    for path, book in books.items():
        for name, rows in _by_list(book.get("choices")).items():
            other = first.setdefault(name, path)
            if other != path:
                what = f"The list «{name}» is also in {place(other)}. Keep it once, in forms/lists/{sheets.SHARED}."
                yield Finding("FORM-022", place(path, "choices", rows[0].number), what)


def _by_list(choices: Sheet | None) -> dict[str, list[Row]]:
    lists: dict[str, list[Row]] = {}
    for row in choices.rows if choices else ():
        lists.setdefault(row.cells.get("list_name", ""), []).append(row)
    return lists
