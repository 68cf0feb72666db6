"""How the dashboard speaks French, Arabic and English: words, numbers and dates as its readers write them."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Literal

from tpm_pipeline.indicators import logframe
from tpm_pipeline.paths import PACKAGE
from tpm_pipeline.publications.figures import Cell, Figure

NARROW = "\u202f"
# A score says its range in its unit.
SCORE = re.compile(r"(\d+)[–-](\d+)")
Words = Mapping[str, Any]
Language = Literal["fr", "ar", "en"]


def read() -> Mapping[Language, Words]:
    """The words of each language: the same keys in all."""
    import yaml

    content: Mapping[Language, Words] = yaml.safe_load((PACKAGE / "publications" / "words.yml").read_text("utf-8"))
    return content


def spoken(texts: logframe.Words, language: Language) -> str:
    """A declared text in a language; French guillemets and colons keep to their words."""
    text: str = getattr(texts, language)
    return re.sub(r"(?<=«) | (?=[»;:!?%])", NARROW, text) if language == "fr" else text


def number(value: float, decimals: int, language: Language) -> str:
    """A number with decimal comma and narrow spaces, as in English for English; kept left to right within Arabic."""
    text = f"{value:,.{decimals}f}".replace("-", "\u2212")
    if language == "en":
        return text
    text = text.replace(",", NARROW).replace(".", ",")
    return isolated(text) if language == "ar" else text


def quantity_of_target(figure: Figure, target: float, words: Words, language: Language) -> str:
    """A declared value, with as many decimals as the indicator's targets need."""
    indicator = figure.indicator
    if indicator.measure == "yes_no":
        return str(words["yes_no"][int(target)])
    texts = [f"{declared:g}" for declared in (target, *indicator.targets.values())]
    decimals = max(len(text.partition(".")[2]) for text in texts)
    return quantity(target, decimals, indicator.unit.fr, language)


def isolated(text: str) -> str:
    """A text that keeps its own direction inside Arabic."""
    return f"\u2066{text}\u2069"


def quantity(value: float, decimals: int, unit: str, language: Language) -> str:
    """A number with its unit where the unit reads as one: `61,3 %`."""
    if unit != "%":
        return number(value, decimals, language)
    if language == "en":
        return f"{number(value, decimals, language)}%"
    text = f"{number(value, decimals, 'fr')}{NARROW}%"
    return isolated(text) if language == "ar" else text


def day(moment: date, words: Words) -> str:
    """`1er janvier 2021`, `23 novembre 2026`."""
    return f"{words['first'] if moment.day == 1 else moment.day} {words['months'][moment.month - 1]} {moment.year}"


def month(moment: date, words: Words) -> str:
    """`oct. 2020`."""
    return f"{words['short_months'][moment.month - 1]} {moment.year}"


def span(start: date, end: date, words: Words) -> str:
    """A half-open span by its months: `oct. 2020 – sept. 2021`."""
    return f"{month(start, words)} – {month(end - timedelta(days=1), words)}"


def period(cell: Cell, words: Words) -> str:
    """A period as people say it, from its code: `2021-03`, `2021-T1`, `A3`."""
    year, _, rest = cell.period.partition("-")
    if rest.startswith("T"):
        return f"{words['quarters'][int(rest[1:]) - 1]} {year}"
    if rest:
        return month(cell.start, words)
    return f"{words['year']} {cell.period.removeprefix('A')}"
