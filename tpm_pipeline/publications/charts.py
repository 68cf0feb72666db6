"""An indicator's trend beside its targets, as SVG that needs nothing but itself, and no word of any language."""

import re
from datetime import timedelta
from typing import Any

import altair as alt
import vl_convert
from altair.utils.schemapi import debug_mode

from tpm_pipeline.publications.figures import Cell, Figure
from tpm_pipeline.publications.words import NARROW, SCORE

VEGA_LITE = "6.1"
WIDTH, HEIGHT = 316, 150
INK, MUTED, LINE, VALUE, TARGET = "#1d2b2a", "#5a6766", "#e3e7e4", "#0f6b62", "#a4551e"
FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Arabic', 'Noto Naskh Arabic', sans-serif"
_LOCALE: Any = {"decimal": ",", "thousands": NARROW, "grouping": [3], "currency": ["", ""]}
_NUMBER = re.compile(rf">[\d,{NARROW}\u2212]+</text>")
_OPENING = re.compile(r"<svg[^>]*?viewBox=\"([^\"]+)\"[^>]*>")


def symbol(figure: Figure, name: str) -> str:
    """The chart as an SVG symbol to be shown by its name; missing and hidden values leave a gap."""
    svg = vl_convert.vegalite_to_svg(_spec(figure), vl_version=VEGA_LITE, format_locale=_LOCALE)
    return _OPENING.sub(rf'<symbol id="{name}" viewBox="\1">', svg, count=1).replace("</svg>", "</symbol>")


def english(symbol: str, name: str) -> str:
    """The same chart under another name, its numbers written as in English."""
    renamed = re.sub(r'id="[^"]+"', f'id="{name}"', symbol, count=1)
    return _NUMBER.sub(lambda text: text[0].replace(",", ".").replace(NARROW, ","), renamed)


def _spec(figure: Figure) -> dict[str, Any]:
    # Altair checks every part against the schema as it is made, at a tenth of a second each: a test does it once.
    with debug_mode(False):
        steps = alt.InlineData(values=[_step(figure, year) for year in figure.targeted])
        chart = alt.layer(_targets(figure, steps), *_values(figure), *_labels(figure, steps), background="transparent")
        chart = chart.configure(aria=False, font=FONT).configure_view(stroke=None)
        spec: dict[str, Any] = chart.properties(width=WIDTH, height=HEIGHT).to_dict(validate=False)
        return spec


def _values(figure: Figure) -> list[alt.Chart]:
    running = is_running(figure)
    points = [{"jour": _place(cell, running=running), "valeur": cell.value} for cell in figure.trend]
    base = alt.Chart(alt.InlineData(values=points)).encode(x=_x(figure), y=_y(figure, "valeur"))
    # A value between two gaps has no line: its point alone shows it.
    dots = base.mark_circle(color=VALUE, size=9 if running else 26, opacity=1)
    return [base.mark_line(color=VALUE, strokeWidth=2, strokeJoin="round"), dots]


def _step(figure: Figure, year: Cell) -> dict[str, Any]:
    """A year's target, and whether its label has more room below than above."""
    target = year.target or 0
    first = [cell.value for cell in figure.trend if cell.value is not None and year.start <= cell.start < year.end][:2]
    return {
        "debut": str(year.start),
        "fin": _last_day(year),
        "cible": target,
        "dessous": bool(first) and not is_running(figure) and sum(first) / len(first) > target,
    }


def _targets(figure: Figure, steps: alt.InlineData) -> alt.Chart:
    base = alt.Chart(steps)
    if is_running(figure):
        points = base.mark_point(shape="diamond", size=52, filled=True, color=TARGET, opacity=1)
        ends: alt.Chart = points.encode(x=alt.X("fin:T"), y=_y(figure, "cible"))
        return ends
    rules = base.mark_rule(color=TARGET, strokeWidth=1.5, strokeDash=[5, 3])
    spans: alt.Chart = rules.encode(x=alt.X("debut:T"), x2=alt.X2("fin:T"), y=_y(figure, "cible"))
    return spans


def _labels(figure: Figure, steps: alt.InlineData) -> list[alt.Chart]:
    running = is_running(figure)
    base = alt.Chart(steps).encode(x=alt.X("fin:T" if running else "debut:T"), y=_y(figure, "cible"))
    base = base.encode(text=alt.Text("cible:Q", format=",~r"))
    drawn = []
    for below in (False, True):
        style: dict[str, Any] = {"align": "right", "dx": -7} if running else {"align": "left", "dx": 2}
        style |= {"fontSize": 11, "baseline": "top" if below else "bottom", "dy": 4 if below else -3}
        placed = base.transform_filter(f"datum.dessous === {str(below).lower()}")
        drawn.append(placed.mark_text(**style, stroke="#fff", strokeWidth=3, strokeJoin="round", color="#fff"))
        drawn.append(placed.mark_text(**style, color=TARGET))
    return drawn


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


def _y(figure: Figure, field: str) -> alt.Y:
    axis = alt.Axis(
        tickCount=4, format=",~r", title=None, grid=True, gridColor=LINE, domain=False, ticks=False,
        labelColor=MUTED, labelFontSize=11, labelPadding=6,
    )  # fmt: skip
    if score := SCORE.fullmatch(figure.indicator.unit.fr):
        domain = [int(score[1]), int(score[2])]
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=domain, zero=False), axis=axis)
    return alt.Y(f"{field}:Q", scale=alt.Scale(zero=True), axis=axis)


def is_running(figure: Figure) -> bool:
    """Tell whether the figure is a total or a state to be reached by the year's end."""
    return figure.indicator.accumulation != "period"


def _place(cell: Cell, *, running: bool) -> str:
    """What runs stands at its period's end, a period's own value in its middle."""
    return _last_day(cell) if running else str(cell.start + (cell.end - cell.start) / 2)


def _last_day(cell: Cell) -> str:
    return str(cell.end - timedelta(days=1))
