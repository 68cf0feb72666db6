"""Which rules of the forms the scenarios exercise: `python -m tests.forms.coverage` prints the table."""

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.forms import judge
from tests.forms.logic import KINDS, Form, Kind, Rule, forms
from tests.forms.player import Played, play_all

UNREACHABLE: Final = Path(__file__).parent / "out_of_reach.md"
_WAYS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "constraint": ("accepted", "refused"),
    "relevant": ("asked", "skipped"),
    "calculation": ("worth",),
    "required": ("refused",),
    "choice_filter": ("offered", "not offered"),
    "repeat_count": ("times",),
    "default": ("worth",),
}
Seen = Mapping[tuple[str, Kind, str, str], set[str]]


@dataclass(frozen=True)
class Gap:
    """A rule, and the way in which no scenario exercised it."""

    rule: Rule
    way: str
    seen: int

    def __str__(self) -> str:
        """Say what is missing, as the list of what is out of reach does."""
        wanted = self.rule.times if self.way in ("refused", "worth") else 1
        return f"{self.rule.form_id} · {self.rule.kind} · {self.rule.name}: {self.way} {self.seen} of {wanted}"


def problems(played: Played, known: Mapping[str, Form]) -> dict[tuple[str, str], list[str]]:
    """Return what went otherwise than its line says, by form and scenario."""
    found: dict[tuple[str, str], list[str]] = {}
    for scenario, shown in played:
        steps = zip((*scenario.before, *scenario.steps), shown, strict=True)
        said = ((step.line, judge.problem(known[scenario.form_id], step, each)) for step, each in steps)
        found[scenario.form_id, scenario.title] = [f"line {line}: {what}" for line, what in said if what]
    return found


def seen(played: Played, known: Mapping[str, Form]) -> Seen:
    """Gather what the steps that went as said have exercised."""
    found: dict[tuple[str, Kind, str, str], set[str]] = {}
    for scenario, shown in played:
        form = known[scenario.form_id]
        for step, each in zip((*scenario.before, *scenario.steps), shown, strict=True):
            if not judge.problem(form, step, each):
                for kind, name, way, how in judge.evidence(form, step, each):
                    found.setdefault((form.form_id, kind, name, way), set()).add(how)
    return found


def gaps(rules: Iterable[Rule], found: Seen) -> list[Gap]:
    """Return the rules that are not exercised, each way of them apart."""
    return [gap for rule in rules for way in _WAYS[rule.kind] if (gap := _gap(rule, way, found))]


def out_of_reach(path: Path = UNREACHABLE) -> dict[tuple[str, str, str, str], str]:
    """Read what no scenario can exercise, with the reason: form, kind, question, way."""
    lines = [line.strip("|").split("|") for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in line] for line in lines[2:]]
    return {(form, kind, name, way): reason for form, kind, name, way, reason in cells}


def key(gap: Gap) -> tuple[str, str, str, str]:
    """Name a gap as the list of what is out of reach does."""
    return gap.rule.form_id, gap.rule.kind, gap.rule.name, gap.way


def table(known: Mapping[str, Form], missing: Collection[Gap]) -> str:
    """Write how many rules of each kind are exercised, of how many can be; those out of reach apart."""
    listed = out_of_reach()
    away = {gap.rule for gap in missing if key(gap) in listed}
    lacking = {gap.rule for gap in missing} - away
    rules = [(form.form_id, form.rules) for form in known.values()]
    rules.append(("all", tuple(rule for _, each in rules for rule in each)))
    lines = [(name, *_figures(each, lacking, away)) for name, each in rules]
    return "\n".join(map(_line, [("rules exercised", *KINDS, "out of reach"), *lines]))


def _figures(rules: Collection[Rule], lacking: set[Rule], away: set[Rule]) -> Iterator[str]:
    for kind in KINDS:
        reachable = [rule for rule in rules if rule.kind == kind and rule not in away]
        yield f"{sum(rule not in lacking for rule in reachable)}/{len(reachable)}"
    yield str(sum(rule in away for rule in rules))


def _line(cells: Iterable[str]) -> str:
    first, *others = cells
    return f"{first:16}" + "".join(f"{cell:>15}" for cell in others)


def _gap(rule: Rule, way: str, found: Seen) -> Gap | None:
    count = len(found.get((rule.form_id, rule.kind, rule.name, way), ()))
    wanted = rule.times if way in ("refused", "worth") else 1
    return Gap(rule, way, count) if count < wanted else None


def main() -> Iterator[str]:
    """Play everything and say what is missing."""
    known = forms()
    played = play_all()
    missing = gaps((rule for form in known.values() for rule in form.rules), seen(played, known))
    yield table(known, missing)
    yield from (f"{form} · {title}: {what}" for (form, title), said in problems(played, known).items() for what in said)
    yield from (str(gap) for gap in missing if key(gap) not in out_of_reach())


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in main())
