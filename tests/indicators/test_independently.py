"""The values of random visits, computed a second time in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.indicators.conftest import Bench
from tpm_pipeline.indicators import calendar
from tpm_pipeline.indicators.declared import UNKNOWN
from tpm_pipeline.indicators.logframe import Logframe, Year

START, END = date(2020, 10, 1), date(2021, 2, 1)
OFFICES, SEXES = ["TIZ01", "CHT01", None], ["femme", "homme", "nr", None]


@dataclass(frozen=True)
class Visit:
    """One random visit; a person comes at most once a day."""

    day: int
    case: str | None
    sexe: str | None
    bureau: str | None
    services: tuple[str, ...]
    consent: bool

    @property
    def date(self) -> date:
        return START + timedelta(days=self.day)


VISITS = st.lists(
    st.builds(
        Visit,
        day=st.integers(-3, 126),
        case=st.sampled_from(["d1", "d2", "d3", "d4", None]),
        sexe=st.sampled_from(SEXES),
        bureau=st.sampled_from(OFFICES),
        services=st.lists(st.sampled_from(["retraite", "foncier"]), max_size=2).map(tuple),
        consent=st.booleans(),
    ),
    max_size=25,
    unique_by=lambda one: (one.day, one.case or object()),
)


def as_row(number: int, one: Visit) -> dict[str, Any]:
    return {
        "visite_id": f"v{number}",
        "date_visite": one.date,
        "dossier_uuid": one.case if one.consent else None,
        "consent_dossier": "oui" if one.consent else "non",
        "sexe": one.sexe,
        "bureau_code": one.bureau,
        "services": list(one.services),
    }


def split(found: Iterable[Visit], part: Callable[[Visit], str | None]) -> dict[str, float]:
    counted: defaultdict[str, float] = defaultdict(float)
    for one in found:
        counted[part(one) or UNKNOWN] += 1
    return dict(counted)


def persons(found: Iterable[Visit]) -> list[Visit]:
    """The latest visit of each person with an identifier."""
    latest = {one.case: one for one in sorted(found, key=lambda one: one.day) if one.consent and one.case}
    return list(latest.values())


@pytest.fixture
def short(bench: Bench) -> Logframe:
    """The framework cut to four months and three indicators."""
    span = bench.framework.project.model_copy(update={"start": START, "end": END})
    kept = [one for one in bench.framework.indicators if one.code in ("R1-2", "R1-3", "R1-4")]
    return bench.framework.model_copy(
        update={
            "project": span,
            "years": (Year(code="A1", start=START, end=END),),
            "indicators": tuple(one.model_copy(update={"targets": {}}) for one in kept),
        }
    )


@dataclass(frozen=True)
class Found:
    """The values of one computation, cell by cell."""

    cells: Mapping[Any, Any]

    def parts(self, code: str, period: str, cumul: str, dimension: str) -> dict[str, float]:
        wanted = (code, period, cumul, dimension)
        return {key[4]: cell[0] for key, cell in self.cells.items() if key[:4] == wanted and cell[0]}

    def total(self, code: str, period: str, cumul: str) -> float:
        return self.cells[code, period, cumul, "total", None][0] or 0


@given(visited=VISITS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_equal_an_independent_computation(bench: Bench, short: Logframe, visited: list[Visit]) -> None:
    bench.give({"marts.fct_visite": [as_row(number, one) for number, one in enumerate(visited)]})
    bench.compute(framework=short)
    found = Found(bench.cells())
    periods = calendar.periods(short, date(2030, 1, 1))
    for period in periods:
        for cumul, first in (("periode", period.start), ("cumulatif", START)):
            inside = [one for one in visited if first <= one.date < period.end]
            for code, counted in (("R1-2", inside), ("R1-3", persons(inside))):
                assert found.total(code, period.code, cumul) == len(counted)
                assert found.parts(code, period.code, cumul, "sexe") == split(counted, lambda one: one.sexe)
                assert found.parts(code, period.code, cumul, "bureau") == split(counted, lambda one: one.bureau)
            assert sum(found.parts("R1-2", period.code, cumul, "service").values()) >= len(inside)
        inside = [one for one in visited if period.start <= one.date < period.end and one.sexe in ("femme", "homme")]
        women = [one for one in persons(inside) if one.sexe == "femme"]
        assert found.cells["R1-4", period.code, "periode", "total", None][1:] == (len(women), len(persons(inside)))
    for code in ("R1-2", "R1-3"):
        running = [found.total(code, period.code, "cumulatif") for period in periods if period.kind == "mois"]
        assert running == sorted(running)
