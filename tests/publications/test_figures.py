"""What a reader may see of the values, and the word that sums them up."""

from dataclasses import replace
from datetime import date

import pytest

from tpm_pipeline.indicators.logframe import Logframe
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
        "OC1-1": ("A3", 60.9),
        "OC1-2": ("A3", 4.31),
        "R1-2": ("A3", 3684),
        "R1-3": ("A3", 1916),
        "R1-4": ("A3", 42.9),
        "R1-5": ("A3", None),
        "R2-2": ("A3", 10),
        "R5-1": ("A3", 71.4),
        "OC3-2": ("A3", 1),
    }


def test_a_running_total_is_followed_by_month_and_others_by_quarter(found: Found) -> None:
    assert [len(found[code].trend) for code in ("R1-2", "R1-3", "R1-4", "OC1-1")] == [39, 39, 13, 13]


def test_a_running_total_also_says_the_years_own_count(found: Found) -> None:
    assert found["R1-2"].in_year is not None
    assert found["R1-2"].in_year.value == 2288
    assert found["R1-4"].in_year is None
    assert found["R1-3"].in_year is None  # it would tell how many came back


def test_small_cells_are_hidden_and_so_is_what_would_tell_them(found: Found) -> None:
    assert secrets(found["R1-4"].trend) == {"2020-T4": "small", "2021-T1": "protected"}
    assert secrets(found["R1-2"].trend) == {"2020-10": "small"}
    assert secrets(found["R1-3"].trend) == {"2020-10": "small", "2020-11": "small"}


def test_the_latest_state_adds_up_to_nothing_so_only_small_cells_are_hidden(found: Found) -> None:
    assert secrets(found["OC1-1"].trend) == {"2021-T1": "small"}


def test_a_hidden_cell_keeps_no_figure(found: Found) -> None:
    hidden = found["R1-4"].trend[0]
    assert (hidden.value, hidden.numerator, hidden.denominator, hidden.progress) == (None, None, None, None)


def test_two_neighbouring_states_of_few_people_do_not_tell_who_was_added(
    connection: db.Connection, context: PublicationContext
) -> None:
    """10 of 20, 11 of 21, 11 of 22: one referral, then its outcome."""
    states = {"2021-T2": (10, 20), "2021-T3": (11, 21), "2021-T4": (11, 22), "2022-T1": (63, 125)}
    for period, (numerator, denominator) in states.items():
        connection.execute(
            "update indicators.valeur set valeur = 100 * $1 / $2, numerateur = $1, denominateur = $2"
            " where code = 'OC1-1' and periode = $3",
            [numerator, denominator, period],
        )
    figure = {figure.indicator.code: figure for figure in figures.read(connection, context)}["OC1-1"]
    shown = {cell.period: cell.value for cell in figure.trend}
    assert [shown[period] for period in states] == [50, 52, 50, 50.4]


def test_a_ratio_has_no_more_digits_than_are_shown(found: Found) -> None:
    """All the digits of 285/468 would tell both its terms, to a reader of the chart's coordinates."""
    for code, digits in (("OC1-1", 1), ("R1-4", 1), ("OC1-2", 2)):
        values = [cell.value for cell in (*found[code].years, *found[code].trend) if cell.value is not None]
        assert values == [round(value, digits) for value in values]
    assert found["OC1-1"].year.progress == pytest.approx(60.9 / 65)


@pytest.mark.parametrize(
    ("numerator", "denominator", "target", "shown"),
    [(31, 48, 65.0, 64), (47, 72, 65.0, 65), (30, 46, 65.2, 66), (649_999, 1_000_000, 65.0, 64.9), (31, 48, None, 65)],
)
def test_rounding_neither_reaches_a_target_nor_leaves_it(
    numerator: int, denominator: int, target: float | None, shown: float, found: Found
) -> None:
    value = 100 * numerator / denominator
    cell = replace(found["OC1-1"].year, value=value, numerator=numerator, denominator=denominator, target=target)
    assert figures._rounded(found["OC1-1"].indicator, cell).value == shown


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
        "R2-2": "non_atteint",
        "R5-1": "non_atteint",
        "OC3-2": "atteint",
    }


def test_only_counts_of_people_are_protected(found: Found) -> None:
    """Two projects are two projects; three committees of four are three of four."""
    assert secrets((*found["R2-2"].years, *found["R2-2"].trend)) == {}
    assert found["R2-2"].trend[0].value == 2
    assert found["R2-2"].in_year is not None
    assert [cell.value for cell in found["R5-1"].trend[:2]] == [75, 75]


@pytest.mark.parametrize(
    ("code", "value", "due", "expected"),
    [
        ("R1-2", 3500, 2062, "atteint"),
        # 92 of the year's 457 days: 1 700 + 0.2013 × 1 800 = 2 062 visits are expected by the first of January.
        ("R1-2", 1900, 2062, "bonne_voie"),
        ("R1-2", 1850, 2062, "retard"),
        # A percentage of a period does not grow with the days: nine tenths of the whole way.
        ("R1-5", 72, 80, "bonne_voie"),
        ("R1-5", 71, 80, "retard"),
        # Without a baseline the way starts from nothing.
        ("R1-4", 44, 45, "bonne_voie"),
        ("R1-4", 40, 45, "retard"),
        ("R1-4", None, 45, "sans_donnee"),
        ("R1-2", 1900, None, "retard"),
    ],
)
def test_in_a_year_under_way_the_word_says_how_far(
    code: str, value: float | None, due: float | None, expected: str, found: Found
) -> None:
    year = replace(found[code].year, value=value, due=due)
    assert figures.status(found[code].indicator, year, 0.9, DURING) == expected


def test_a_decreasing_indicator_reaches_its_target_from_above(found: Found, framework: Logframe) -> None:
    falling = next(one for one in framework.indicators if one.code == "OC1-1").model_copy(
        update={"direction": "decrease"}
    )
    year = replace(found["OC1-1"].year, value=60.0, target=65.0)
    assert figures.status(falling, year, 0.9, DURING) == "atteint"


def test_without_a_target_no_word_judges(found: Found) -> None:
    year = replace(found["R1-2"].year, target=None, progress=None)
    assert figures.status(found["R1-2"].indicator, year, 0.9, DURING) == "sans_cible"


def test_a_yearly_target_stands_beside_quarters_only_where_they_compare(found: Found) -> None:
    """A quarter's organisations are not a share of the year's: a line at the target would call every quarter late."""
    assert [year.period for year in found["R1-4"].targeted] == ["A1", "A2", "A3"]
    by_quarter = found["R2-2"].indicator.model_copy(update={"accumulation": "period"})
    assert replace(found["R2-2"], indicator=by_quarter).targeted == ()
