"""What the sheets of a form make happen: every rule a scenario has to exercise."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from tests.forms.scenario import ENTITY, TITLE
from tpm_pipeline.forms import catalog, sheets
from tpm_pipeline.forms.sheets import Sheets
from tpm_pipeline.paths import FORMS

Kind = Literal["constraint", "relevant", "calculation", "required", "choice_filter", "repeat_count", "default"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_IF: Final = re.compile(r"\bif\(")
_ENTITY: Final[Mapping[str, Kind]] = {
    "create_if": "relevant",
    "update_if": "relevant",
    "label": "calculation",
    "entity_id": "calculation",
}


@dataclass(frozen=True, order=True)
class Rule:
    """One cell with an expression: which form, which kind, whose, and what it says."""

    form_id: str
    kind: Kind
    name: str
    expression: str

    @property
    def times(self) -> int:
        """How many different refusals, or values, show it whole: one per condition, one more than it has «if»s."""
        if self.kind == "constraint":
            return len(conditions(self.expression))
        return len(_IF.findall(self.expression)) + 1 if self.kind == "calculation" else 1


@dataclass(frozen=True)
class Form:
    """A form's rules, the words of its questions, and the groups each question is in."""

    form_id: str
    rules: tuple[Rule, ...]
    cells: Mapping[str, Mapping[str, str]]
    within: Mapping[str, tuple[str, ...]]


def forms(folder: Path = FORMS) -> dict[str, Form]:
    """Read the rules of every form of a folder."""
    return {form_id: read(catalog.path_of(form_id, folder)) for form_id in catalog.form_ids(folder)}


def read(path: Path) -> Form:
    """Read the rules of one form."""
    book = sheets.read(path)
    cells = {row.cells["name"]: row.cells for row in book["survey"].rows if "name" in row.cells}
    return Form(path.stem, tuple(_rules(path.stem, book)), cells, dict(_within(book)))


def conditions(expression: str) -> list[str]:
    """Split an expression at the «and»s that stand in no bracket."""
    parts, depth = [""], 0
    for word in expression.split(" "):
        if word == "and" and not depth:
            parts.append("")
        else:
            parts[-1] = f"{parts[-1]} {word}".strip()
            depth += word.count("(") - word.count(")")
    return parts


def _rules(form_id: str, book: Sheets) -> Iterator[Rule]:
    for row in book["survey"].rows:
        for kind in KINDS:
            if kind in row.cells:
                yield Rule(form_id, kind, row.cells["name"], row.cells[kind])
    for row in book["entities"].rows if "entities" in book else ():
        for header, kind in _ENTITY.items():
            if header in row.cells:
                yield Rule(form_id, kind, f"{ENTITY}.{header}", row.cells[header])
    for row in book["settings"].rows:
        yield Rule(form_id, "calculation", TITLE, row.cells["instance_name"])


def _within(book: Sheets) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each question with itself and the groups around it."""
    groups: list[str] = []
    for row in book["survey"].rows:
        kind = row.cells["type"]
        if kind.startswith("end_"):
            groups.pop()
        elif "name" in row.cells:
            yield row.cells["name"], (*groups, row.cells["name"])
            if kind.startswith("begin_"):
                groups.append(row.cells["name"])
