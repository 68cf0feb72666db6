"""What the forms say of entity lists: which answers create or update an entity, and which are saved to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tpm_pipeline.forms import catalog, sheets
from tpm_pipeline.forms.sheets import Sheets
from tpm_pipeline.paths import FORMS

_ALWAYS = "true()"


@dataclass(frozen=True)
class Declaration:
    """What a form does to a list: expressions as its `entities` sheet writes them, and each property's question.

    An empty expression never holds. `day` is the first date the form asks for: that of what it tells.
    """

    form_id: str
    list_name: str
    entity_id: str
    label: str
    create_if: str
    update_if: str
    saved: Mapping[str, str]
    day: str


def read_all(folder: Path = FORMS) -> list[Declaration]:
    """The declarations of every form that has one."""
    books = ((form_id, sheets.read(catalog.path_of(form_id, folder))) for form_id in catalog.form_ids(folder))
    return [found for form_id, book in books for found in _declared(form_id, book)]


def _declared(form_id: str, book: Sheets) -> list[Declaration]:
    survey = [row.cells for row in book["survey"].rows]
    saved = {row["save_to"]: row["name"] for row in survey if "save_to" in row}
    day = next((row["name"] for row in survey if row.get("type") == "date"), "")
    return [
        Declaration(
            form_id=form_id,
            list_name=row.cells["list_name"],
            entity_id=row.cells.get("entity_id", ""),
            label=row.cells.get("label", ""),
            create_if=row.cells.get("create_if", ""),
            # As in the specification: with an entity_id and no condition, the entity is there and is updated.
            update_if=row.cells.get("update_if", "" if "create_if" in row.cells else _ALWAYS),
            saved=saved,
            day=day,
        )
        for row in (book["entities"].rows if "entities" in book else ())
        if "list_name" in row.cells
    ]
