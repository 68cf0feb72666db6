"""Reference: small tables kept by hand, the lists phones use, the plan of action."""

from pathlib import Path
from typing import Any

import yaml

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms.sheets import SHARED
from tpm_pipeline.paths import LISTS, WAREHOUSE
from tpm_pipeline.records import FormSchema
from tpm_pipeline.warehouse.db import Connection, insert, literal, quoted, values

_NUMBERS = ("_pct", "lat", "lon")
_COUNTS = ("pop_", "nb_", "menages_", "etrangers_")
_DATES = ("_depuis", "date_")
_PLANNED = ("result", "weight", "start", "end")


def load(connection: Connection, schemas: list[FormSchema], lists: Path = LISTS, folder: Path = WAREHOUSE) -> None:
    """Rebuild the reference schema: CSV files, the plan of action, then the forms' choices."""
    connection.execute("create schema if not exists reference")
    # The shared choice lists come with the forms that ask for them.
    found = [path for place in (lists, folder / "reference") for path in sorted(place.glob("*.csv"))]
    sources = {path.stem: path for path in found if path.name != SHARED}
    for name, path in sources.items():
        _load_csv(connection, name, path)
    _load_plan(connection, folder / "logframe.yml")
    _load_choices(connection, schemas)


def _load_plan(connection: Connection, logframe: Path) -> None:
    """The activities as declared with the results they serve; here only as rows, checked where they are read."""
    rows = _plan(logframe)
    connection.execute(
        "create or replace table reference.plan_action (code varchar, nom_fr varchar, nom_ar varchar, nom_en varchar,"
        " resultat varchar, poids double, debut_prevu_date date, fin_prevue_date date)"
    )
    insert(connection, "reference.plan_action", rows)


def _plan(logframe: Path) -> list[tuple[Any, ...]]:
    try:
        content = yaml.load(logframe.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        return [
            (one["code"], *(one["names"][name] for name in ("fr", "ar", "en")), *(one[key] for key in _PLANNED))
            for one in content["activities"]
        ]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise WarehouseError(
            "WH-032",
            logframe.name,
            f"The plan of action cannot be read ({type(error).__name__}).",
            "Correct the activities of logframe.yml.",
        ) from None


def _load_csv(connection: Connection, name: str, path: Path) -> None:
    header = path.read_text(encoding="utf-8").partition("\n")[0].strip().split(",")
    columns = ", ".join(f"{literal(column)}: {literal(_type(column))}" for column in header)
    connection.execute(
        f"create or replace table reference.{quoted(name)} as "
        f"select * from read_csv({literal(str(path))}, header = true, delim = ',', quote = '\"', "
        f"columns = {{{columns}}})"
    )


def _type(column: str) -> str:
    # Codes such as 09.001.01.01 stay text; only names that announce a figure or a date are typed.
    if "_pct" in column or column in _NUMBERS:
        return "double"
    if column == "rang":
        return "integer"
    if column.startswith(_COUNTS):
        return "bigint"
    if column.endswith(_DATES[:1]) or column.startswith(_DATES[1:]):
        return "date"
    return "varchar"


def _load_choices(connection: Connection, schemas: list[FormSchema]) -> None:
    """The forms' lists with their English labels, then the lists no form has (without a form_id)."""
    connection.execute(
        "create or replace table reference.choix (form_id varchar, liste varchar, rang integer, code varchar,"
        " label_fr varchar, label_ar varchar, label_en varchar)"
    )
    rows = [
        (schema.form_id, name, rank, choice.name, choice.labels.get("fr"), choice.labels.get("ar"))
        for schema in schemas
        for name, choices in schema.lists.items()
        for rank, choice in enumerate(choices, start=1)
    ]
    if listed := values(rows):
        connection.execute(
            f"insert into reference.choix select form.*, label_en from ({listed}) as"
            " form(form_id, liste, rang, code, label_fr, label_ar) left join reference.choix_en using (liste, code)"
        )
    connection.execute(
        "insert into reference.choix select null, liste, rang, code, label_fr, label_ar, label_en from reference.listes"
    )
