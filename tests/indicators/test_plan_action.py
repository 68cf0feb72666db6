"""The action plan: one plan in the logical framework, on the phones and in the facts."""

import csv
import re

from tpm_pipeline.indicators import logframe
from tpm_pipeline.paths import LISTS, WAREHOUSE

FRAMEWORK = logframe.read()


def test_phones_carry_the_plan_of_the_logical_framework() -> None:
    with (LISTS / "activites.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert listed == [
        {
            "name": one.code,
            "label": f"{one.code} {one.names.fr} / {one.names.ar}",
            "resultat": one.result,
            "date_fin_prevue": one.end.isoformat(),
        }
        for one in FRAMEWORK.activities
    ]


def test_the_plan_has_twenty_one_activities_within_the_project() -> None:
    assert len(FRAMEWORK.activities) == 21
    for activity in FRAMEWORK.activities:
        assert FRAMEWORK.project.start <= activity.start < activity.end < FRAMEWORK.project.end


def test_every_result_is_planned_and_measured() -> None:
    assert {one.result for one in FRAMEWORK.activities} == FRAMEWORK.results.keys()
    assert {one.result for one in FRAMEWORK.indicators} == {*FRAMEWORK.results, *FRAMEWORK.objectives}


def test_every_line_of_the_job_profile_is_measured() -> None:
    measured = {line for one in FRAMEWORK.indicators for line in one.lines}
    assert measured == {line.code for line in FRAMEWORK.profile}


def test_states_known_from_the_start_are_dated_the_first_day_of_the_project() -> None:
    found = {
        path.stem: re.findall(r"date '([-0-9]+)'", path.read_text(encoding="utf-8"))
        for path in (WAREHOUSE / "indicators").glob("*.sql")
    }
    assert {code: days for code, days in found.items() if days} == {
        "IMP-1": [FRAMEWORK.project.start.isoformat()],
        "R5-3": [FRAMEWORK.project.start.isoformat()],
    }


def test_targets_are_marked_illustrative_and_given_for_every_year() -> None:
    years = [year.code for year in FRAMEWORK.years]
    assert all((list(one.targets), one.targets_status) == (years, "illustrative") for one in FRAMEWORK.indicators)
