"""Entity lists of Central: declared and given the rows that come with the forms, each office its own cases."""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Change, CompiledForm
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_steps import ALREADY_THERE, NOT_FOUND, OFFICE, Step
from tpm_pipeline.servers.steps import counted

_DELETED = "409.19"
_OWN = ("name", "label")
_OWN_CASES = {"type": "property", "rules": [{"datasetProperty": OFFICE, "actorProperty": OFFICE}]}

Row = Mapping[str, str]


@dataclass(frozen=True)
class _List:
    """A list some form writes, with the columns and the rows of the file that comes with it."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def steps(api: CentralApi, project: int | None, forms: Sequence[CompiledForm]) -> Iterator[Step]:
    """What declares each list and adds the rows it never had; rows it has or had live on the server."""
    for wanted in _wanted(forms):
        held = _held(api, project, wanted.name)
        known = _known(api, project, wanted.name) if held else set()
        missing = [row for row in wanted.rows if not known & {row["name"], _uuid(api, project, row)}]
        columns = [name for name in wanted.columns if name not in _columns(held)]
        if held and not missing and not columns:
            continue
        brings = [f"columns {', '.join(columns)}"] if columns and held else []
        brings += [counted(len(missing), "row")] if missing else []
        line = f"list {wanted.name}" + (f": {', '.join(brings)}" if brings else "")
        change = Change("update" if held else "create", line)
        yield Step(change, partial(_fill, api, wanted.name, columns, missing, fresh=not known))


def sharing(api: CentralApi, project: int | None, name: str) -> Iterator[Step]:
    """What gives each office its own cases of a list, and nobody else's."""
    held = _held(api, project, name)
    found, line = (held or {}).get("accessFilter"), f"list {name}: each office receives its own rows only"
    if found is None:
        yield Step(Change("update", line), partial(_share, api, name))
    elif found != _OWN_CASES:
        yield Step(Change("drift", f"{line}, instead of the filter somebody set"), partial(_share, api, name))
    if held and held["approvalRequired"]:
        what = f"list {name}: submissions would make rows at once again, without waiting for an approval"
        yield Step(Change("drift", what), partial(_approve, api, name))


def _wanted(forms: Iterable[CompiledForm]) -> list[_List]:
    files = {file.name: file.content for form in forms for file in form.media}
    names = dict.fromkeys(name for form in forms for name in form.entity_lists)
    return [_read(name, files[f"{name}.csv"]) for name in names if f"{name}.csv" in files]


def _read(name: str, content: bytes) -> _List:
    reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    rows = tuple(reader)
    return _List(name, tuple(column for column in reader.fieldnames or () if column not in _OWN), rows)


def _held(api: CentralApi, project: int | None, name: str) -> Mapping[str, Any] | None:
    if project is None:
        return None
    held: Mapping[str, Any] | None = api.get(address("projects", project, "datasets", name), tolerate=(NOT_FOUND,))
    return held


def _columns(held: Mapping[str, Any] | None) -> set[str]:
    return {str(column["name"]) for column in (held or {}).get("properties", ())}


def _known(api: CentralApi, project: int | None, name: str) -> set[str]:
    """The identifiers of the rows there are, and of those in the trash: a row deleted in Central stays deleted."""
    here = address("projects", project or 0, "datasets", name, "entities")
    return {str(row["uuid"]) for deleted in ("false", "true") for row in api.get(here, {"deleted": deleted})}


def _fill(
    api: CentralApi, name: str, columns: Sequence[str], rows: Sequence[Row], project: int, *, fresh: bool
) -> None:
    here = _declare(api, project, name, columns)
    if not rows:
        return
    # An identifier belongs to one project of the whole server, even to one in its trash.
    elsewhere = (ALREADY_THERE, _DELETED) if fresh else (ALREADY_THERE,)
    as_they_are = {row["name"]: row for row in rows}
    if api.post(here + "/entities", _bulk(name, as_they_are), tolerate=elsewhere) is None:
        api.post(here + "/entities", _bulk(name, {_uuid(api, project, row): row for row in rows}))


def _declare(api: CentralApi, project: int, name: str, columns: Iterable[str]) -> str:
    """Make the list and its columns, as Central refuses what is not declared; gives the list's address."""
    api.post(address("projects", project, "datasets"), {"name": name}, tolerate=(ALREADY_THERE,))
    here = address("projects", project, "datasets", name)
    for column in columns:
        api.post(here + "/properties", {"name": column}, tolerate=(ALREADY_THERE,))
    return here


def _share(api: CentralApi, name: str, project: int) -> None:
    here = _declare(api, project, name, [OFFICE])
    # Central leaves out a rule whose property it does not know, and says nothing.
    if api.patch(here, {"accessFilter": _OWN_CASES}).get("accessFilter") != _OWN_CASES:
        cause = f"The list «{name}» did not take its filter: every phone would receive every office's rows."
        raise ServerError("SRV-041", api.where, cause, "Deploy again; if it lasts, set the filter in Central.")


def _approve(api: CentralApi, name: str, project: int) -> None:
    here = address("projects", project, "datasets", name)
    api.patch(here, {"approvalRequired": False}, {"convert": "true"})


def _bulk(name: str, rows: Mapping[str, Row]) -> dict[str, Any]:
    entities = [
        {
            "uuid": uuid,
            "label": row["label"],
            "data": {column: text for column, text in row.items() if column not in _OWN and text},
        }
        for uuid, row in rows.items()
    ]
    return {"source": {"name": f"{name}.csv"}, "entities": entities}


def _uuid(api: CentralApi, project: int | None, row: Row) -> str:
    """The row's identifier in this project, should another one have its own: always the same, of the version 4."""
    text = f"{api.where} {project} {row['name']}"
    return str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))
