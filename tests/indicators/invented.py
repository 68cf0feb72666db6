"""Indicators of a test's own: facts written row by row, and a declaration changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest

from tests.indicators.conftest import AFTER, Bench
from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.declared import CUMULS, Accumulation, Disaggregation, Indicator
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.warehouse.db import literal, quoted

CODE = "R1-2"
_TYPES = {
    "event_date": "date",
    "recorded": "integer",
    "in_numerator": "boolean",
    "value": "decimal(18, 6)",
    "weight": "decimal(18, 6)",
}
_WORDS = {"fr": "mots", "ar": "كلمات", "en": "words"}

Fact = Mapping[str, Any]
Site = tuple[str, str]


def fact(unit: str | None, day: str, **more: Any) -> dict[str, Any]:
    """One fact; the later it is written, the later it was recorded, unless it says so itself."""
    return {"unit_id": unit, "event_date": day, "source_id": None, **more}


def changed(framework: Logframe, code: str, **changes: Any) -> Logframe:
    """The framework with one declaration changed, and no other."""
    one = next(one for one in framework.indicators if one.code == code)
    made = Indicator.model_validate({**one.model_dump(), **changes})
    return framework.model_copy(update={"indicators": (made,)})


def sql(facts: Sequence[Fact], parts: Disaggregation) -> str:
    """A query that gives these facts."""
    names = [*dict.fromkeys(name for row in facts for name in row if name not in ("unit_id", *parts.dimensions))]
    types = {"unit_id": "varchar", **{name: _TYPES.get(name, "varchar") for name in names}}
    types |= {**dict.fromkeys(parts.exclusive, "varchar"), **dict.fromkeys(parts.multiple, "varchar[]")}
    return "\nunion all ".join(
        "select " + ", ".join(f"{_written(row.get(name))}::{kind} as {quoted(name)}" for name, kind in types.items())
        for row in facts
    )


def _written(value: Any) -> str:
    match value:
        case None:
            return "null"
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case _:
            return literal(str(value))


@dataclass(frozen=True)
class Invented:
    """An indicator in the place of one of ours: what its facts say."""

    bench: Bench
    accumulation: Accumulation

    def line(self, period: str, cumul: Accumulation | None = None, **part: str) -> dict[str, Any]:
        """One cell: the total unless a part is named, the declared accumulation unless another is."""
        return self.bench.line(CODE, period, cumul=CUMULS[cumul or self.accumulation], **part)

    def __call__(self, period: str, cumul: Accumulation | None = None, **part: str) -> float | None:
        """The value of one cell."""
        found: float | None = self.line(period, cumul, **part)["value"]
        return found

    def parts(self, period: str, dimension: str, cumul: Accumulation | None = None) -> dict[str, float | None]:
        """The value of every part."""
        return self.bench.parts(CODE, period, dimension, cumul=CUMULS[cumul or self.accumulation])


@dataclass(frozen=True)
class Inventor:
    """Computes what facts say under a declaration."""

    bench: Bench
    monkeypatch: pytest.MonkeyPatch
    framework: Logframe | None = None

    def __call__(
        self, facts: Sequence[Fact], *, sites: Sequence[Site] | None = None, today: date = AFTER, **declared: Any
    ) -> Invented:
        """A count of every fact in its period, unless declared otherwise; an office reports each fact, unless given."""
        changes = {
            "measure": "count",
            "accumulation": "period",
            "as_of": "event",
            "disaggregation": {},
            "numerator": _WORDS,
            "denominator": _WORDS,
            **declared,
        }
        framework = changed(self.framework or self.bench.framework, CODE, **changes)
        (indicator,) = framework.indicators
        reported = [("TIZ01", one["event_date"]) for one in facts] if sites is None else sites
        self.bench.report(reported)
        numbered = [{"recorded": number, **one} for number, one in enumerate(facts)]
        before = [fact(None, "1999-01-01")]  # Facts have columns even where there is none in the project.
        query = sql(numbered or before, indicator.disaggregation)
        self.monkeypatch.setattr(logframe, "query", lambda *_: query)
        self.bench.compute(CODE, today=today, framework=framework)
        return Invented(self.bench, indicator.accumulation)
