"""The figures a reader sees: small cells taken out, ratios rounded, a plain word for each.

Only what counts people, or visits of people, is kept from view: offices, committees, projects and money are not.
What is guaranteed, each indicator taken alone, with counts below the threshold called small: no small count is shown;
no percentage with a small group, whether counted or not; no average of a small number of answers; no part that a total
minus the other parts shown would tell to be small, unless the total is itself; no two points of a running total that
differ by a small count. A ratio is given as a reader sees it, rounded, with the class of its denominator and no more.

What remains: a reader who knows a denominator from elsewhere can often find the numerator, and follow one person from
a quarter to the next. Two indicators about the same people, or a count at the edge of a class, can bound what neither
says. A year's own count of persons, beside the running total's growth, tells how many had come before: it may be small.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from tpm_pipeline.indicators.declared import COUNTED, CUMULS, Indicator
from tpm_pipeline.publications import suppression
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.publications.suppression import Counts
from tpm_pipeline.warehouse.db import Connection, rows

Secret = Literal["small", "protected"]
Status = Literal["sans_donnee", "sans_cible", "atteint", "bonne_voie", "retard", "non_atteint"]
Shown = tuple[list["Cell"], list["Cell"]]
# Percentages of fewer are whole: a decimal would tell the two groups.
WHOLE_BELOW = 100

_VALUES = """
select type_periode, periode, debut_date, fin_date, cumul, valeur, numerateur, denominateur, cible, progres,
    cible_a_date, nb_faits, nb_sans_identifiant, nb_sites_saisis, nb_sites_attendus
from indicators.valeur where code = ? and dimension = 'total' order by debut_date
"""


@dataclass(frozen=True)
class Cell:
    """A value for a half-open period, or why there is none: not known, or `secret`.

    `target` is the year's; `due` what was to be reached by the period's end, or by today.
    """

    period: str
    start: date
    end: date
    value: float | None
    numerator: int | None
    denominator: int | None
    target: float | None
    due: float | None
    progress: float | None
    facts: int
    without_id: int
    sites: int
    expected_sites: int
    secret: Secret | None = None

    def hidden(self, secret: Secret) -> "Cell":
        """The same cell without its figures."""
        return replace(self, value=None, numerator=None, denominator=None, progress=None, secret=secret)


@dataclass(frozen=True)
class Figure:
    """An indicator as shown: `year` is the latest reporting year begun, `in_year` its own count beside a running total.

    The trend is by month for running totals, else by quarter. Persons have no `in_year`: what it exceeds the
    total's growth by are those who came back, perhaps very few.
    """

    indicator: Indicator
    years: tuple[Cell, ...]
    trend: tuple[Cell, ...]
    in_year: Cell | None
    status: Status

    @property
    def year(self) -> Cell:
        """The latest reporting year begun."""
        return self.years[-1]

    @property
    def targeted(self) -> tuple[Cell, ...]:
        """The years whose target can stand beside the trend; what is counted by quarter is less than a year's."""
        by_quarter = self.indicator.accumulation == "period" and self.indicator.measure in (*COUNTED, "sum")
        return tuple(year for year in self.years if year.target is not None and not by_quarter)


def read(connection: Connection, context: PublicationContext) -> list[Figure]:
    """Every indicator that has a reporting year begun, in the framework's order."""
    found = [_figure(connection, context, indicator) for indicator in context.framework.indicators]
    return [figure for figure in found if figure is not None]


def _figure(connection: Connection, context: PublicationContext, indicator: Indicator) -> Figure | None:
    kept = rows(connection, _VALUES, [indicator.code])
    running = indicator.accumulation == "cumulative"
    cumul = CUMULS[indicator.accumulation]
    years = _cells(indicator, kept, "annee", cumul)
    if not years:
        return None
    trend = _cells(indicator, kept, "mois" if running else "trimestre", cumul)
    shown = _thin if running and indicator.personal else _protect
    shown_years, shown_trend = shown(indicator, years, trend, context.small_cell)
    tells_returns = indicator.personal and indicator.measure == "distinct"
    own_years = _cells(indicator, kept, "annee", "periode") if running and not tells_returns else []
    in_year = [_own(indicator, cell, context.small_cell) for cell in own_years[-1:]]
    return Figure(
        indicator,
        tuple(shown_years),
        tuple(shown_trend),
        in_year[0] if in_year else None,
        status(indicator, shown_years[-1], context.framework.thresholds.on_track, context.today),
    )


def _cells(indicator: Indicator, kept: Sequence[dict[str, Any]], kind: str, cumul: str) -> list[Cell]:
    return [_rounded(indicator, _cell(row)) for row in kept if row["type_periode"] == kind and row["cumul"] == cumul]


def _cell(row: dict[str, Any]) -> Cell:
    numerator, denominator = (
        None if row[name] is None else round(row[name]) for name in ("numerateur", "denominateur")
    )
    return Cell(
        *(row["periode"], row["debut_date"], row["fin_date"], row["valeur"], numerator, denominator),
        *(row["cible"], row["cible_a_date"], row["progres"], row["nb_faits"], row["nb_sans_identifiant"]),
        *(row["nb_sites_saisis"], row["nb_sites_attendus"]),
    )


def decimals(indicator: Indicator, cell: Cell) -> int:
    """The decimals a cell is shown with."""
    few = indicator.personal and indicator.measure == "percentage" and (cell.denominator or 0) < WHOLE_BELOW
    return 0 if few else indicator.decimals


def _rounded(indicator: Indicator, cell: Cell) -> Cell:
    """The cell as shown: a ratio's digits would tell its two terms. Rounding neither reaches a target nor leaves it."""
    if cell.value is None or indicator.measure in COUNTED:
        return cell
    digits, value = decimals(indicator, cell), cell.value
    shown = round(value, digits)
    if cell.target is not None and _reached(indicator, shown, cell.target) != _reached(indicator, value, cell.target):
        shown = round(shown + math.copysign(10**-digits, value - shown), digits)
    return replace(cell, value=shown, progress=_progress(indicator, cell, shown))


def _reached(indicator: Indicator, value: float, target: float) -> bool:
    return value >= target if indicator.direction == "increase" else value <= target


def _progress(indicator: Indicator, cell: Cell, value: float) -> float | None:
    if cell.progress is None or cell.target is None or indicator.baseline is None:
        return None
    start = indicator.baseline.value
    return (value - start) / (cell.target - start)


def counts(indicator: Indicator, cell: Cell) -> Counts:
    """The counts that showing a cell reveals; a percentage reveals its two groups."""
    if cell.value is None or not indicator.personal:
        return ()
    if indicator.measure in COUNTED:
        return (round(cell.value),)
    numerator, denominator = cell.numerator or 0, cell.denominator or 0
    return (denominator,) if indicator.measure == "average" else (numerator, denominator, denominator - numerator)


def _own(indicator: Indicator, cell: Cell, threshold: int) -> Cell:
    return cell.hidden("small") if suppression.is_hidden(counts(indicator, cell), threshold) else cell


def _protect(indicator: Indicator, years: list[Cell], trend: list[Cell], threshold: int) -> Shown:
    """A year's quarters add up to it when each counts its own period."""
    shown = [_own(indicator, cell, threshold) for cell in trend]
    for year in years if indicator.accumulation == "period" else []:
        within = [index for index, cell in enumerate(trend) if year.start <= cell.start < year.end]
        for position in suppression.protected([counts(indicator, trend[index]) for index in within], threshold):
            cell = shown[within[position]]
            shown[within[position]] = cell if cell.secret else cell.hidden("protected")
    return [_own(indicator, year, threshold) for year in years], shown


def _thin(indicator: Indicator, years: list[Cell], trend: list[Cell], threshold: int) -> Shown:
    """Two points of a running total tell their difference; the latest years are kept first."""
    known = [cell for cell in [*reversed(years), *trend] if cell.value is not None]
    secrets = {known[index] for index in suppression.thinned([round(cell.value or 0) for cell in known], threshold)}

    def shown(cell: Cell) -> Cell:
        own = _own(indicator, cell, threshold)
        return cell.hidden("protected") if cell in secrets and not own.secret else own

    return [shown(cell) for cell in years], [shown(cell) for cell in trend]


def status(indicator: Indicator, year: Cell, on_track: float, today: date) -> Status:
    """One plain word for the latest year: its target reached, or how far on the way expected by this date."""
    if year.value is None:
        return "sans_donnee"
    if year.target is None:
        return "sans_cible"
    if _reached(indicator, year.value, year.target):
        return "atteint"
    if year.end <= today:
        return "non_atteint"
    return "bonne_voie" if _is_on_track(indicator, year.value, year.due, on_track) else "retard"


def _is_on_track(indicator: Indicator, value: float, due: float | None, on_track: float) -> bool:
    """Tell whether a value has made most of the way from the baseline to what is due by now."""
    if due is None:
        return False
    start = indicator.baseline.value if indicator.baseline else 0
    return _reached(indicator, value, start + on_track * (due - start))
