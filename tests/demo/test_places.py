import csv
from datetime import date

from tpm_pipeline.demo import places
from tpm_pipeline.demo.weights import OFFICES
from tpm_pipeline.paths import WAREHOUSE


def test_project_years_are_those_of_the_logframe() -> None:
    days = [date(2020, 10, 1), date(2021, 9, 30), date(2021, 10, 1), date(2022, 9, 30), date(2022, 10, 1)]
    assert [places.project_year(day) for day in days] == [0, 0, 1, 1, 2]


def test_an_office_works_on_weekdays_once_it_is_open() -> None:
    assert places.next_open_day("TIZ01", date(2020, 10, 1)) == date(2020, 11, 2)
    assert places.next_open_day("TIZ01", date(2021, 1, 2)) == date(2021, 1, 4)


def test_a_closed_office_is_waited_for_until_the_project_ends() -> None:
    assert places.next_open_day("TAR01", date(2021, 12, 20)) == date(2022, 2, 14)
    assert places.next_open_day("TAR01", date(2023, 12, 30)) is None


def test_offices_open_one_after_the_other() -> None:
    assert places.open_offices(date(2020, 10, 1)) == ["TAR01"]
    assert len(places.open_offices(date(2023, 1, 11))) == 7
    assert "TIZ03" not in places.open_offices(date(2023, 2, 6))


def test_a_commune_is_in_its_province() -> None:
    assert "09.541.01.11" in places.communes("MA-TAR")
    assert "09.541.01.11" not in places.communes("MA-TIZ")


def test_an_office_opens_on_the_day_its_data_are_expected_from() -> None:
    with (WAREHOUSE / "reference" / "bureaux.csv").open(encoding="utf-8", newline="") as file:
        expected = {row["code_bureau"]: date.fromisoformat(row["attendu_depuis"]) for row in csv.DictReader(file)}

    assert {office.code: office.opened for office in OFFICES} == expected


def test_an_office_hands_its_cases_over_in_its_last_two_months() -> None:
    days = (date(2022, 12, 5), date(2022, 12, 8), date(2023, 2, 3))
    assert [places.closes_soon("TIZ03", day) for day in days] == [False, True, True]
    assert not places.closes_soon("TIZ01", date(2023, 12, 29))


def test_the_team_works_on_weekdays_until_the_end() -> None:
    days = (date(2021, 3, 5), date(2021, 3, 6), date(2023, 12, 30))
    assert [places.workday(day) for day in days] == [date(2021, 3, 5), date(2021, 3, 8), places.END]


def test_months_are_told_by_their_first_day() -> None:
    assert places.month_after(date(2021, 11, 23), 3) == date(2022, 2, 1)
    assert places.months(date(2021, 11, 23), date(2022, 1, 2)) == [
        date(2021, 11, 1),
        date(2021, 12, 1),
        date(2022, 1, 1),
    ]


def test_a_commune_has_a_name() -> None:
    assert places.commune_name("09.581.01.07") == "Tiznit"
