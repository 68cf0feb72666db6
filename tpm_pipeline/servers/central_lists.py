"""Entity lists of Central: given the rows that come with a form before a phone can ask for them."""

import csv
import hashlib
import io
from typing import Any
from uuid import UUID

from tpm_pipeline.records import CompiledForm
from tpm_pipeline.servers.central_api import CentralApi, address

_KNOWN = "409.3"
_OWN = ("name", "label")


def seed(api: CentralApi, project: int, form: CompiledForm) -> None:
    """Fill each empty list the form writes with the rows of its file; a list with entities stays as it is."""
    for name in form.entity_lists:
        rows = _rows(form, f"{name}.csv")
        if rows:
            _fill(api, project, name, rows)


def _fill(api: CentralApi, project: int, name: str, rows: list[dict[str, str]]) -> None:
    api.post(address("projects", project, "datasets"), {"name": name}, tolerate=(_KNOWN,))
    here = address("projects", project, "datasets", name)
    # Central refuses what is not declared.
    for column in rows[0].keys() - set(_OWN):
        api.post(here + "/properties", {"name": column}, tolerate=(_KNOWN,))
    if api.get(here + "/entities"):
        return
    if api.post(here + "/entities", _bulk(name, rows, ""), tolerate=(_KNOWN,)) is None:
        # An identifier belongs to one project of the whole server, even to one in its trash.
        api.post(here + "/entities", _bulk(name, rows, f"{api.where} {project} "))


def _bulk(name: str, rows: list[dict[str, str]], project: str) -> dict[str, Any]:
    entities = [
        {
            "uuid": _uuid(project + row["name"]) if project else row["name"],
            "label": row["label"],
            "data": {column: text for column, text in row.items() if column not in _OWN and text},
        }
        for row in rows
    ]
    return {"source": {"name": f"{name}.csv"}, "entities": entities}


def _uuid(text: str) -> str:
    """The same text gives the same UUID, of the only version Central takes."""
    return str(UUID(bytes=hashlib.sha256(text.encode()).digest()[:16], version=4))


def _rows(form: CompiledForm, file: str) -> list[dict[str, str]]:
    content = next((media.content for media in form.media if media.name == file), b"")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
