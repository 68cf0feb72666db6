"""`renames.csv` beside a form: what its questions were called before, so that their answers stay in one column."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms.catalog import place
from tpm_pipeline.paths import FORMS
from tpm_pipeline.records import FormSchema, Table

FILE: Final = "renames.csv"
HEADER: Final = ("ancien", "nouveau", "date", "raison")

Place = tuple[str, ...]


@dataclass(frozen=True)
class Rename:
    """One line: what was `old` is `new`, a question, a group or a repeat; of one part, a name wherever it stands."""

    old: Place
    new: Place
    where: str


def read(form_id: str, folder: Path = FORMS) -> tuple[Rename, ...]:
    """Read the renames of a form: none when it has no such file."""
    path = folder / form_id / FILE
    if not path.is_file():
        return ()
    try:
        lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise _malformed(place(path), "This is no CSV file in UTF-8.") from None
    found: dict[Place, Rename] = {}
    for number, cells in enumerate(lines, 2):
        where = f"{place(path)}, line {number}"
        if fault := _fault(cells, found):
            raise _malformed(where, fault)
        found[_parts(cells["ancien"])] = Rename(_parts(cells["ancien"]), _parts(cells["nouveau"]), where)
    for rename in found.values():
        _follow(rename, found)
    return tuple(found.values())


def _fault(cells: Mapping[str, str | None], found: Mapping[Place, Rename]) -> str | None:
    if tuple(cells) != HEADER or None in cells.values():
        return f"The columns are not {','.join(HEADER)}."
    old, new, day, reason = (cells[name] or "" for name in HEADER)
    if not all((*_parts(old), *_parts(new), reason.strip())):
        return "A name or the reason is missing."
    if _parts(old) in found:
        return f"«{old}» is renamed on another line too."
    try:
        date.fromisoformat(day)
    except ValueError:
        return f"«{day}» is no date such as 2026-11-28."
    return None


def _malformed(where: str, cause: str) -> FormError:
    remedy = f"Write one line for each name that changed: {','.join(HEADER)}."
    return FormError("FORM-016", where, cause, remedy)


def _parts(path: str | None) -> Place:
    return tuple(part.strip() for part in (path or "").split("/"))


def _follow(rename: Rename, by_old: Mapping[Place, Rename]) -> None:
    """Refuse names that come back to themselves."""
    seen, here = {rename.old}, rename
    while here.new not in seen:
        if here.new not in by_old:
            return
        seen.add(here.new)
        here = by_old[here.new]
    what = f"«{'/'.join(rename.old)}» comes back to «{'/'.join(here.new)}»."
    raise FormError("FORM-019", rename.where, what, "Take out the line that is not true any more.")


def problems(renames: Sequence[Rename], form: FormSchema) -> Iterator[FormError]:
    """What the form does not bear out: an old name it still has, a new one it has not, rows that are not the same."""
    known = places(form.root)
    olds = {rename.old for rename in renames}
    for rename in renames:
        old, new = ("/".join(path) for path in (rename.old, rename.new))
        if _found(rename.old, known):
            what = f"«{old}» is still in the form."
            yield FormError("FORM-018", rename.where, what, "Take the line out, or the old question.")
        elif rename.new not in olds and len(here := _found(rename.new, known)) != 1:
            what = f"«{new}» is in several places: {', '.join(map('/'.join, here))}." if here else _unknown(new)
            yield FormError("FORM-017", rename.where, what, "Write the new name as it is in the form, with its groups.")
        elif not Ways(renames, [form]).keeps_rows(rename):
            what = f"«{old}» and «{new}» are not in the rows of the same repeat."
            yield FormError("FORM-025", rename.where, what, "Only what is answered as often can be one column.")


def _unknown(new: str) -> str:
    return f"«{new}» is no question, group or repeat of the form."


def places(table: Table) -> dict[Place, None]:
    """Every question, group and repeat of a form, in order."""
    own = [*(question.path for question in table.questions), *(repeat.path for repeat in table.repeats)]
    found = {path[:depth]: None for path in own for depth in range(1, len(path) + 1)}
    for repeat in table.repeats:
        found |= places(repeat)
    return found


def _found(name: Place, known: Iterable[Place]) -> list[Place]:
    """The places a path or a name stands for."""
    return [path for path in known if path == name or path[-1:] == name]


class Ways:
    """Where each old place of a form went, by its versions, oldest first; what only other servers had is unknown."""

    def __init__(self, renames: Sequence[Rename], versions: Sequence[FormSchema]) -> None:
        self._by_old = {rename.old: rename for rename in renames}
        self._newest = places(versions[-1].root)
        self._known = self._newest | {path: None for version in versions for path in places(version.root)}
        self._repeats = {path for version in versions for path in _repeats(version.root)}
        steps = [(old, self._new(rename)) for rename in reversed(renames) for old in self._olds(rename)]
        # Two questions that stand side by side in the newest version are two.
        self._steps = {old: new for old, new in steps if not {old, new} <= self._newest.keys() and old != new}
        self._repeats |= set(map(self.now, self._repeats))

    def now(self, path: Place) -> Place:
        """Where a place is today."""
        for _ in self._steps:
            above = [path[:depth] for depth in range(len(path), 0, -1) if path[:depth] in self._steps]
            if not above:
                break
            path = self._steps[above[0]] + path[len(above[0]) :]
        return path

    def before(self, path: Place) -> tuple[Place, ...]:
        """The places a place had, the latest first."""
        found: dict[Place, None] = {}
        ahead = [path]
        while ahead:
            here = ahead.pop(0)
            for old, new in self._steps.items():
                was = old + here[len(new) :]
                if here[: len(new)] == new and was not in found and self.now(was) == path:
                    found[was] = None
                    ahead.append(was)
        return tuple(found)

    def home(self, path: Place) -> Place:
        """The repeat in whose rows a place is today, () for the form itself."""
        return max((repeat for repeat in self._repeats if repeat == path[: len(repeat)] != path), key=len, default=())

    def keeps_rows(self, rename: Rename) -> bool:
        """Tell whether old and new are answered in the same rows."""
        held = {*self._repeats, *(old for repeat in self._repeats for old in self.before(repeat))}
        olds = self._olds(rename)
        homes = [max((one for one in held if one == old[: len(one)] != old), key=len, default=()) for old in olds]
        return any(self.now(home) == self.home(self.now(old)) for home, old in zip(homes, olds, strict=True))

    def _new(self, rename: Rename) -> Place:
        if rename.new in self._by_old:
            return self._olds(self._by_old[rename.new])[0]
        here, old = _found(rename.new, self._newest), _found(rename.old, self._known)
        if len(here) == 1 or not old or len(rename.new) > 1:
            return here[0] if len(here) == 1 else rename.new
        return (*old[0][:-1], *rename.new)

    def _olds(self, rename: Rename) -> list[Place]:
        """Where the old name stood: a bare one that no version had, beside the new one or outside its groups."""
        if len(rename.old) > 1:
            return [rename.old]
        if known := _found(rename.old, self._known):
            return known
        new = self._new(rename)
        return [*dict.fromkeys([(*new[:-1], *rename.old), (*self.home(new), *rename.old)])]


def _repeats(table: Table) -> Iterator[Place]:
    for repeat in table.repeats:
        yield repeat.path
        yield from _repeats(repeat)
