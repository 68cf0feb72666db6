"""What the analysts' file says of its tables and columns, in three languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from tpm_pipeline.paths import PACKAGE, WAREHOUSE
from tpm_pipeline.warehouse.build import Description, TableDescription, descriptions, tables

Spoken = Literal["fr", "ar", "en"]
LANGUAGES: tuple[Spoken, ...] = ("fr", "ar", "en")
_FOLDER = PACKAGE / "publications"


@dataclass(frozen=True)
class Texts:
    """Descriptions: of tables by `schema.table`, of the marts' columns by name, and the file's own of both."""

    tables: Mapping[str, TableDescription]
    columns: Mapping[str, Description]
    own: Mapping[str, Description]

    def of_table(self, schema: str, table: str) -> Description | TableDescription | None:
        """What a table holds."""
        name = f"{schema}.{table}"
        return self.tables.get(name) or self.own.get(name)

    def of_column(self, schema: str, table: str, column: str) -> Description | None:
        """What a column means: said of this very column, of its name in the schema, or of its name in the marts."""
        own = self.own.get(f"{schema}.{table}.{column}") or self.own.get(f"{schema}.*.{column}")
        return own or (self.columns.get(column) if schema == "marts" else None)


def read() -> Texts:
    """Read what the warehouse declares, and this folder of the rest."""
    return Texts(
        tables(WAREHOUSE / "tables.yml"),
        descriptions(WAREHOUSE / "columns.yml"),
        descriptions(_FOLDER / "descriptions.yml"),
    )


def labels() -> Mapping[str, Any]:
    """Read the labels that no form holds."""
    content: Mapping[str, Any] = yaml.load((_FOLDER / "labels.yml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    return content
