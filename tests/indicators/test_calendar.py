"""The periods an indicator is reported for."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from tpm_pipeline.indicators import calendar, logframe
from tpm_pipeline.records import Period

FRAMEWORK = logframe.read()
AFTER = date(2030, 1, 1)


def of_kind(kind: str, today: date = AFTER) -> list[Period]:
    return [period for period in calendar.periods(FRAMEWORK, today) if period.kind == kind]


@pytest.mark.parametrize("kind", ["mois", "trimestre", "semestre", "annee"])
def test_periods_of_a_kind_follow_each_other_and_cover_the_project(kind: str) -> None:
    periods = of_kind(kind)
    assert periods[0].start == FRAMEWORK.project.start
    assert periods[-1].end == FRAMEWORK.project.end
    assert all(one.end == other.start for one, other in pairwise(periods))
    assert len({period.code for period in periods}) == len(periods)


def test_periods_have_the_names_people_give_them() -> None:
    assert [period.code for period in of_kind("mois")][:4] == ["2020-10", "2020-11", "2020-12", "2021-01"]
    assert [period.code for period in of_kind("trimestre")][:3] == ["2020-T4", "2021-T1", "2021-T2"]
    assert [period.code for period in of_kind("semestre")][:3] == ["2020-S2", "2021-S1", "2021-S2"]
    assert [period.code for period in of_kind("annee")] == ["A1", "A2", "A3"]
    assert of_kind("projet") == [Period("projet", "projet", date(2020, 10, 1), date(2024, 1, 1))]


def test_no_two_periods_share_a_name() -> None:
    codes = [period.code for period in calendar.periods(FRAMEWORK, AFTER)]
    assert len(set(codes)) == len(codes)


def test_a_project_that_starts_in_mid_semester_cuts_its_first_periods() -> None:
    assert of_kind("semestre")[0] == Period("2020-S2", "semestre", date(2020, 10, 1), date(2021, 1, 1))
    span = FRAMEWORK.project.model_copy(update={"start": date(2021, 2, 15), "end": date(2021, 5, 10)})
    cut = FRAMEWORK.model_copy(update={"project": span, "years": ()})
    assert calendar.periods(cut, AFTER) == [
        Period("2021-02", "mois", date(2021, 2, 15), date(2021, 3, 1)),
        Period("2021-03", "mois", date(2021, 3, 1), date(2021, 4, 1)),
        Period("2021-04", "mois", date(2021, 4, 1), date(2021, 5, 1)),
        Period("2021-05", "mois", date(2021, 5, 1), date(2021, 5, 10)),
        Period("2021-T1", "trimestre", date(2021, 2, 15), date(2021, 4, 1)),
        Period("2021-T2", "trimestre", date(2021, 4, 1), date(2021, 5, 10)),
        Period("2021-S1", "semestre", date(2021, 2, 15), date(2021, 5, 10)),
        Period("projet", "projet", date(2021, 2, 15), date(2021, 5, 10)),
    ]


def test_a_period_exists_from_its_first_day() -> None:
    assert [period.code for period in of_kind("mois", date(2020, 11, 30))] == ["2020-10", "2020-11"]
    assert [period.code for period in of_kind("mois", date(2020, 12, 1))] == ["2020-10", "2020-11", "2020-12"]
    assert calendar.periods(FRAMEWORK, FRAMEWORK.project.start - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("utc", "clock"),
    [
        (datetime(2026, 11, 20, 12, tzinfo=UTC), "2026-11-20 12:00"),
        (datetime(2026, 9, 20, 0, 59, tzinfo=UTC), "2026-09-20 01:59"),
        (datetime(2026, 9, 20, 1, 0, tzinfo=UTC), "2026-09-20 01:00"),
        (datetime(2025, 11, 20, 12, tzinfo=UTC), "2025-11-20 13:00"),
    ],
)
def test_moroccos_clock_is_the_one_of_recent_data(utc: datetime, clock: str) -> None:
    assert f"{utc.astimezone(calendar.MOROCCO):%Y-%m-%d %H:%M}" == clock


def test_the_systems_time_zones_are_not_believed(tmp_path: Path) -> None:
    zone = tmp_path / "Africa" / "Casablanca"
    zone.parent.mkdir()
    zone.write_bytes((files("tzdata") / "zoneinfo" / "Pacific" / "Auckland").read_bytes())
    program = (
        "from datetime import UTC, datetime; from zoneinfo import ZoneInfo;"
        "noon = datetime(2026, 11, 20, 12, tzinfo=UTC);"
        "print(noon.astimezone(ZoneInfo('Africa/Casablanca')).hour);"
        "from tpm_pipeline.indicators import calendar; print(noon.astimezone(calendar.MOROCCO).hour)"
    )
    environment = {"PYTHONTZPATH": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["1", "12"]


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        (datetime(2025, 11, 20, 23, 30, tzinfo=UTC), date(2025, 11, 21)),
        (datetime(2026, 11, 20, 23, 30, tzinfo=UTC), date(2026, 11, 20)),
    ],
)
def test_today_is_the_day_in_morocco(utc: datetime, day: date, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return utc.astimezone(tz)  # type: ignore[arg-type]

    monkeypatch.setattr(calendar, "datetime", Stopped)
    assert calendar.today() == day
