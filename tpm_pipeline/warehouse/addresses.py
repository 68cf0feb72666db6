"""Where an answer is in what a server wrote: groups inside groups, or flat; today, or as older versions had it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tpm_pipeline.records import Question, Table
from tpm_pipeline.warehouse.columns import answered
from tpm_pipeline.warehouse.db import quoted
from tpm_pipeline.warehouse.merging import below


@dataclass(frozen=True)
class Addresses:
    """The addresses of a form's answers; with those of flat rows, where some server writes such."""

    flat: bool

    def structure(self, table: Table) -> str:
        """What to read of a row: the table's questions as text, and the rows of its repeats."""
        tree: dict[str, object] = {}
        for question in table.questions:
            for place in self._places(question, table):
                _plant(tree, place, '"VARCHAR"')
        for repeat in table.repeats:
            for place in self._places(repeat, table):
                _plant(tree, place, f"[{self.structure(repeat)}]")
        return _as_json(tree)

    def answer(self, question: Question, table: Table, row: str = "item") -> str:
        """The SQL of an answer's text: NULL when there is none, and where another may follow, when it is blank."""
        texts = [_at(place, row) for place in self._places(question, table)]
        return texts[0] if len(texts) == 1 else f"coalesce({', '.join(map(answered, texts))})"

    def rows(self, repeat: Table, table: Table, row: str = "item") -> str:
        """The SQL of a repeat's rows."""
        lists = [_at(place, row) for place in self._places(repeat, table)]
        return lists[0] if len(lists) == 1 else f"list_concat({', '.join(lists)})"

    def answered_rows(self, table: Table, rows: str, row: str = "i") -> str:
        """The SQL of those of a repeat's rows in which something was answered, at any depth."""
        tests = [f"{answered(self.answer(question, table, row))} is not null" for question in table.questions]
        for repeat in table.repeats:
            held = self.answered_rows(repeat, self.rows(repeat, table, row), f"{row}i")
            tests.append(f"coalesce(len({held}) > 0, false)")
        return f"list_filter({rows}, lambda {row}: {' or '.join(tests) or 'false'})"

    def _places(self, one: Question | Table, table: Table) -> list[tuple[str, ...]]:
        paths = (one.path, *one.former)
        nested = [below(path, table) for path in paths]
        return list(dict.fromkeys([*nested, *(("/".join(path),) for path in paths if self.flat)]))


def _at(place: tuple[str, ...], row: str) -> str:
    return ".".join([row, *map(quoted, place)])


def _plant(tree: dict[str, object], path: tuple[str, ...], leaf: str) -> None:
    *groups, name = path
    for group in groups:
        branch = tree.setdefault(group, {})
        tree = branch if isinstance(branch, dict) else {}
    tree[name] = leaf


def _as_json(tree: Mapping[str, object]) -> str:
    if not tree:
        return '"JSON"'
    inner = ", ".join(f'"{key}": {_as_json(leaf) if isinstance(leaf, dict) else leaf}' for key, leaf in tree.items())
    return "{" + inner + "}"
