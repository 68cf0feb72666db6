"""An indicator's trend beside its targets, as SVG that needs nothing but itself."""

import re
from datetime import date, timedelta
from typing import Any

import altair as alt
import vl_convert

from tpm_pipeline.publications.figures import Cell, Figure
from tpm_pipeline.publications.words import NARROW, Words, decimals, quantity
from tpm_pipeline.records import Language

WIDTH, HEIGHT = 316, 150
INK, MUTED, LINE, VALUE, TARGET = "#1d2b2a", "#5a6766", "#e3e7e4", "#0f6b62", "#a4551e"
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Arabic', 'Noto Naskh Arabic', sans-serif"
_LOCALE: Any = {"decimal": ",", "thousands": NARROW, "grouping": [3], "currency": ["", ""]}
_OPENING = re.compile(r"<svg[^>]*?viewBox=\"([^\"]+)\"[^>]*>")


def svg(figure: Figure, words: Words, language: Language) -> str:
    """The chart as an SVG element; missing and hidden values leave a gap."""
    chart = alt.layer(*_targets(figure, words, language), *_values(figure), background="transparent")
    spec = chart.properties(width=WIDTH, height=HEIGHT).configure(aria=False, font=FONT).configure_view(stroke=None)
    drawn = vl_convert.vegalite_to_svg(spec.to_dict(), vl_version="6.1", format_locale=_LOCALE)
    return _OPENING.sub(r'<svg viewBox="\1" aria-hidden="true" focusable="false">', drawn, count=1)


def _values(figure: Figure) -> list[alt.LayerChart | alt.Chart]:
    running = figure.indicator.accumulation == "cumulative"
    points = [{"jour": _place(cell, running=running), "valeur": cell.value} for cell in figure.trend]
    base = alt.Chart(alt.Data(values=points)).encode(x=_x(figure), y=_y(figure))
    drawn: list[alt.LayerChart | alt.Chart] = [base.mark_line(color=VALUE, strokeWidth=2, strokeJoin="round")]
    # A value between two gaps has no line: its point alone shows it.
    return [*drawn, base.mark_circle(color=VALUE, size=9 if running else 26, opacity=1)]


def _targets(figure: Figure, words: Words, language: Language) -> list[alt.Chart]:
    indicator = figure.indicator
    running = indicator.accumulation == "cumulative"
    steps = [
        {
            "debut": str(cell.start),
            "fin": _last_day(cell),
            "cible": cell.target,
            "texte": f"{words['chart_target']} "
            + quantity(cell.target, decimals(cell.target), indicator.unit.fr, language),
        }
        for cell in figure.years
        if cell.target is not None
    ]
    base = alt.Chart(alt.Data(values=steps)).encode(y=alt.Y("cible:Q"))
    text = base.encode(x=alt.X("fin:T" if running else "debut:T"), text="texte:N")
    style: dict[str, Any] = {"align": "right", "dx": -7} if running else {"align": "left", "dx": 2}
    style |= {"baseline": "bottom", "dy": -3, "fontSize": 11}
    if running:
        mark = base.mark_point(shape="diamond", size=52, filled=True, color=TARGET, opacity=1).encode(x="fin:T")
    else:
        mark = base.mark_rule(color=TARGET, strokeWidth=1.5, strokeDash=[5, 3]).encode(x="debut:T", x2="fin:T")
    halo = text.mark_text(**style, stroke="#fff", strokeWidth=3, strokeJoin="round", color="#fff")
    return [mark, halo, text.mark_text(**style, color=TARGET)]


def _x(figure: Figure) -> alt.X:
    years = figure.years
    domain = [str(years[0].start), str(years[-1].end)]
    januaries = [f"{year}-01-01" for year in range(years[0].start.year, years[-1].end.year + 1)]
    ticks = [day for day in januaries if domain[0] <= day <= domain[1]]
    axis = alt.Axis(
        values=ticks, format="%Y", title=None, grid=True, gridColor=LINE, domainColor="#b9c2bf", tickColor="#b9c2bf",
        labelColor=MUTED, labelFontSize=11, labelFlush=True,
    )  # fmt: skip
    return alt.X("jour:T", scale=alt.Scale(type="utc", domain=domain), axis=axis)


def _y(figure: Figure) -> alt.Y:
    unit = figure.indicator.unit.fr
    axis = alt.Axis(
        tickCount=4, format=",~r", title=None, grid=True, gridColor=LINE, domain=False, ticks=False,
        labelColor=MUTED, labelFontSize=11, labelPadding=6,
    )  # fmt: skip
    # A score says its range in its unit: "1–5".
    if score := re.fullmatch(r"(\d+)[–-](\d+)", unit):
        return alt.Y("valeur:Q", scale=alt.Scale(domain=[int(score[1]), int(score[2])]), axis=axis)
    return alt.Y("valeur:Q", scale=alt.Scale(zero=True), axis=axis)


def _place(cell: Cell, *, running: bool) -> str:
    """A running total stands at its period's end, a period's own value in its middle."""
    return _last_day(cell) if running else str(cell.start + (cell.end - cell.start) / 2)


def _last_day(cell: Cell) -> str:
    last: date = cell.end - timedelta(days=1)
    return str(last)

