"""The logical framework as declared in `warehouse/`: calendar, results, indicators."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.paths import WAREHOUSE

Accumulation = Literal["period", "cumulative", "latest"]
Model = TypeVar("Model", bound="_Declared")


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Declared):
    """A text in the three languages of the project."""

    fr: str
    ar: str
    en: str


class Baseline(_Declared):
    """The value before the project; absent is not zero."""

    value: float
    date: date


class Disaggregation(_Declared):
    """Columns whose parts sum to the total (exclusive), or lists whose parts may exceed it (multiple)."""

    exclusive: tuple[str, ...] = ()
    multiple: tuple[str, ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """All of them."""
        return self.exclusive + self.multiple


class Example(_Declared):
    """Given rows of marts, the values to expect: a test that an expert can read."""

    name: str
    given: Mapping[str, tuple[Mapping[str, Any], ...]]
    expect: tuple[Mapping[str, Any], ...]


class Indicator(_Declared):
    """One indicator: what it measures and how; its facts come from the SQL beside it.

    `as_of` says which fact speaks for a unit that has several in a period: every one
    (event), the first or the latest by `event_date`, then by the facts' `recorded`.
    """

    code: str
    level: Literal["impact", "outcome", "output", "activity"]
    result: str
    names: Words
    definition: Words
    unit: Words
    measure: Literal["count", "distinct", "percentage", "average"]
    accumulation: Accumulation
    as_of: Literal["event", "first", "latest"]
    direction: Literal["increase", "decrease"]
    frequency: str
    decimals: int
    numerator: Words | None = None
    denominator: Words | None = None
    baseline: Baseline | None = None
    targets: Mapping[str, float] = Field(default_factory=dict)
    disaggregation: Disaggregation = Disaggregation()
    forms: tuple[str, ...]
    verification: str
    assumption: str
    responsible: str
    examples: tuple[Example, ...]

    @property
    def accumulations(self) -> tuple[Accumulation, ...]:
        """The declared accumulation, and the period's own figure beside a running total."""
        return ("cumulative", "period") if self.accumulation == "cumulative" else (self.accumulation,)


class Year(_Declared):
    """A reporting year, half-open."""

    code: str
    start: date
    end: date


class Project(_Declared):
    """The project's name and its half-open span."""

    names: Words
    start: date
    end: date


class Logframe(_Declared):
    """The whole framework."""

    project: Project
    years: tuple[Year, ...]
    results: Mapping[str, Words]
    indicators: tuple[Indicator, ...] = ()


def read(folder: Path = WAREHOUSE) -> Logframe:
    """Read `logframe.yml` and every indicator beside it, or say which file and field is wrong."""
    declared = _load(folder / "logframe.yml", Logframe)
    found = [_load(path, Indicator) for path in sorted((folder / "indicators").glob("*.yml"))]
    for indicator in found:
        _check(declared, indicator, folder)
    return declared.model_copy(update={"indicators": tuple(found)})


def query(indicator: Indicator, folder: Path = WAREHOUSE) -> str:
    """The SQL of an indicator's facts."""
    return (folder / "indicators" / f"{indicator.code}.sql").read_text(encoding="utf-8")


def _load(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise IndicatorError(
            "IND-001", f"{path.name}, {field}", f"{first['msg']}.", "Correct the declaration."
        ) from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise IndicatorError(
            "IND-002", f"{path.name}, line {line}", "The YAML cannot be read.", "Correct it."
        ) from None
    except FileNotFoundError:
        raise IndicatorError("IND-003", path.name, "The file is missing.", "Restore it from the repository.") from None


def _check(declared: Logframe, indicator: Indicator, folder: Path) -> None:
    where = f"{indicator.code}.yml"
    years = {year.code for year in declared.years}
    if not (folder / "indicators" / f"{indicator.code}.sql").exists():
        raise IndicatorError("IND-004", where, f"{indicator.code}.sql is missing.", "Write the query of its facts.")
    if indicator.result not in declared.results:
        raise IndicatorError("IND-005", where, f"The result {indicator.result} is unknown.", "Add it to logframe.yml.")
    if unknown := sorted(set(indicator.targets) - years):
        raise IndicatorError(
            "IND-006", where, f"Targets name unknown years: {', '.join(unknown)}.", "Use the years of logframe.yml."
        )
