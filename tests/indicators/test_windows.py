"""The windows of time a value is counted in: whole months, numbered from the project's first."""

from datetime import date

from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.windows import last_day, month_number, windows
from tpm_pipeline.records import Period

FRAMEWORK = logframe.read()
AFTER = date(2030, 1, 1)


def months(period: str, today: date = AFTER) -> dict[str, tuple[int, int]]:
    found = [one for one in windows(FRAMEWORK, today) if one.period.code == period]
    return {one.accumulation: (one.first, one.following) for one in found}


def test_months_are_numbered_from_the_projects_first() -> None:
    start = FRAMEWORK.project.start
    assert [month_number(start, day) for day in (start, date(2020, 10, 31), date(2021, 1, 1))] == [0, 0, 3]


def test_each_accumulation_starts_somewhere_else_and_all_end_with_the_period() -> None:
    assert months("2021-12") == {
        "period": (14, 15),
        "cumulative": (0, 15),
        "year_to_date": (12, 15),
        "latest": (0, 15),
    }


def test_a_semester_across_two_reporting_years_counts_the_one_it_ends_in() -> None:
    assert months("2021-S2")["period"] == (9, 15)
    assert months("2021-S2")["year_to_date"] == (12, 15)


def test_a_period_under_way_ends_with_this_month() -> None:
    assert months("A1", date(2021, 2, 15))["period"] == (0, 5)
    assert months("projet", date(2021, 2, 15))["year_to_date"] == (0, 5)
    assert months("projet")["year_to_date"] == (24, 39)


def test_the_last_day_is_the_periods_or_today() -> None:
    period = Period("2021-01", "mois", date(2021, 1, 1), date(2021, 2, 1))
    assert last_day(period, AFTER) == date(2021, 1, 31)
    assert last_day(period, date(2021, 1, 9)) == date(2021, 1, 9)
