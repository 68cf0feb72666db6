"""Reference: small tables kept by hand, and the lists phones use."""

from pathlib import Path

from tpm_pipeline.forms.sheets import SHARED
from tpm_pipeline.paths import LISTS, WAREHOUSE
from tpm_pipeline.records import FormSchema
from tpm_pipeline.warehouse.db import Connection, literal, quoted

_NUMBERS = ("_pct", "lat", "lon")
_COUNTS = ("pop_", "nb_", "menages_", "etrangers_")
_DATES = ("_depuis", "date_")


def load(connection: Connection, schemas: list[FormSchema]) -> None:
    """Rebuild the reference schema: CSV files, then the forms' choices."""
    connection.execute("create schema if not exists reference")
    # The shared choice lists come with the forms that ask for them.
    found = [path for folder in (LISTS, WAREHOUSE / "reference") for path in sorted(folder.glob("*.csv"))]
    sources = {path.stem: path for path in found if path.name != SHARED}
    for name, path in sources.items():
        _load_csv(connection, name, path)
    _load_choices(connection, schemas)


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
    if column.startswith(_COUNTS):
        return "bigint"
    if column.endswith(_DATES[:1]) or column.startswith(_DATES[1:]):
        return "date"
    return "varchar"


def _load_choices(connection: Connection, schemas: list[FormSchema]) -> None:
    connection.execute(
        "create or replace table reference.choix"
        " (form_id varchar, liste varchar, rang integer, code varchar, label_fr varchar, label_ar varchar)"
    )
    rows = [
        (schema.form_id, name, rank, choice.name, choice.labels.get("fr"), choice.labels.get("ar"))
        for schema in schemas
        for name, choices in schema.lists.items()
        for rank, choice in enumerate(choices, start=1)
    ]
    if rows:
        connection.executemany("insert into reference.choix values (?, ?, ?, ?, ?, ?)", rows)
