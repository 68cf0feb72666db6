"""The offices phones belong to, from the list the forms are answered with."""

import csv
from dataclasses import dataclass
from pathlib import Path

from tpm_pipeline.paths import LISTS

_OPEN = "actif"


@dataclass(frozen=True)
class Office:
    """An office, as its people call it in French and Arabic."""

    code: str
    fr: str
    ar: str
    is_open: bool


def read(lists: Path = LISTS) -> dict[str, Office]:
    """Every office by its code."""
    with (lists / "bureaux.csv").open(encoding="utf-8-sig", newline="") as file:
        found = [_office(row) for row in csv.DictReader(file)]
    return {office.code: office for office in found}


def _office(row: dict[str, str]) -> Office:
    french, _, arabic = row["label"].partition(" / ")
    return Office(row["code_bureau"], french.strip(), (arabic or french).strip(), row["statut_bureau"] == _OPEN)
