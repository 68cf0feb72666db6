"""Two versions of a form: what was added, removed, renamed, moved, retyped or re-listed, and what that breaks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final, Literal

from tpm_pipeline.forms import rules, schema
from tpm_pipeline.forms.rules import Rules
from tpm_pipeline.records import Choice, FormSchema, Language, Privacy, Question, Table

Path = tuple[str, ...]
Level = Literal["breaking", "warning", "info"]

_LEVELS: Final[tuple[Level, ...]] = ("breaking", "warning", "info")
_STRICTNESS: Final[tuple[Privacy | None, ...]] = ("public", "quasi", "text", "sensitive", "identifying", None)
_NEARLY, _LIKE = 0.8, 0.6
_ENOUGH: Final = 3


@dataclass(frozen=True)
class Version:
    """A form version to compare."""

    schema: FormSchema
    rules: Rules


@dataclass(frozen=True)
class Difference:
    """One change. `codes` are the old codes of `lists` that are no more.

    `paths` are the old questions whose answers it may change; words and rules change none.
    """

    level: Level
    kind: str
    what: str
    paths: tuple[Path, ...] = ()
    lists: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Placed:
    """A question, and the form or repeat whose rows hold it."""

    question: Question
    table: Path


Placed = Mapping[Path, _Placed]
Pair = tuple[_Placed, _Placed]


def read(xform: bytes) -> Version:
    """Read a version from its XForm."""
    return Version(schema.read(xform), rules.read(xform))


def compare(old: Version | None, new: Version | None) -> list[Difference]:
    """Every difference between two versions of one form, what breaks first."""
    if old is None or new is None:
        return _whole(old, new)
    before, after = _placed(old.schema.root), _placed(new.schema.root)
    same = [(before[path], after[path]) for path in before if path in after]
    gone = {path: one for path, one in before.items() if path not in after}
    come = {path: one for path, one in after.items() if path not in before}
    moved = [(one, other) for one, other in same if one.table != other.table] + list(_moved(gone, come))
    renamed = list(_renamed(gone, come, old.rules, new.rules))
    found = [
        *_repeats(old.schema.root, new.schema.root, gone, come),
        *_removed(gone),
        *(_renaming(pair, evidence) for pair, evidence in renamed),
        *_moves(moved),
        *_added(come),
        *_choices(old.schema, new.schema, [*same, *moved]),
    ]
    pairs = {pair[0].question.path: pair for pair in [*same, *moved, *(pair for pair, _ in renamed)]}
    for pair in pairs.values():
        found += _details(pair, old, new)
    return sorted(found, key=lambda difference: _LEVELS.index(difference.level))


def _whole(old: Version | None, new: Version | None) -> list[Difference]:
    if old:
        paths = tuple(_placed(old.schema.root))
        return [Difference("breaking", "form removed", f"«{old.schema.title}», {len(paths)} questions", paths)]
    return [Difference("info", "form added", f"«{new.schema.title}»")] if new else []


def _placed(table: Table) -> dict[Path, _Placed]:
    found = {question.path: _Placed(question, table.path) for question in table.questions}
    for repeat in table.repeats:
        found |= _placed(repeat)
    return found


def _repeat_paths(table: Table) -> list[Path]:
    return [path for repeat in table.repeats for path in (repeat.path, *_repeat_paths(repeat))]


def _repeats(old: Table, new: Table, gone: dict[Path, _Placed], come: dict[Path, _Placed]) -> Iterator[Difference]:
    """Name each repeat that came or went, and with it the questions only it had."""
    before, after = _repeat_paths(old), _repeat_paths(new)
    for path in before:
        if path not in after:
            paths = tuple(key for key in gone if gone[key].table[: len(path)] == path)
            what = f"{path[-1]}, with {len(paths)} questions"
            yield Difference("breaking", "repeat removed", what, tuple(paths))
            for key in paths:
                del gone[key]
    for path in after:
        if path not in before:
            names = [key for key in come if come[key].table[: len(path)] == path]
            yield Difference("info", "repeat added", f"{path[-1]}, with {len(names)} questions")
            for key in names:
                del come[key]


def _removed(gone: Placed) -> Iterator[Difference]:
    for path, one in gone.items():
        yield Difference("breaking", "question removed", _named(one.question), (path,))


def _added(come: Placed) -> Iterator[Difference]:
    for one in come.values():
        yield Difference("info", "question added", f"{_named(one.question)}, {_kind(one.question)}")


def _moved(gone: dict[Path, _Placed], come: dict[Path, _Placed]) -> Iterator[Pair]:
    """Take out of both the questions that kept their name and changed their place."""
    for path in list(gone):
        there = [other for other in come if other[-1] == path[-1]]
        if len(there) == 1 and sum(other[-1] == path[-1] for other in gone) == 1:
            yield gone.pop(path), come.pop(there[0])


def _moves(moved: Sequence[Pair]) -> Iterator[Difference]:
    """Say once what moved together."""
    places = [
        ((one.question.path[:-1], one.table), (other.question.path[:-1], other.table), one) for one, other in moved
    ]
    for (origin, goal), together in groupby(sorted(places, key=lambda place: place[:2]), key=lambda place: place[:2]):
        questions = [one.question for *_, one in together]
        names = ", ".join(map(_named, questions))
        turned = " (rows of their own now, or no more)" if origin[1] != goal[1] else ""
        what = f"{names}: from {_place(origin[0])} to {_place(goal[0])}{turned}; Central refuses a field that moved"
        yield Difference("breaking", "question moved", what, tuple(question.path for question in questions))


def _renamed(
    gone: dict[Path, _Placed], come: dict[Path, _Placed], before: Rules, after: Rules
) -> Iterator[tuple[Pair, list[str]]]:
    """Take out of both the pairs that are alike enough to be one question under two names, the likeliest first."""
    likely = []
    for old, one in gone.items():
        for new, other in come.items():
            evidence = _evidence(one, other, before.get(old, {}), after.get(new, {}))
            if sum(evidence.values()) >= _ENOUGH:
                likely.append((sum(evidence.values()), old, new, [*evidence]))
    for _, old, new, reasons in sorted(likely, key=lambda match: -match[0]):
        if old in gone and new in come:
            yield (gone.pop(old), come.pop(new)), reasons


def _evidence(one: _Placed, other: _Placed, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, int]:
    """Why two questions may be the same, and how much each reason weighs."""
    old, new = one.question, other.question
    if old.type != new.type or one.table != other.table:
        return {}
    labels, calculation = (old.labels.get("fr", ""), new.labels.get("fr", "")), before.get("calculation")
    likeness = SequenceMatcher(None, *labels).ratio() if all(labels) else 0
    reasons = {
        "same label": (likeness == 1, 3),
        "nearly the same label": (_NEARLY <= likeness < 1, 2),
        "same calculation": (calculation is not None and calculation == after.get("calculation"), 3),
        f"same list {old.choices}": (old.choices is not None and old.choices == new.choices, 1),
        f"same place {_place(old.path[:-1])}": (old.path[:-1] == new.path[:-1], 1),
        "similar name": (SequenceMatcher(None, old.name, new.name).ratio() >= _LIKE, 1),
    }
    return {reason: weight for reason, (holds, weight) in reasons.items() if holds}


def _renaming(pair: Pair, evidence: list[str]) -> Difference:
    old, new = pair[0].question, pair[1].question
    what = f"{_named(old)} → {_named(new)} ({', '.join(evidence)})"
    return Difference("breaking", "question renamed", what, (old.path,))


def _details(pair: Pair, old: Version, new: Version) -> Iterator[Difference]:
    """What changed of a question that is in both versions."""
    before, after = pair[0].question, pair[1].question
    name, paths = _named(before), (before.path,)
    if before.type != after.type:
        yield Difference("breaking", "question retyped", f"{name}: {before.type} → {after.type}", paths)
    if before.choices != after.choices:
        what = f"{name}: {before.choices or 'none'} → {after.choices or 'none'}"
        yield Difference("info", "question re-listed", what, paths)
    if before.privacy != after.privacy:
        yield _privacy(before, after)
    if before.labels != after.labels:
        yield Difference("info", "label", f"{name} → {_relabelled(before.labels, after.labels)}")
    rules = (old.rules.get(before.path, {}), new.rules.get(after.path, {}))
    for kind in sorted({*rules[0], *rules[1]}):
        if rules[0].get(kind) != rules[1].get(kind):
            what = f"{name}: {rules[0].get(kind, 'none')} → {rules[1].get(kind, 'none')}"
            yield Difference("info", kind, what)


def _privacy(before: Question, after: Question) -> Difference:
    """A class that decides whether staging holds the answer or a pseudonym breaks what reads the column."""
    what = f"{_named(before)}: {before.privacy} → {after.privacy}"
    if "identifying" in (before.privacy, after.privacy):
        return Difference("breaking", "privacy", f"{what}; the column becomes another", (before.path,))
    looser = _STRICTNESS.index(after.privacy) < _STRICTNESS.index(before.privacy)
    why = "looser than what people were told" if looser else "marts that show it may be refused"
    return Difference("warning", "privacy", f"{what}; {why}", (before.path,))


def _choices(old: FormSchema, new: FormSchema, pairs: Sequence[Pair]) -> Iterator[Difference]:
    """Compare each pair of lists once, with all the questions that use it."""
    users: dict[tuple[str, str], list[Path]] = {}
    for one, other in pairs:
        before, after = one.question.choices or "", other.question.choices or ""
        if before in old.lists and after in new.lists:
            users.setdefault((before, after), []).append(one.question.path)
    for (before, after), paths in users.items():
        yield from _list(before, old.lists[before], new.lists[after], tuple(paths))


def _list(name: str, old: Sequence[Choice], new: Sequence[Choice], paths: tuple[Path, ...]) -> Iterator[Difference]:
    before, after = {choice.name: choice for choice in old}, {choice.name: choice for choice in new}
    come = {code: choice for code, choice in after.items() if code not in before}
    for code, choice in before.items():
        where = f"{name}: {code} {_label(choice.labels)}"
        if code in after:
            if choice.labels != after[code].labels:
                what = f"{where} → {_relabelled(choice.labels, after[code].labels)}"
                yield Difference("info", "choice relabelled", what)
        elif heir := next((one.name for one in come.values() if choice.labels and one.labels == choice.labels), None):
            del come[heir]
            what = f"{where} → {heir} (same label)"
            yield Difference("breaking", "choice renamed", what, paths, (name,), (code,))
        else:
            yield Difference("breaking", "choice removed", where, paths, (name,), (code,))
    for code, choice in come.items():
        yield Difference("info", "choice added", f"{name}: {code} {_label(choice.labels)}", paths)


def _named(question: Question) -> str:
    return f"{question.name} {_label(question.labels)}" if question.labels.get("fr") else question.name


def _label(labels: Mapping[Language, str]) -> str:
    return f"«{' '.join(labels.get('fr', '').split())}»"


def _relabelled(before: Mapping[Language, str], after: Mapping[Language, str]) -> str:
    return _label(after) + (" (in Arabic)" if before.get("fr") == after.get("fr") else "")


def _kind(question: Question) -> str:
    return f"{question.type} {question.choices}" if question.choices else question.type


def _place(path: Path) -> str:
    return "/".join(path) or "the top of the form"
