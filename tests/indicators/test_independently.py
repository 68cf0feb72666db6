"""The values of random visits, and of random facts of every kind, computed a second time in plain Python."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.indicators.conftest import AFTER, Bench
from tests.indicators.invented import CODE, Inventor, fact
from tpm_pipeline.indicators import calendar
from tpm_pipeline.indicators.declared import CUMULS, SPOKEN, UNKNOWN, Accumulation, Disaggregation
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


def compared(parts: Disaggregation) -> Disaggregation:
    """The dimensions looked at here, of those there are."""
    kept = tuple(name for name in ("sexe", "bureau") if name in parts.exclusive)
    return Disaggregation(exclusive=kept, multiple=parts.multiple)


@pytest.fixture
def short(bench: Bench) -> Logframe:
    """The framework cut to four months and three indicators."""
    span = bench.framework.project.model_copy(update={"start": START, "end": END})
    kept = [one for one in bench.framework.indicators if one.code in ("R1-2", "R1-3", "R1-4")]
    return bench.framework.model_copy(
        update={
            "project": span,
            "years": (Year(code="A1", start=START, end=END),),
            "indicators": tuple(
                one.model_copy(update={"targets": {}, "disaggregation": compared(one.disaggregation)}) for one in kept
            ),
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
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


HALF = date(2021, 1, 1)
PARTS = {"exclusive": ["lieu"], "multiple": ["theme"], "crosses": [["lieu", "theme"]]}
DIMENSIONS = ("total", "lieu", "theme", "lieu*theme")
Terms = tuple[float | None, float | None]


@dataclass(frozen=True)
class Way:
    """How an indicator is computed, and which columns its facts have."""

    measure: str
    as_of: str
    accumulation: Accumulation
    columns: tuple[str, ...] = ()

    @property
    def is_sought_in_each_part(self) -> bool:
        return self.measure in SPOKEN or (self.measure, self.as_of) == ("distinct", "event")


WAYS = [
    Way("count", "event", "cumulative", ("in_numerator",)),
    Way("sum", "event", "year_to_date", ("value",)),
    Way("distinct", "event", "year_to_date", ("in_numerator",)),
    Way("distinct", "first", "cumulative"),
    Way("distinct", "latest", "latest", ("in_numerator",)),
    Way("percentage", "event", "year_to_date", ("in_numerator",)),
    Way("percentage", "first", "period", ("in_numerator",)),
    Way("percentage", "latest", "latest", ("in_numerator",)),
    Way("percentage", "latest", "latest", ("value", "weight")),
    Way("ratio", "first", "cumulative", ("value", "weight")),
    Way("average", "latest", "latest", ("value",)),
    Way("average", "event", "period", ("value", "weight")),
    Way("latest", "latest", "latest", ("value",)),
    Way("yes_no", "latest", "period", ("in_numerator",)),
]


@dataclass(frozen=True)
class Told:
    """One random fact; of those of a day, the later written was recorded later."""

    rank: int
    day: date
    unit: str | None
    lieu: str | None
    theme: tuple[str, ...]
    in_numerator: bool
    value: float | None
    weight: float | None

    def parts(self, dimension: str) -> list[str | None]:
        own = {"lieu": [self.lieu or UNKNOWN], "theme": sorted({*self.theme}) or [UNKNOWN]}
        return [None] if dimension == "total" else ["*".join(p) for p in product(*map(own.get, dimension.split("*")))]  # type: ignore[arg-type]


NUMBERS = st.none() | st.integers(0, 12).map(lambda n: n / 10)
TOLD = st.lists(
    st.tuples(
        st.integers(-3, 95).map(lambda days: START + timedelta(days=days)),
        st.sampled_from(["u1", "u2", "u3", None]),
        st.sampled_from(["a", "b", None]),
        st.lists(st.sampled_from(["x", "y"]), max_size=2).map(tuple),
        st.booleans(),
        NUMBERS,
        NUMBERS,
    ),
    max_size=12,
).map(lambda rows: [Told(rank, *row) for rank, row in enumerate(rows)])


def speaking(way: Way, facts: Iterable[Told]) -> list[Told]:
    """The facts that speak: all, or one for each unit; those without a unit stand alone, or are as any other."""
    ordered = sorted(facts, key=lambda one: (one.day, one.rank), reverse=way.as_of == "first")
    if way.measure in SPOKEN:
        return ordered[-1:]
    by_unit = {one.unit or one.rank: one for one in ordered}
    return ordered if way.as_of == "event" else [*by_unit.values()]


def terms(way: Way, facts: list[Told]) -> Terms:
    """Numerator and denominator."""
    hits = [one for one in facts if one.in_numerator or "in_numerator" not in way.columns]
    answers = [one.value for one in facts if one.value is not None]
    match way.measure:
        case "count":
            return len(hits), None
        case "distinct":
            return len({one.unit for one in hits if one.unit}), None
        case "sum" | "latest":
            return sum(answers), None
        case "percentage" | "yes_no" if "weight" not in way.columns:
            return len(hits), len(facts)
    weights = sum(one.weight or 0 for one in facts) if "weight" in way.columns else len(answers)
    return sum(answers), weights


def figure(way: Way, facts: list[Told]) -> float | None:
    above, below = terms(way, facts)
    if way.measure == "latest" and [one.value for one in facts] in ([], [None]):
        return None
    if above is None or below is None:
        return above
    return round(above / below * (100 if way.measure == "percentage" else 1), 6) if round(below, 6) else None


def by_part(way: Way, facts: list[Told], dimension: str) -> dict[str | None, float | None]:
    """What a computation by hand finds, where something is found."""
    found: defaultdict[str | None, list[Told]] = defaultdict(list)
    for one in facts if way.is_sought_in_each_part else speaking(way, facts):
        for part in one.parts(dimension):
            found[part].append(one)
    said = {part: figure(way, speaking(way, kept)) for part, kept in found.items()}
    return {part: value for part, value in said.items() if value is not None}


@given(told=TOLD, way=st.sampled_from(WAYS))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_way_to_compute_equals_an_independent_computation(
    bench: Bench, short: Logframe, monkeypatch: pytest.MonkeyPatch, told: list[Told], way: Way
) -> None:
    years = (Year(code="A1", start=START, end=HALF), Year(code="A2", start=HALF, end=END))
    framework = short.model_copy(update={"years": years})
    names = ("lieu", *way.columns)
    facts = [
        fact(one.unit, str(one.day), theme=[*one.theme], **{name: getattr(one, name) for name in names}) for one in told
    ]
    facts.append(fact("avant", "1999-01-01", **dict.fromkeys(names)))  # Every column is there, whatever was drawn.
    declared: dict[str, Any] = {
        "measure": way.measure,
        "as_of": way.as_of,
        "accumulation": way.accumulation,
        "disaggregation": PARTS,
    }
    with monkeypatch.context() as patched:
        Inventor(bench, patched, framework)(facts, **declared)
    cells = bench.cells()
    starts = {"period": None, "cumulative": START, "latest": START}
    for period in calendar.periods(framework, AFTER):
        year = max(one.start for one in years if one.start < period.end)
        start = {**starts, "year_to_date": year}[way.accumulation] or period.start
        inside = [one for one in told if start <= one.day < period.end]
        for dimension in DIMENSIONS:
            key = (CODE, period.code, CUMULS[way.accumulation], dimension)
            found = {place[4]: cell[0] for place, cell in cells.items() if place[:4] == key}
            wanted = by_part(way, inside, dimension)
            shown = {part: round(value or 0, 6) for part, value in found.items() if value or part in wanted}
            assert shown == {part: pytest.approx(value) for part, value in wanted.items() if value or part in found}
