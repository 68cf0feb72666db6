"""An indicator in words: what the dashboard writes, ready to be laid out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tpm_pipeline.publications import figures
from tpm_pipeline.publications import words as speech
from tpm_pipeline.publications.figures import Cell, Figure, Status
from tpm_pipeline.publications.words import Words, number, quantity
from tpm_pipeline.records import Language

# Where the classes of sizes begin, after the threshold.
SIZES = (20, 100)


@dataclass(frozen=True)
class Line:
    """A row of a table of figures."""

    period: str
    value: str
    size: str
    target: str
    offices: str


@dataclass(frozen=True)
class Card:
    """One indicator in one language; `progress` is a whole percentage, None where there is none."""

    code: str
    level: str
    name: str
    definition: Sequence[tuple[str, str]]
    status: Status
    status_word: str
    when: str
    value: str
    unit: str
    known: bool
    facts: Sequence[tuple[str, str]]
    progress: int | None
    progress_text: str
    running: bool
    trend: str
    years: Sequence[Line]
    lines: Sequence[Line]
    chart: str


def card(figure: Figure, words: Words, language: Language, chart: str, threshold: int) -> Card:
    """Put an indicator in words."""
    indicator, year = figure.indicator, figure.year
    running = indicator.accumulation == "cumulative"
    known = year.value is not None
    progress = None if year.progress is None else math.floor(round(year.progress * 100, 6))

    def lines(cells: Sequence[Cell]) -> list[Line]:
        return [_line(figure, cell, words, language, threshold) for cell in cells]

    return Card(
        code=indicator.code,
        level=words["levels"][indicator.level],
        name=speech.spoken(indicator.names, language),
        definition=_definition(figure, words, language),
        status=figure.status,
        status_word=words["status"][figure.status],
        when=f"{words['running']} · {_year(year, words)}" if running else _year(year, words),
        value=_value(figure, year, words, language, threshold),
        unit=_unit(figure, words, language) if known else "",
        known=known,
        facts=_facts(figure, words, language, threshold),
        progress=progress,
        progress_text=_progress(figure, progress, words, language),
        running=running,
        trend=words["trend_month" if running else "trend_quarter"],
        years=lines(figure.years),
        lines=lines(figure.trend),
        chart=chart,
    )


def _unit(figure: Figure, words: Words, language: Language) -> str:
    unit = figure.indicator.unit
    if unit.fr == "%":
        return ""
    return (
        str(words["scale"]).format(range=unit.fr) if speech.SCORE.fullmatch(unit.fr) else speech.spoken(unit, language)
    )


def _year(year: Cell, words: Words) -> str:
    return f"{speech.period(year, words)} ({speech.span(year.start, year.end, words)})"


def _value(figure: Figure, cell: Cell, words: Words, language: Language, threshold: int) -> str:
    indicator = figure.indicator
    if cell.secret == "protected":  # noqa: S105 - a statistical secret, not a password
        return str(words["protected"])
    if cell.secret:
        kind = "small_count" if indicator.measure in ("count", "distinct") else "small_ratio"
        return str(words[kind]).format(threshold=threshold)
    if cell.value is None:
        return str(words["missing"])
    return quantity(cell.value, figures.decimals(indicator, cell), indicator.unit.fr, language)


def _line(figure: Figure, cell: Cell, words: Words, language: Language, threshold: int) -> Line:
    return Line(
        speech.period(cell, words),
        _value(figure, cell, words, language, threshold),
        _size(cell, words, language, threshold),
        _target(figure, cell, language),
        _offices(cell, language),
    )


def _size(cell: Cell, words: Words, language: Language, threshold: int) -> str:
    """The class of a ratio's denominator: the exact one, beside another indicator's, would tell the difference."""
    if cell.value is None or cell.denominator is None:
        return ""
    least = [threshold, *(step for step in SIZES if step > threshold)]
    position = sum(step <= cell.denominator for step in least) - 1
    low, above = number(least[position], 0, language), least[position + 1 :]
    if not above:
        return str(words["size_last"]).format(low=low)
    return str(words["size_between"]).format(low=low, high=number(above[0] - 1, 0, language))


def _target(figure: Figure, cell: Cell, language: Language) -> str:
    return "" if cell.target is None else speech.quantity_of_target(figure, cell.target, language)


def _offices(cell: Cell, language: Language) -> str:
    text = f"{cell.offices}/{cell.expected}"
    return speech.isolated(text) if language == "ar" else text


def _facts(figure: Figure, words: Words, language: Language, threshold: int) -> list[tuple[str, str]]:
    year = figure.year
    facts = [(words["target"], _target(figure, year, language))]
    if figure.in_year and len(figure.years) > 1:
        facts.append((words["in_year"], _value(figure, figure.in_year, words, language, threshold)))
    facts.append((words["size"], _size(year, words, language, threshold)))
    of = words["completeness_of"].format(expected=number(year.expected, 0, language))
    facts.append((words["completeness"], f"{number(year.offices, 0, language)} {of}"))
    if figure.indicator.measure == "distinct" and year.without_id:
        small = words["small_count"].format(threshold=threshold)
        facts.append(
            (words["without_id"], small if year.without_id < threshold else number(year.without_id, 0, language))
        )
    return [(name, text) for name, text in facts if text]


def _progress(figure: Figure, progress: int | None, words: Words, language: Language) -> str:
    baseline = figure.indicator.baseline
    if baseline is None:
        return str(words["no_baseline"])
    if progress is None:
        return str(words["no_progress"])
    start = speech.quantity_of_target(figure, baseline.value, language)
    return f"{quantity(progress, 0, '%', language)} · {words['baseline']} {start}"


def _definition(figure: Figure, words: Words, language: Language) -> list[tuple[str, str]]:
    indicator = figure.indicator
    parts = [(words["definition"], speech.spoken(indicator.definition, language))]
    if indicator.numerator:
        parts.append((words["numerator"], speech.spoken(indicator.numerator, language)))
    if indicator.denominator:
        parts.append((words["denominator"], speech.spoken(indicator.denominator, language)))
    return parts
