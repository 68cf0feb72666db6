"""The lists that phones look into, as files, for a server that keeps none: as the warehouse knows them."""

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from tpm_pipeline.deploying.access import OWN_CASES
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms import entities
from tpm_pipeline.paths import LISTS
from tpm_pipeline.records import SharedList
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, lists
from tpm_pipeline.warehouse.lists import Entity

Source = tuple[str, Collection[str]]

_STATE, _OPEN, _OFFICE = "statut_dossier", "ouvert", "code_bureau"


def refuse_unfit(settings: Settings, sources: Iterable[Source]) -> None:
    """Refuse to give phones made-up cases, or lists made before all submissions of their sources came once.

    `sources` are the servers whose submissions make the lists, each with its forms.
    """
    if settings.synthetic_marker.exists():
        cause, remedy = "Its cases are made up: no phone may hold them.", "Choose the TPM_DATA of the real project."
        raise WarehouseError("WH-054", settings.data.name, cause, remedy)
    writing = {one.form_id for one in entities.read_all()}
    with db.reading(settings) as connection:
        for server, forms in sources:
            for form_id in sorted(writing & {*forms}):
                lists.refuse_unread(connection, server, form_id)


def rebuilt(settings: Settings, offices: Collection[str]) -> list[SharedList]:
    """Every list, its cases those of these offices only."""
    with db.reading(settings) as connection:
        return read(connection, offices)


def read(connection: db.Connection, offices: Collection[str]) -> list[SharedList]:
    """Rebuild each list that forms both write and read; of cases, only those of these offices."""
    declared = entities.read_all()
    found = []
    for name in sorted({one.list_name for one in declared}):
        file = LISTS / f"{name}.csv"
        if file.is_file():
            header, seed = _begun(file)
            known = lists.rebuild(connection, [one for one in declared if one.list_name == name], seed)
            found.append(_shared(name, header, known, offices))
    return found


def _begun(file: Path) -> tuple[Sequence[str], list[Entity]]:
    """The columns that phones may have, and the rows a list begins with."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        return reader.fieldnames or (), [*reader]


def _shared(name: str, header: Sequence[str], known: Iterable[Entity], offices: Collection[str]) -> SharedList:
    """Write a list; of cases only the open ones, and to each office its own."""
    code = next(column for column in header if column.startswith("code_"))
    ordered = sorted(known, key=lambda entity: (entity.get(code, ""), entity["name"]))
    if name not in OWN_CASES:
        return SharedList(name, _written(header, ordered))
    cases = [case for case in ordered if case.get(_STATE) == _OPEN and case.get(_OFFICE) in offices]
    own = {office: [case for case in cases if case[_OFFICE] == office] for office in offices}
    return SharedList(name, _written(header, cases), {office: _written(header, rows) for office, rows in own.items()})


def _written(header: Sequence[str], entities: Iterable[Entity]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(entities)
    return text.getvalue().encode()
