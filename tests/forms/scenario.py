"""What an enumerator does and what the form must answer, read from tables anybody can write."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final, Literal

Result = Literal[
    "accepted", "refused", "not offered", "asked", "skipped", "worth", "shows", "times",
    "sent", "unsent", "created", "updated", "no entity",
]  # fmt: skip

FOLDER: Final = Path(__file__).parent / "scenarios"
SEND, ENTITY, TITLE = "envoi", "entité", "étiquette"
_FROM_PAYLOAD: Final = (SEND, ENTITY, TITLE)
_PLAIN: Final[Mapping[str, Result]] = {
    "": "accepted", "non proposé": "not offered", "demandé": "asked", "passé": "skipped",
    "envoyé": "sent", "créée": "created", "mise à jour": "updated", "aucune": "no entity",
}  # fmt: skip
_SAID: Final[tuple[tuple[Result, re.Pattern[str]], ...]] = (
    ("refused", re.compile(r"refusé : (.+)")),
    ("unsent", re.compile(r"incomplet : (.+)")),
    ("worth", re.compile(r"vaut (.+)")),
    ("shows", re.compile(r"affiche (.+)")),
    ("times", re.compile(r"(\d+) fois")),
)
_QUESTION: Final = re.compile(r"([\w.]+)(?: \[(\d+)\])?")
_TODAY: Final = re.compile(r"aujourd’hui(?: ([+-]) (\d+))?")
_TIMES: Final = re.compile(r"(.) × (\d+)")
_BASE: Final = re.compile(r"Suite de « (.+) »\.")
_BLANK: Final = "(rien)"


@dataclass(frozen=True)
class Step:
    """One line of a table: a question, what is typed, what must happen."""

    question: str
    position: int
    answer: str
    result: Result
    words: tuple[str, ...]
    line: int

    @property
    def name(self) -> str:
        """The question, without the part of the entity it may name."""
        return self.question.partition(".")[0]

    def played(self) -> dict[str, object]:
        """Say what the engine has to do."""
        typed = self.result in ("accepted", "refused", "not offered")
        act = "send" if self.name in _FROM_PAYLOAD else "type" if typed else "look"
        return {"act": act, "name": self.name, "position": self.position, "answer": self.answer}


@dataclass(frozen=True)
class Scenario:
    """One table, with the steps of the scenario it continues before its own."""

    form_id: str
    title: str
    before: tuple[Step, ...]
    steps: tuple[Step, ...]


def read(path: Path, today: date) -> list[Scenario]:
    """Read the scenarios of one form; `today` stands for «aujourd’hui»."""
    scenarios: dict[str, Scenario] = {}
    for title, base, lines in _tables(path):
        steps = tuple(step for number, cells in lines for step in _steps(path, number, cells, today))
        before = _replayed(scenarios[base]) if base else ()
        scenarios[title] = Scenario(path.stem, title, before, steps)
    return list(scenarios.values())


def read_all(today: date, folder: Path = FOLDER) -> list[Scenario]:
    """Read the scenarios of all forms."""
    return [scenario for path in sorted(folder.glob("*.md")) for scenario in read(path, today)]


def _tables(path: Path) -> Iterator[tuple[str, str, list[tuple[int, list[str]]]]]:
    """Yield each scenario's title, the one it continues, and its numbered lines of three cells."""
    title, base, lines = "", "", list[tuple[int, list[str]]]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("## "):
            if title:
                yield title, base, lines
            title, base, lines = line.removeprefix("## "), "", []
        elif found := _BASE.match(line):
            base = found[1]
        elif title and line.startswith("| ") and not line.startswith(("| question ", "| --- ")):
            lines.append((number, [cell.strip() for cell in line.strip("|").split("|")]))
    yield title, base, lines


def _steps(path: Path, line: int, cells: list[str], today: date) -> Iterator[Step]:
    """Read one line: several questions with commas, several answers tried one after the other with semicolons."""
    questions, answers, said = cells
    result, words = _result(said, today)
    for question in questions.split(", "):
        found = _QUESTION.fullmatch(question)
        if not found or not result:
            raise ValueError(f"{path.name}, line {line}: cannot read «{question}» «{said}»")
        for answer in answers.split(" ; "):
            yield Step(found[1], int(found[2] or 1), _value(answer, today), result, words, line)


def _result(said: str, today: date) -> tuple[Result | None, tuple[str, ...]]:
    if said in _PLAIN:
        return _PLAIN[said], ()
    for result, pattern in _SAID:
        if found := pattern.fullmatch(said):
            separator = ", " if result == "unsent" else "<br>"
            return result, tuple(_value(word, today) for word in found[1].split(separator))
    return None, ()


def _value(text: str, today: date) -> str:
    """Write out what a cell abbreviates: a day counted from today, a letter many times, nothing."""
    if found := _TODAY.fullmatch(text):
        days = int(f"{found[1] or '+'}{found[2] or 0}")
        return (today + timedelta(days=days)).isoformat()
    if found := _TIMES.fullmatch(text):
        return found[1] * int(found[2])
    return "" if text == _BLANK else text


def _replayed(scenario: Scenario) -> tuple[Step, ...]:
    """Keep the answers of the scenario that is continued: of each line, the last that was accepted."""
    last = {step.line: step for step in scenario.steps if step.result == "accepted"}
    return (*scenario.before, *(replace(step, line=0) for step in last.values()))
