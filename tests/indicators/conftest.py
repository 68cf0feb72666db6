"""The real marts, empty, to be given rows; and what the indicators then say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tpm_pipeline.forms import catalog
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.indicators import compute, logframe
from tpm_pipeline.indicators.declared import CUMULS, Example, Indicator
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.records import FormVersion
from tpm_pipeline.warehouse import build, db, graph, raw

AFTER = date(2030, 1, 1)
_MEASURED = {
    "value": "valeur",
    "numerator": "numerateur",
    "denominator": "denominateur",
    "without_id": "nb_sans_identifiant",
    "progress": "progres",
    "target": "cible",
    "due": "cible_a_date",
    "facts": "nb_faits",
    "reporting": "nb_sites_saisis",
    "expected": "nb_sites_attendus",
}


@dataclass(frozen=True)
class Bench:
    """The marts of the real forms, and the indicators computed from the rows they are given."""

    connection: db.Connection
    models: Sequence[graph.Model]
    framework: Logframe = field(default_factory=logframe.read)

    def give(self, given: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Fill marts with exactly these rows; those that no form fills by itself follow, unless given."""
        for model in self.models:
            self.connection.execute(f"delete from {model.full_name}")
            for row in given.get(model.full_name, ()):
                columns, marks = ", ".join(map(db.quoted, row)), ", ".join("?" * len(row))
                self.connection.execute(
                    f"insert into {model.full_name} ({columns}) values ({marks})", list(row.values())
                )
            if model.full_name not in given and not any(table.startswith("staging.") for table in model.reads):
                self.connection.execute(f"insert into {model.full_name} {model.sql}")

    def report(self, sites: Sequence[tuple[str, str]]) -> None:
        """Let these sites, and no others, have registered something on these days."""
        self.connection.execute("delete from marts.fct_saisie")
        if sites:
            self.connection.executemany(
                "insert into marts.fct_saisie (site_code, est_bureau, saisie_date) values ($1, $1 <> 'equipe', $2)",
                sites,
            )

    def compute(self, *codes: str, today: date = AFTER, framework: Logframe | None = None) -> None:
        """Compute these indicators, or all of them."""
        whole = framework or self.framework
        kept = tuple(one for one in whole.indicators if not codes or one.code in codes)
        compute.compute(self.connection, whole.model_copy(update={"indicators": kept}), today)

    def line(self, code: str, period: str, *, cumul: str | None = None, **part: str) -> dict[str, Any]:
        """One cell with the names examples use: the declared accumulation, the total unless a part is named."""
        ((dimension, value),) = part.items() or (("total", None),)
        declared = next(one.accumulation for one in self.framework.indicators if one.code == code)
        found = db.rows(
            self.connection,
            "from indicators.valeur where (code, periode, cumul, dimension) = (?, ?, ?, ?)"
            " and part is not distinct from ?",
            [code, period, cumul or CUMULS[declared], dimension, value],
        )
        assert len(found) <= 1, f"{code} {period} {part}: {len(found)} rows"
        return {name: found[0][column] if found else None for name, column in _MEASURED.items()}

    def value(self, code: str, period: str, *, cumul: str | None = None, **part: str) -> float | None:
        """The value of one cell."""
        found: float | None = self.line(code, period, cumul=cumul, **part)["value"]
        return found

    def parts(self, code: str, period: str, dimension: str, *, cumul: str) -> dict[str, float | None]:
        """The value of every part of a dimension."""
        found = self.connection.execute(
            "select part, valeur from indicators.valeur where (code, periode, dimension, cumul) = (?, ?, ?, ?)",
            [code, period, dimension, cumul],
        )
        return dict(found.fetchall())

    def cells(self) -> dict[tuple[str, str, str, str, str | None], tuple[float | None, float | None, float | None]]:
        """Value, numerator and denominator by code, period, accumulation, dimension and part."""
        found = self.connection.execute(
            "select code, periode, cumul, dimension, part, valeur, numerateur, denominateur from indicators.valeur"
        )
        return {tuple(row[:5]): tuple(row[5:]) for row in found.fetchall()}

    def differences(self, indicator: Indicator, example: Example) -> list[str]:
        """What an example expects and does not get, in words."""
        self.give(example.given)
        self.compute(indicator.code)
        return [text for row in example.expect for text in self._differences(indicator, row)]

    def _differences(self, indicator: Indicator, row: Mapping[str, Any]) -> Iterator[str]:
        expected = dict(row)
        period, accumulation = expected.pop("period"), expected.pop("accumulation", indicator.accumulation)
        part = {name: expected.pop(name) for name in indicator.disaggregation.dimensions if name in expected}
        found = self.line(indicator.code, str(period), cumul=CUMULS[accumulation], **part)
        for name, wanted in expected.items():
            got = found[name]
            if (got is None) != (wanted is None) or (got is not None and round(float(got), 4) != round(wanted, 4)):
                yield f"{row}: {name} is {got}, not {wanted}"


@pytest.fixture(scope="session")
def emptied() -> Iterator[Bench]:
    """The marts of the real forms, built once."""
    forms = [compile_form(catalog.path_of(form_id), "central", validate=False)[0] for form_id in catalog.form_ids()]
    with db.memory() as connection:
        raw.create(connection)
        raw.store_versions(connection, "test", [FormVersion(form.form_id, form.version, form.xform) for form in forms])
        build.build(connection, build.schemas(connection, catalog.form_ids()), (b"\x36" * 64, b"\x5c" * 64))
        yield Bench(connection, graph.ordered(graph.read(connection, "marts", WAREHOUSE / "marts")))


@pytest.fixture
def bench(emptied: Bench) -> Bench:
    """Marts without rows, but for the offices."""
    emptied.give({})
    return emptied


@pytest.fixture
def declared(tmp_path: Path) -> Path:
    """A copy of the declarations, to be spoilt."""
    (tmp_path / "indicators").mkdir()
    for path in [WAREHOUSE / "logframe.yml", *(WAREHOUSE / "indicators").iterdir()]:
        (tmp_path / path.relative_to(WAREHOUSE)).write_bytes(path.read_bytes())
    return tmp_path
