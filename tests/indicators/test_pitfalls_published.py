"""Pitfalls seen from end to end: from what phones sent (11) to what a reader of the figures may work out (4, 13)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.indicators.conftest import AFTER, Bench
from tests.indicators.invented import changed
from tests.warehouse import real
from tests.warehouse.lab import Lab, Row
from tpm_pipeline.indicators import compute, logframe
from tpm_pipeline.publications import figures
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.publications.figures import Figure
from tpm_pipeline.warehouse import db, raw

FRAMEWORK = logframe.read()
SMALL = 5


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with db.memory() as connection:
        raw.create(connection)
        yield Lab(connection, tmp_path)


def sent(key: str, day: str, submitted: str) -> Row:
    answers = {"date_visite": day, "consent_dossier": "non", "bureau_code": "TIZ01"}
    return Row(key, real.placed("tpm_visite", answers), submitted=f"{submitted}T10:00:00.000Z")


def by_month(lab: Lab, instant: datetime | None = None) -> dict[str, float]:
    """The visits of each month; as they were known at an instant, from a second warehouse, unless it is now."""
    if instant is not None:
        known = lab.connection.execute("from raw.as_of(?::timestamp)", [instant]).fetchall()
        with db.memory() as connection:
            raw.create(connection)
            marks = ", ".join("?" * len(known[0]))
            connection.executemany(f"insert into raw.submission values ({marks})", known)
            return by_month(Lab(connection, lab.folder))
    real.deploy(lab)
    real.rebuild(lab)
    compute.compute(lab.connection, changed(FRAMEWORK, "R1-2"), AFTER)
    found = lab.connection.execute(
        "select periode, valeur from indicators.valeur"
        " where (type_periode, cumul, dimension) = ('mois', 'periode', 'total') and valeur > 0"
    )
    return dict(found.fetchall())


def test_11_the_report_already_handed_in_can_be_told_again_beside_the_figure_of_today(lab: Lab) -> None:
    first, second = sent("uuid:1", "2021-01-10", "2021-01-10"), sent("uuid:2", "2021-01-20", "2021-01-20")
    lab.store(first, second, form_id="tpm_visite")
    (reported,) = lab.column("select max(observed_at) from raw.submission")
    moved = replace(sent("uuid:2", "2021-02-20", "2021-01-20"), instance_id="uuid:2bis")
    late = sent("uuid:3", "2021-01-30", "2021-04-15")
    later = sent("uuid:4", "2021-01-31", "2021-04-15")
    lab.store(moved, late, later, form_id="tpm_visite")
    assert by_month(lab) == {"2021-01": 3, "2021-02": 1}
    assert by_month(lab, reported) == {"2021-01": 2}
    in_time = lab.column(
        "select count(*) from marts.fct_visite"
        " where date_visite < '2021-02-01' and submitted_at < timestamp '2021-03-31 00:00:00'"
    )
    assert in_time == [1]  # wrong: leaving out what came late does not undo what was edited


def shown(bench: Bench, *codes: str, today: date = AFTER) -> dict[str, Figure]:
    """The figures a reader sees of what was computed last."""
    kept = tuple(one for one in bench.framework.indicators if one.code in codes)
    framework = bench.framework.model_copy(update={"indicators": kept})
    context = PublicationContext(framework, datetime(2026, 1, 1, tzinfo=UTC), today, synthetic=True, small_cell=SMALL)
    return {figure.indicator.code: figure for figure in figures.read(bench.connection, context)}


def received(month: str, women: int, men: int) -> list[dict[str, Any]]:
    """Visits of as many new persons."""
    people = [(f"{month}-f{n}", "femme") for n in range(women)] + [(f"{month}-h{n}", "homme") for n in range(men)]
    common = {"consent_dossier": "oui", "date_visite": f"{month}-10", "bureau_code": "TIZ01"}
    return [{"visite_id": case, "dossier_uuid": case, "sexe": sexe, **common} for case, sexe in people]


def test_4_no_data_is_neither_late_nor_missed_and_half_a_year_is_judged_as_half_a_year(bench: Bench) -> None:
    spring = date(2021, 3, 31)
    bench.compute("R1-2", today=spring)
    assert shown(bench, "R1-2", today=spring)["R1-2"].status == "sans_donnee"
    bench.give({"marts.fct_visite": received("2021-01", 150, 100)})
    bench.compute("R1-2", today=spring)
    figure = shown(bench, "R1-2", today=spring)["R1-2"]
    assert figure.status == "bonne_voie"
    assert figure.year.value == 250
    assert figure.year.target == 500  # wrong: 250 of 500 is below 0.7, and would look late


def test_13_a_hidden_quarter_does_not_come_back_from_its_year(bench: Bench) -> None:
    quarters = {"2021-01": (20, 20), "2021-04": (3, 27), "2021-07": (12, 18)}
    bench.give({"marts.fct_visite": [row for month, people in quarters.items() for row in received(month, *people)]})
    bench.compute("R1-4")
    figure = shown(bench, "R1-4")["R1-4"]
    year, trend = figure.years[0], {cell.period: cell for cell in figure.trend}
    assert year.numerator == 35
    assert year.numerator - 20 - 12 == 3  # wrong: hiding the small quarter alone leaves it to be found
    assert (trend["2021-T2"].secret, trend["2021-T3"].secret) == ("small", "protected")
    assert year.numerator - sum(cell.numerator or 0 for cell in trend.values()) == 15


def test_13_a_small_month_does_not_come_back_from_two_points_of_a_running_total(bench: Bench) -> None:
    new = {"2021-01": 20, "2021-02": 2, "2021-03": 9}
    bench.give({"marts.fct_visite": [row for month, n in new.items() for row in received(month, n, 0)]})
    bench.compute("R1-3")
    running = [bench.value("R1-3", month) or 0 for month in new]
    assert running == [20, 22, 31]
    assert running[1] - running[0] == 2  # wrong: each of the two may be shown, but not both
    told = sorted({cell.value for cell in shown(bench, "R1-3")["R1-3"].trend if cell.value is not None})
    assert len(told) > 1
    assert all(after - before >= SMALL for before, after in pairwise(told))


def test_13_the_digits_of_a_rate_do_not_tell_of_how_many(bench: Bench) -> None:
    bench.give({"marts.fct_visite": received("2021-01", 13, 28)})
    bench.compute("R1-4")
    exact, rounded = bench.value("R1-4", "2021-T1"), shown(bench, "R1-4")["R1-4"].trend[1].value

    def sizes(value: float | None, digits: int) -> list[int]:
        """The groups of up to sixty persons in which some number of women makes this percentage."""
        return [of for of in range(1, 61) if any(round(100 * n / of, digits) == value for n in range(of + 1))]

    assert exact is not None
    assert sizes(round(exact, 3), 3) == [41]  # wrong: the full digits tell that they were forty-one
    assert rounded == 32
    assert len(sizes(rounded, 0)) > 10


def test_13_what_is_hidden_keeps_neither_its_terms_nor_its_progress(bench: Bench) -> None:
    bench.give({"marts.fct_visite": received("2021-01", 2, 30)})
    bench.compute("R1-4")
    hidden = shown(bench, "R1-4")["R1-4"].trend[1]
    assert bench.value("R1-4", "2021-T1") == 6.25
    assert (hidden.value, hidden.numerator, hidden.denominator, hidden.progress) == (None, None, None, None)
