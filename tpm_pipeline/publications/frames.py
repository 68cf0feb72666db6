"""Tables of the analysts' file as pandas frames: ordered categories, dates, and one kind of missing value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from tpm_pipeline import settings
from tpm_pipeline.errors import PublicationError
from tpm_pipeline.publications import analysts
from tpm_pipeline.publications.texts import LANGUAGES, Spoken
from tpm_pipeline.warehouse import db

# What is missing is <NA>, NaT in dates and None among lists.
_DTYPES: Mapping[str, Any] = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "INTEGER": "Int64",
    "BIGINT": "Int64",
    "HUGEINT": "Int64",
    "DOUBLE": "Float64",
    "DECIMAL": "Float64",
    "DATE": "datetime64[s]",
}
_TEXT, _TEXTS = "VARCHAR", "VARCHAR[]"
# A part's meaning depends on its dimension.
_OF_PARTS = "indicators.valeur"


@dataclass(frozen=True)
class _Column:
    """A column, and what is shown for each code of its list, in order."""

    name: str
    type: str
    shown: Mapping[str, str] | None

    @property
    def is_category(self) -> bool:
        return self.type == _TEXT and self.shown is not None


def frame(table: str, labels: Spoken | None = None, database: Path | str | None = None) -> pd.DataFrame:
    """Read a table or view of the analysts' file; with `labels`, a language's labels take the place of codes.

    Select codes become ordered categories in their list's order, lists Python lists, counts Int64, measures Float64,
    yes and no boolean, days datetime64[s] without a zone, moments datetime64[us, UTC].
    """
    if labels is not None and labels not in LANGUAGES:
        raise PublicationError(
            "PUB-012", str(labels), "There are no labels in this language.", f"Choose one of {', '.join(LANGUAGES)}."
        )
    with analysts.opened(Path(database) if database else settings.load().analysts_db) as connection:
        columns = _columns(connection, table, labels)
        source = ".".join(map(db.quoted, table.split(".")))
        found = _read(connection, source, _with_strangers(connection, source, columns))
        if labels is not None and table == _OF_PARTS:
            found["part"] = _parts(connection, source, labels)
        return found


def _columns(connection: db.Connection, table: str, labels: Spoken | None) -> list[_Column]:
    found = connection.execute(
        "select colonne, type, liste from catalogue.colonnes where schema || '.' || table_nom = ? order by rang",
        [table],
    ).fetchall()
    if not found:
        tables = "select schema || '.' || table_nom from catalogue.tables where genre = 'table' order by all"
        known = ", ".join(name for (name,) in connection.execute(tables).fetchall())
        raise PublicationError("PUB-011", table, "There is no such table.", f"Choose one of {known}.")
    return [_Column(name, kind, _shown(connection, codes, labels) if codes else None) for name, kind, codes in found]


def _shown(connection: db.Connection, name: str, labels: Spoken | None) -> Mapping[str, str]:
    """What is shown for each code of a list, in its order; never the same for two."""
    shown = f"label_{labels}" if labels else "code"
    return dict(
        connection.execute(
            f"select code, if(count(*) over (partition by {shown}) > 1, {shown} || ' (' || code || ')', {shown})"
            " from catalogue.choix where liste = ? order by rang",
            [name],
        ).fetchall()
    )


def _with_strangers(connection: db.Connection, source: str, columns: Sequence[_Column]) -> list[_Column]:
    """The columns, their categories completed with the codes that no list holds."""
    chosen = [column for column in columns if column.is_category]
    lists = ", ".join(f"list(distinct {db.quoted(column.name)})" for column in chosen)
    found = connection.execute(f"select {lists} from {source}").fetchone() if chosen else ()
    strangers = {
        column.name: {code: code for code in sorted({*(codes or ())} - {None, *(column.shown or ())})}
        for column, codes in zip(chosen, found or (), strict=True)
    }
    return [
        replace(column, shown={**(column.shown or {}), **strangers[column.name]}) if column.is_category else column
        for column in columns
    ]


def _read(connection: db.Connection, source: str, columns: Sequence[_Column]) -> pd.DataFrame:
    raw = connection.execute(f"select {', '.join(map(_selected, columns))} from {source}").df()
    return pd.DataFrame({column.name: _converted(raw[column.name], column) for column in columns})


def _selected(column: _Column) -> str:
    name = db.quoted(column.name)
    # DuckDB hands an ENUM over as a pandas category, without writing the text of every row.
    codes = ", ".join(map(db.literal, column.shown or ()))
    return f"{name}::enum({codes}) as {name}" if column.is_category and codes else name


def _converted(values: "pd.Series[Any]", column: _Column) -> "pd.Series[Any]":
    if column.is_category and column.shown is not None:
        codes = pd.Categorical(values, categories=[*column.shown], ordered=True)
        return pd.Series(codes.rename_categories(column.shown))
    if column.type == _TEXTS:
        shown = column.shown or {}
        return values.map(lambda codes: [shown.get(code, code) for code in codes], na_action="ignore")
    if column.type == "TIMESTAMP":
        moments: pd.Series[Any] = values.dt.tz_localize("UTC")
        return moments
    # DECIMAL(18,3) as DECIMAL.
    dtype = _DTYPES.get(column.type.partition("(")[0])
    return values.astype(dtype) if dtype else values


def _parts(connection: db.Connection, source: str, labels: Spoken) -> "pd.Series[Any]":
    label = f"part_{labels}"
    spoken = connection.execute(f"select dimension, part, {label} from catalogue.parts").fetchall()
    known = {(dimension, part): text for dimension, part, text in spoken}
    pairs = connection.execute(f"select dimension, part from {source}").fetchall()
    return pd.Series([known.get(pair, pair[1]) for pair in pairs], dtype="string")
