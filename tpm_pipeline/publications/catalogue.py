"""The catalogue: every table, view and column of the analysts' file, described in three languages."""

from collections.abc import Mapping, Sequence
from typing import Any

from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.publications.labelled import Column, View
from tpm_pipeline.publications.texts import LANGUAGES, Spoken, Texts
from tpm_pipeline.warehouse.build import Description
from tpm_pipeline.warehouse.db import Connection, insert, literal, quoted, rows

WARNING = "Réservé aux analystes du projet, ne pas publier : microdonnées pseudonymes, petits effectifs non masqués."

Views = Mapping[tuple[str, str], View]

_TABLES = """
create table catalogue.publication (
    refreshed_at timestamp, debut_date date, fin_date date, est_synthetique boolean, avertissement varchar);
create table catalogue.tables (
    schema varchar, table_nom varchar, genre varchar, nb_lignes bigint,
    description_fr varchar, description_ar varchar, description_en varchar, source varchar, licence varchar);
create table catalogue.colonnes (
    schema varchar, table_nom varchar, colonne varchar, rang integer, type varchar,
    description_fr varchar, description_ar varchar, description_en varchar, liste varchar, unite varchar);
create view catalogue.indicateurs as select * from indicators.indicateur order by code;
"""
_TABLES_AND_VIEWS = """
    select schema_name as schema, table_name as name, 'table' as kind from duckdb_tables()
    where database_name = current_database()
    union all
    select schema_name, view_name, 'vue' from duckdb_views() where database_name = current_database() and not internal
    order by all
"""
_COLUMNS = """
    select schema_name as schema, table_name as table, column_name as name, column_index as rank, data_type as type
    from duckdb_columns() where database_name = current_database() and not internal order by 1, 2, 4
"""


def columns(connection: Connection, texts: Texts, schemas: Sequence[str]) -> list[Column]:
    """The columns of these schemas' tables in the file, with the list of their codes."""
    found = [row for row in rows(connection, _COLUMNS) if row["schema"] in schemas]
    return [_column(texts, row["schema"], row["table"], row["name"], row["type"]) for row in found]


def _column(texts: Texts, schema: str, table: str, name: str, kind: str) -> Column:
    return Column(schema, table, name, kind, _codes(texts.of_column(schema, table, name)))


def _codes(text: Description | None) -> str | None:
    return (text.liste or text.reference) if text else None


def create(
    connection: Connection,
    context: PublicationContext,
    texts: Texts,
    views: Sequence[View],
    phrases: Mapping[Spoken, Mapping[Spoken, str]],
) -> None:
    """Write the catalogue of everything in the file, itself included, and carry its texts over as comments.

    `phrases` says in a language what a view labelled in another is.
    """
    connection.execute(_TABLES)
    connection.execute(
        "insert into catalogue.publication select ?, min(saisie_date), max(saisie_date), ?, ? from marts.fct_saisie",
        [
            context.refreshed_at.replace(tzinfo=None),
            context.synthetic,
            f"Données synthétiques de démonstration. {WARNING}" if context.synthetic else WARNING,
        ],
    )
    by_name = {(view.schema, view.name): view for view in views}
    _tables(connection, texts, by_name, phrases)
    _columns(connection, texts, by_name)
    _comment(connection, by_name)
    _count(connection, by_name)


def _tables(connection: Connection, texts: Texts, views: Views, phrases: Mapping[Spoken, Mapping[Spoken, str]]) -> None:
    listed: list[Sequence[str | None]] = []
    for row in rows(connection, _TABLES_AND_VIEWS):
        schema, name = row["schema"], row["name"]
        view = views.get((schema, name))
        text = texts.of_table(schema, view.table if view else name)
        said = [getattr(text, language) if text else None for language in LANGUAGES]
        if view:
            phrase = phrases[view.language]
            said = [words and phrase[spoken].format(words) for spoken, words in zip(LANGUAGES, said, strict=True)]
        origin = [None if view else getattr(text, field, None) for field in ("source", "licence")]
        listed.append([schema, name, row["kind"], None, *said, *origin])
    insert(connection, "catalogue.tables", listed)


def _columns(connection: Connection, texts: Texts, views: Views) -> None:
    listed: list[Sequence[str | int | None]] = []
    for row in rows(connection, _COLUMNS):
        view = views.get((row["schema"], row["table"]))
        text = texts.of_column(*_shown(row["schema"], row["table"], view), row["name"])
        said = [getattr(text, language) if text else None for language in LANGUAGES]
        codes = None if view else _codes(text)
        listed.append([*row.values(), *said, codes, text.unite if text else None])
    insert(connection, "catalogue.colonnes", listed)


def _shown(schema: str, name: str, view: View | None) -> tuple[str, str]:
    """The table whose columns a table or view has."""
    if (schema, name) == ("catalogue", "indicateurs"):
        return "indicators", "indicateur"
    return schema, view.table if view else name


def _comment(connection: Connection, views: Views) -> None:
    """Comment everything in French, and a labelled view in its own language."""
    kinds = {"table": "table", "vue": "view"}
    tables, columns = rows(connection, "from catalogue.tables"), rows(connection, "from catalogue.colonnes")
    statements = [_on(f"{kinds[row['genre']]} {_name(row)}", row, views) for row in tables]
    statements += [_on(f"column {_name(row)}.{quoted(row['colonne'])}", row, views) for row in columns]
    connection.execute(";".join(statements))


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['schema']}.{quoted(row['table_nom'])}"


def _on(what: str, row: Mapping[str, Any], views: Views) -> str:
    view = views.get((row["schema"], row["table_nom"]))
    text = row[f"description_{view.language if view else 'fr'}"]
    return f"comment on {what} is {literal(text) if text else 'null'}"


def _count(connection: Connection, views: Views) -> None:
    """A labelled view has its table's rows."""
    names = connection.execute("select schema, table_nom from catalogue.tables").fetchall()
    counts = [
        f"select {literal(schema)} as schema, {literal(name)} as table_nom, count(*) as nb"
        f" from {schema}.{quoted(views[schema, name].table if (schema, name) in views else name)}"
        for schema, name in names
    ]
    connection.execute(
        f"update catalogue.tables set nb_lignes = nb from ({' union all '.join(counts)}) as counted"
        " where counted.schema = tables.schema and counted.table_nom = tables.table_nom"
    )
