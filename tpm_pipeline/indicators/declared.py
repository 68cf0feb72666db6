"""An indicator as declared in its `.yml`, and what in it would contradict itself."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Measure = Literal["count", "distinct", "sum", "percentage", "ratio", "average", "latest", "yes_no", "qualitative"]
Accumulation = Literal["period", "cumulative", "year_to_date", "latest"]

CUMULS: Final[Mapping[Accumulation, str]] = {
    "period": "periode",
    "cumulative": "cumulatif",
    "year_to_date": "annee_en_cours",
    "latest": "dernier",
}
UNKNOWN: Final = "non_renseigne"
OF_PERSONS: Final = ("sexe", "age", "groupe", "categorie")
COUNTED: Final = ("count", "distinct", "qualitative")
DIVIDED: Final = ("percentage", "ratio", "average")
SPOKEN: Final = ("latest", "yes_no")


class Declared(BaseModel):
    """A declaration: every field is known, and none changes once read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Declared):
    """A text in the three languages of the project."""

    fr: str = Field(min_length=1)
    ar: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Baseline(Declared):
    """The value before the project; absent is not zero."""

    value: float
    date: date
    source: str


class Disaggregation(Declared):
    """Columns whose parts sum to the total (exclusive), or lists whose parts may exceed it (multiple)."""

    exclusive: tuple[str, ...] = ()
    multiple: tuple[str, ...] = ()
    crosses: tuple[tuple[str, ...], ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All of them, without the crosses."""
        return self.exclusive + self.multiple


class Example(Declared):
    """Given rows of marts, the values to expect: a test that an expert can read."""

    name: str
    given: Mapping[str, tuple[Mapping[str, Any], ...]]
    expect: tuple[Mapping[str, Any], ...]


class Change(Declared):
    """What a version changed."""

    version: int
    date: date
    what: Words


class Indicator(Declared):
    """One indicator: what it measures and how; its facts come from the SQL beside it.

    `as_of` says which fact speaks for a unit that has several in a window: every one
    (event), the first or the latest by `event_date`, then by the facts' `recorded`.
    A version kept for comparison has its own file and code: `R1-3.v1`.
    """

    code: str = Field(pattern=r"^[A-Z]+\d*-\d+(\.v\d+)?$")
    version: int = Field(ge=1)
    valid_from: date
    valid_to: date | None = None
    level: Literal["impact", "outcome", "output", "activity"]
    result: str
    names: Words
    definition: Words
    inclusions: Words | None = None
    exclusions: Words | None = None
    rationale: Words | None = None
    limitations: Words | None = None
    unit: Words
    counts: Words
    measure: Measure
    accumulation: Accumulation
    as_of: Literal["event", "first", "latest"]
    reporting: Literal["bureaux", "equipe"]
    personal: bool
    publishable: bool
    direction: Literal["increase", "decrease"]
    frequency: str
    decimals: int = Field(ge=0, le=6)
    numerator: Words | None = None
    denominator: Words | None = None
    baseline: Baseline | None = None
    targets: Mapping[str, float] = Field(default_factory=dict)
    targets_status: Literal["illustrative"] | None = None
    disaggregation: Disaggregation = Disaggregation()
    forms: tuple[str, ...] = Field(min_length=1)
    lines: tuple[str, ...] = Field(min_length=1)
    verification: str
    assumption: str
    responsible: str
    changes: tuple[Change, ...] = ()
    examples: tuple[Example, ...]

    @property
    def accumulations(self) -> tuple[Accumulation, ...]:
        """The declared one, and beside a running total what it grew by in the year and in the period."""
        beside: Mapping[Accumulation, tuple[Accumulation, ...]] = {
            "cumulative": ("year_to_date", "period"),
            "year_to_date": ("period",),
        }
        return (self.accumulation, *beside.get(self.accumulation, ()))


def contradictions(indicator: Indicator) -> Iterator[str]:
    """Say what in the way an indicator is computed does not go together."""
    measure, accumulation, as_of = indicator.measure, indicator.accumulation, indicator.as_of
    if accumulation == "latest" and as_of == "event":
        yield "The accumulation latest keeps one fact per unit: say with as_of whether the first or the latest"
    if measure in SPOKEN and as_of != "latest":
        yield f"The measure {measure} is what the latest fact says: as_of must be latest"
    if measure in SPOKEN and accumulation not in ("latest", "period"):
        yield f"The measure {measure} adds nothing up: its accumulation is latest or period"
    if measure == "count" and as_of != "event":
        yield "The measure count counts every fact: as_of must be event, or the measure distinct"
    if measure in DIVIDED and not (indicator.numerator and indicator.denominator):
        yield f"The measure {measure} divides: say in words what by what, as numerator and denominator"
    if bool(indicator.targets) != bool(indicator.targets_status):
        yield "Targets and targets_status go together"
    if indicator.valid_to is not None and indicator.valid_to <= indicator.valid_from:
        yield "It stops being valid (valid_to) before it starts (valid_from)"
    if indicator.code.partition(".v")[2] not in ("", str(indicator.version)):
        yield f"The version of {indicator.code} is not {indicator.version}"
    if told := [name for name in indicator.disaggregation.dimensions if name in OF_PERSONS and not indicator.personal]:
        yield f"What is told apart by {', '.join(told)} is about people: personal must be true"
    yield from _of_parts(indicator.disaggregation)


def _of_parts(parts: Disaggregation) -> Iterator[str]:
    yield from (f"The dimension {name} is named twice" for name in _twice(parts.dimensions))
    yield from (f"The cross {'*'.join(cross)} is named twice" for cross in _twice(parts.crosses))
    for cross in parts.crosses:
        if len(set(cross)) <= 1:
            yield f"The cross of {', '.join(cross)} needs two dimensions"
        if unknown := [name for name in cross if name not in parts.dimensions]:
            yield f"The cross {'*'.join(cross)} names what is no dimension: {', '.join(unknown)}"


def _twice(names: Sequence[Any]) -> list[Any]:
    return [name for position, name in enumerate(names) if name in names[:position]]
