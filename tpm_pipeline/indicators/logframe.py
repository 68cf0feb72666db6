"""The logical framework as declared in `warehouse/`: calendar, chain of results, action plan, indicators."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from pydantic import Field, ValidationError

from tpm_pipeline.errors import IndicatorError
from tpm_pipeline.forms import catalog
from tpm_pipeline.indicators.declared import (
    Accumulation,
    Baseline,
    Declared,
    Disaggregation,
    Example,
    Indicator,
    Words,
    contradictions,
)
from tpm_pipeline.paths import WAREHOUSE

__all__ = ["Accumulation", "Baseline", "Disaggregation", "Example", "Indicator", "Logframe", "Words", "query", "read"]

Model = TypeVar("Model", bound=Declared)
WHOLE: Final = 100


class Year(Declared):
    """A reporting year, half-open."""

    code: str
    start: date
    end: date


class Project(Declared):
    """The project's name and its half-open span."""

    names: Words
    start: date
    end: date


class Result(Declared):
    """What the project brings about, the objective it serves, and what must hold for it to."""

    names: Words
    objective: str
    assumptions: tuple[Words, ...] = ()


class Activity(Declared):
    """An activity of the action plan; `weight` is its share of the plan, `end` its last day."""

    code: str
    names: Words
    result: str
    weight: float = Field(gt=0)
    start: date
    end: date
    lines: tuple[str, ...]


class Line(Declared):
    """A line of the job profile, and the forms that record it."""

    code: str
    text: Words
    forms: tuple[str, ...]


class Thresholds(Declared):
    """The share of the way to what is due, from which an indicator is on track."""

    on_track: float


class Logframe(Declared):
    """The whole framework."""

    project: Project
    years: tuple[Year, ...]
    objectives: Mapping[str, Words]
    results: Mapping[str, Result]
    activities: tuple[Activity, ...]
    profile: tuple[Line, ...]
    thresholds: Thresholds
    indicators: tuple[Indicator, ...] = ()

    @property
    def chain(self) -> Mapping[str, Words]:
        """The name of every objective and, after each, of the results that serve it; those of the topmost end it."""
        named: dict[str, Words] = {}
        topmost = next(iter(self.objectives), "")
        for code, words in self.objectives.items():
            named |= {code: words, **(self._serving(code) if code != topmost else {})}
        return named | self._serving(topmost)

    def _serving(self, objective: str) -> dict[str, Words]:
        return {code: result.names for code, result in self.results.items() if result.objective == objective}


def read(folder: Path = WAREHOUSE) -> Logframe:
    """Read `logframe.yml` and every indicator beside it, or say which file and field is wrong."""
    declared = _load(folder / "logframe.yml", Logframe)
    _check_calendar(declared)
    _check_plan(declared)
    found = []
    for path in sorted((folder / "indicators").glob("*.yml")):
        indicator = _load(path, Indicator)
        _check(declared, indicator, path)
        found.append(indicator)
    return declared.model_copy(update={"indicators": tuple(found)})


def query(indicator: Indicator, folder: Path = WAREHOUSE) -> str:
    """The SQL of an indicator's facts."""
    return (folder / "indicators" / f"{indicator.code}.sql").read_text(encoding="utf-8")


def _load(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise IndicatorError(
            "IND-001", f"{path.name}, {field}", f"{first['msg']}.", "Correct the declaration."
        ) from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        problem = getattr(error, "problem", None) or "unknown"
        raise IndicatorError(
            "IND-002", f"{path.name}, line {line}", f"The YAML cannot be read: {problem}.", "Correct it."
        ) from None
    except FileNotFoundError:
        raise IndicatorError("IND-003", path.name, "The file is missing.", "Restore it from the repository.") from None


def _check_calendar(declared: Logframe) -> None:
    """Refuse years that leave a gap or cut a month: every figure is a sum of whole months."""
    starts = [*(year.start for year in declared.years), declared.project.end]
    ends = [declared.project.start, *(year.end for year in declared.years)]
    is_forward = all(one < other for one, other in pairwise(starts))
    if starts != ends or not is_forward or any(day.day != 1 for day in starts):
        raise IndicatorError(
            "IND-007",
            "logframe.yml, years",
            "The reporting years do not follow each other, in whole months, from the project's start to its end.",
            "Let each year start where the one before ends, on the first day of a month.",
        )


def _check_plan(declared: Logframe) -> None:
    """Refuse a chain or an action plan that names what does not exist, or whose weights are no shares of a whole."""
    if wrong := next(_plan_faults(declared), None):
        raise IndicatorError("IND-008", "logframe.yml", f"{wrong}.", "Correct the chain or the action plan.")


def _plan_faults(declared: Logframe) -> Iterator[str]:
    for what, codes in (("activity", declared.activities), ("line of the job profile", declared.profile)):
        yield from (f"The {what} {code} is there twice" for code in _twice(one.code for one in codes))
    for code, result in declared.results.items():
        if result.objective not in declared.objectives:
            yield f"The result {code} serves an unknown objective, {result.objective}"
    for line in declared.profile:
        if unknown := _unknown_forms(line.forms):
            yield f"The line {line.code} names unknown forms: {', '.join(unknown)}"
    yield from _activity_faults(declared)


def _activity_faults(declared: Logframe) -> Iterator[str]:
    lines = {line.code for line in declared.profile}
    for activity in declared.activities:
        if activity.result not in declared.results:
            yield f"The activity {activity.code} names an unknown result, {activity.result}"
        if unknown := sorted(set(activity.lines) - lines):
            yield f"The activity {activity.code} names unknown lines of the job profile: {', '.join(unknown)}"
        if activity.end < activity.start:
            yield f"The activity {activity.code} ends before it starts"
    total = sum(activity.weight for activity in declared.activities)
    if round(total, 6) != WHOLE:
        yield f"The weights of the activities sum to {total:g}, not {WHOLE}"


def _check(declared: Logframe, indicator: Indicator, path: Path) -> None:
    _check_beside(indicator, path)
    _check_names(declared, indicator)
    if wrong := next(contradictions(indicator), None):
        raise IndicatorError("IND-009", path.name, f"{wrong}.", "Correct the declaration.")


def _check_beside(indicator: Indicator, path: Path) -> None:
    if indicator.code != path.stem:
        raise IndicatorError(
            "IND-012", path.name, f"It declares {indicator.code}.", "Give the file the indicator's code as its name."
        )
    if not path.with_suffix(".sql").exists():
        raise IndicatorError("IND-004", path.name, f"{path.stem}.sql is missing.", "Write the query of its facts.")


def _check_names(declared: Logframe, indicator: Indicator) -> None:
    where = f"{indicator.code}.yml"
    if indicator.result not in {*declared.objectives, *declared.results}:
        raise IndicatorError("IND-005", where, f"The result {indicator.result} is unknown.", "Add it to logframe.yml.")
    if unknown := sorted(set(indicator.targets) - {year.code for year in declared.years}):
        raise IndicatorError(
            "IND-006", where, f"Targets name unknown years: {', '.join(unknown)}.", "Use the years of logframe.yml."
        )
    lines = {line.code for line in declared.profile}
    if unknown := sorted(set(indicator.lines) - lines) + _unknown_forms(indicator.forms):
        raise IndicatorError(
            "IND-013",
            where,
            f"No form and no line of the job profile is called {', '.join(unknown)}.",
            "Name folders of forms/ under forms, codes of the profile of logframe.yml under lines.",
        )


def _unknown_forms(forms: Sequence[str]) -> list[str]:
    return sorted(set(forms) - set(catalog.form_ids()))


def _twice(codes: Iterable[Any]) -> list[Any]:
    return [code for code, times in Counter(codes).items() if times > 1]
