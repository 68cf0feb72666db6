"""The dashboard: one page in French, Arabic and English that opens without network, on a phone or on paper."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tpm_pipeline.paths import PACKAGE, write_atomically
from tpm_pipeline.publications import figures
from tpm_pipeline.publications import words as speech
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.publications.cards import Card, card
from tpm_pipeline.publications.figures import Figure
from tpm_pipeline.publications.words import Language, Words
from tpm_pipeline.warehouse.db import Connection

TEMPLATES = PACKAGE / "publications" / "templates"


@dataclass(frozen=True)
class Result:
    """A result of the chain and its indicators."""

    code: str
    name: str
    cards: Sequence[Card]


@dataclass(frozen=True)
class Page:
    """The dashboard in one language."""

    language: Language
    direction: str
    words: Words
    title: str
    as_of: str
    span: str
    statuses: Sequence[tuple[str, str, int]]
    results: Sequence[Result]
    notes: Sequence[str]
    refreshed: str


def write(connection: Connection, target: Path, context: PublicationContext) -> None:
    """Write the page."""
    write_atomically(target, render(figures.read(connection, context), context))


def render(found: Sequence[Figure], context: PublicationContext) -> str:
    """The page's HTML."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from tpm_pipeline.publications import charts

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = speech.read()
    lines = [figure for figure in found if figure.indicator.measure != "yes_no"]
    drawn = {_chart(figure): charts.symbol(figure, _chart(figure)) for figure in lines}
    drawn |= {f"{name}-en": charts.english(symbol, f"{name}-en") for name, symbol in drawn.items()}
    pages = [_page(found, drawn, context, words[language], language) for language in words]
    return environment.get_template("dashboard.html.j2").render(
        pages=pages, charts=list(drawn.values()), synthetic=context.synthetic
    )


def _chart(figure: Figure) -> str:
    return f"chart-{figure.indicator.code}"


def _page(
    found: Sequence[Figure],
    drawn: Collection[str],
    context: PublicationContext,
    words: Words,
    language: Language,
) -> Page:
    project, refreshed = context.framework.project, context.refreshed_at
    names = [_chart(figure) + "-en" * (language == "en") for figure in found]
    cards = [
        card(figure, words, language, name if name in drawn else "", context.small_cell)
        for figure, name in zip(found, names, strict=True)
    ]
    return Page(
        language=language,
        direction="rtl" if language == "ar" else "ltr",
        words=words,
        title=speech.spoken(project.names, language),
        as_of=speech.day(context.today, words),
        span=speech.span(project.start, project.end, words),
        statuses=_statuses(cards, words),
        results=_results(found, cards, context, language),
        notes=[note.format(**_limits(context, language)) for note in words["notes"]],
        refreshed=words["refreshed"].format(
            day=speech.day(refreshed.date(), words), hour=speech.isolated(f"{refreshed:%H:%M}")
        ),
    )


def _statuses(cards: Sequence[Card], words: Words) -> list[tuple[str, str, int]]:
    tally = Counter(card.status for card in cards)
    return [(status, word, tally[status]) for status, word in words["status"].items() if tally[status]]


def _results(
    found: Sequence[Figure], cards: Sequence[Card], context: PublicationContext, language: Language
) -> list[Result]:
    names = context.framework.chain
    by_result: Mapping[str, list[Card]] = {code: [] for code in names}
    for figure, written in zip(found, cards, strict=True):
        by_result[figure.indicator.result].append(written)
    return [Result(code, speech.spoken(names[code], language), kept) for code, kept in by_result.items() if kept]


def _limits(context: PublicationContext, language: Language) -> dict[str, object]:
    return {
        "threshold": context.small_cell,
        "whole": figures.WHOLE_BELOW,
        "on_track": speech.quantity(context.framework.thresholds.on_track * 100, 0, "%", language),
    }
