"""What a reader may see of the values, and the word that sums them up."""

from dataclasses import replace
from datetime import date

import pytest

from tpm_pipeline.indicators.logframe import Indicator, Logframe
from tpm_pipeline.publications import figures
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.publications.figures import Cell, Figure
from tpm_pipeline.warehouse import db

Found = dict[str, Figure]
DURING = date(2023, 1, 1)


def secrets(cells: tuple[Cell, ...]) -> dict[str, str]:
    return {cell.period: cell.secret for cell in cells if cell.secret}


def test_the_figure_of_an_indicator_is_its_latest_reporting_year(found: Found) -> None:
    assert {code: (figure.year.period, figure.year.value) for code, figure in found.items()} == {
        "OC1-1": ("A3", pytest.approx(100 * 285 / 468)),
        "OC1-2": ("A3", 4.31),
        "R1-2": ("A3", 3684),
        "R1-3": ("A3", 1916),
        "R1-4": ("A3", pytest.approx(100 * 329 / 767)),
        "R1-5": ("A3", None),
    }


def test_a_running_total_is_followed_by_month_and_others_by_quarter(found: Found) -> None:
    assert [len(found[code].trend) for code in ("R1-2", "R1-3", "R1-4", "OC1-1")] == [39, 39, 13, 13]


def test_a_running_total_also_says_the_years_own_count(found: Found) -> None:
    assert found["R1-2"].in_year is not None
    assert found["R1-2"].in_year.value == 2288
    assert found["R1-4"].in_year is None


def test_small_cells_are_hidden_and_so_is_what_would_tell_them(found: Found) -> None:
    assert secrets(found["R1-4"].trend) == {"2020-T4": "small", "2021-T1": "protected"}
    assert secrets(found["R1-2"].trend) == {"2020-10": "small"}
    assert secrets(found["R1-3"].trend) == {"2020-10": "small", "2020-11": "small"}


def test_the_latest_state_adds_up_to_nothing_so_only_small_cells_are_hidden(found: Found) -> None:
    assert secrets(found["OC1-1"].trend) == {"2021-T1": "small"}


def test_a_hidden_cell_keeps_no_figure(found: Found) -> None:
    hidden = found["R1-4"].trend[0]
    assert (hidden.value, hidden.numerator, hidden.denominator, hidden.progress) == (None, None, None, None)


def test_missing_is_not_hidden(found: Found) -> None:
    assert secrets(found["OC1-2"].trend) == {}
    assert [cell.period for cell in found["OC1-2"].trend if cell.value is None] == ["2020-T4", "2021-T3"]


def test_a_year_too_close_to_the_next_gives_way_to_it(connection: db.Connection, context: PublicationContext) -> None:
    connection.execute("""
        update indicators.valeur set valeur = case periode when 'A2' then 3682 else 3684 end
        where code = 'R1-2' and cumul = 'cumulatif' and periode in ('A2', '2022-09', 'A3', '2023-12')
    """)
    figure = {figure.indicator.code: figure for figure in figures.read(connection, context)}["R1-2"]
    assert [cell.secret for cell in figure.years] == [None, "protected", None]


def test_an_indicator_without_a_year_begun_is_not_shown(connection: db.Connection, context: PublicationContext) -> None:
    connection.execute("delete from indicators.valeur where code = 'R1-2'")
    assert "R1-2" not in [figure.indicator.code for figure in figures.read(connection, context)]


def test_a_finished_year_has_reached_its_target_or_not(found: Found) -> None:
    assert {code: figure.status for code, figure in found.items()} == {
        "OC1-1": "non_atteint",
        "OC1-2": "atteint",
        "R1-2": "atteint",
        "R1-3": "non_atteint",
        "R1-4": "non_atteint",
        "R1-5": "sans_donnee",
    }


@pytest.mark.parametrize(
    ("code", "value", "progress", "expected"),
    [
        ("R1-2", 3500, 1.0, "atteint"),
        # 92 of the year's 457 days: 1 700 + 0.2013 × 1 800 = 2 062 visits are expected by the first of January.
        ("R1-2", 1900, 1900 / 3500, "bonne_voie"),
        ("R1-2", 1850, 1850 / 3500, "retard"),
        # A percentage does not grow with the days: nine tenths of the whole way.
        ("R1-5", 72, 72 / 80, "bonne_voie"),
        ("R1-5", 71, 71 / 80, "retard"),
        ("R1-4", 44, None, "retard"),
        ("R1-4", None, None, "sans_donnee"),
    ],
)
def test_in_a_year_under_way_the_word_says_how_far(
    code: str, value: float | None, progress: float | None, expected: str, found: Found
) -> None:
    years = [*found[code].years[:-1], replace(found[code].year, value=value, progress=progress)]
    assert figures.status(found[code].indicator, years, DURING) == expected


def test_a_decreasing_indicator_reaches_its_target_from_above(found: Found, framework: Logframe) -> None:
    falling: Indicator = framework.indicators[0].model_copy(update={"direction": "decrease"})
    year = replace(found["OC1-1"].year, value=60.0, target=65.0)
    assert figures.status(falling, [year], DURING) == "atteint"


def test_without_a_target_no_word_judges(found: Found) -> None:
    year = replace(found["R1-2"].year, target=None, progress=None)
    assert figures.status(found["R1-2"].indicator, [year], DURING) == "sans_cible"
