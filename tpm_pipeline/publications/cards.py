"""An indicator in words: what the dashboard writes, ready to be laid out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tpm_pipeline.indicators.declared import COUNTED
from tpm_pipeline.publications import figures
from tpm_pipeline.publications import words as speech
from tpm_pipeline.publications.figures import Cell, Figure, Status
from tpm_pipeline.publications.words import Language, Words, number, quantity

# Where the classes of sizes begin, after the threshold.
SIZES = (20, 100)


@dataclass(frozen=True)
class Line:
    """A row of a table of figures."""

    period: str
    value: str
    size: str
    target: str
    sites: str


@dataclass(frozen=True)
class Card:
    """One indicator in one language; `progress` is a whole percentage, None where there is none.

    `chart` names the drawing to show, empty where a line would say nothing; `targeted` tells that it
    shows targets, `ends` that they stand at the end of their years.
    """

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
    target: str
    facts: Sequence[tuple[str, str]]
    progress: int | None
    progress_text: str
    targeted: bool
    ends: bool
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
        target=_target(figure, year, words, language),
        facts=_facts(figure, words, language, threshold),
        progress=progress,
        progress_text=_progress(figure, progress, words, language),
        targeted=bool(figure.targeted),
        ends=indicator.accumulation != "period",
        trend=words["trend_month" if running else "trend_quarter"],
        years=lines(figure.years),
        lines=lines(figure.trend),
        chart=chart,
    )


def _unit(figure: Figure, words: Words, language: Language) -> str:
    unit = figure.indicator.unit
    if unit.fr == "%" or figure.indicator.measure == "yes_no":
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
        kind = "small_count" if indicator.measure in COUNTED else "small_ratio"
        return str(words[kind]).format(threshold=threshold)
    if cell.value is None:
        return str(words["missing"])
    if indicator.measure == "yes_no":
        return str(words["yes_no"][round(cell.value)])
    return quantity(cell.value, figures.decimals(indicator, cell), indicator.unit.fr, language)


def _line(figure: Figure, cell: Cell, words: Words, language: Language, threshold: int) -> Line:
    return Line(
        speech.period(cell, words),
        _value(figure, cell, words, language, threshold),
        _size(figure, cell, words, language, threshold),
        _target(figure, cell, words, language),
        _sites(cell, language),
    )


def _size(figure: Figure, cell: Cell, words: Words, language: Language, threshold: int) -> str:
    """How many a ratio is about; of people only a class: the exact number, beside another indicator's, would tell."""
    if cell.value is None or cell.denominator is None or figure.indicator.measure == "yes_no":
        return ""
    if not figure.indicator.personal:
        return number(cell.facts, 0, language)
    least = [threshold, *(step for step in SIZES if step > threshold)]
    position = sum(step <= cell.denominator for step in least) - 1
    low, above = number(least[position], 0, language), least[position + 1 :]
    if not above:
        return str(words["size_last"]).format(low=low)
    return str(words["size_between"]).format(low=low, high=number(above[0] - 1, 0, language))


def _target(figure: Figure, cell: Cell, words: Words, language: Language) -> str:
    return "" if cell.target is None else speech.quantity_of_target(figure, cell.target, words, language)


def _sites(cell: Cell, language: Language) -> str:
    text = f"{cell.sites}/{cell.expected_sites}"
    return speech.isolated(text) if language == "ar" else text


def _facts(figure: Figure, words: Words, language: Language, threshold: int) -> list[tuple[str, str]]:
    indicator, year = figure.indicator, figure.year
    facts = [(words["target"], _target(figure, year, words, language))]
    if year.due is not None and year.due != year.target:
        facts.append((words["due"], quantity(year.due, figures.decimals(indicator, year), indicator.unit.fr, language)))
    if figure.in_year and len(figure.years) > 1:
        facts.append((words["in_year"], _value(figure, figure.in_year, words, language, threshold)))
    facts.append((words["size"], _size(figure, year, words, language, threshold)))
    facts.append(_completeness(figure, words, language))
    if figure.indicator.measure == "distinct" and year.without_id:
        small = words["small_count"].format(threshold=threshold)
        facts.append(
            (words["without_id"], small if year.without_id < threshold else number(year.without_id, 0, language))
        )
    return [(name, text) for name, text in facts if text]


def _completeness(figure: Figure, words: Words, language: Language) -> tuple[str, str]:
    year = figure.year
    if figure.indicator.reporting == "equipe":
        return words["team"], words["team_reported"] if year.sites else words["team_silent"]
    of = words["completeness_of"].format(expected=number(year.expected_sites, 0, language))
    return words["completeness"], f"{number(year.sites, 0, language)} {of}"


def _progress(figure: Figure, progress: int | None, words: Words, language: Language) -> str:
    baseline = figure.indicator.baseline
    if baseline is None:
        return str(words["no_baseline"])
    if progress is None:
        return str(words["no_progress"])
    start = speech.quantity_of_target(figure, baseline.value, words, language)
    return f"{quantity(progress, 0, '%', language)} · {words['baseline']} {start}"


def _definition(figure: Figure, words: Words, language: Language) -> list[tuple[str, str]]:
    indicator = figure.indicator
    parts = {
        "definition": indicator.definition,
        "numerator": indicator.numerator,
        "denominator": indicator.denominator,
        "inclusions": indicator.inclusions,
        "exclusions": indicator.exclusions,
        "limitations": indicator.limitations,
    }
    return [(words[name], speech.spoken(text, language)) for name, text in parts.items() if text]
