"""Codes and their labels in three languages: of every list, and of the parts of indicators' values."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tpm_pipeline.publications.texts import LANGUAGES
from tpm_pipeline.warehouse.db import Connection, insert, literal, values

Labels = tuple[str, ...]
Known = Mapping[tuple[str, str], Labels]
CROSS = "*"

_COLUMNS = "liste, code, rang, label_fr, label_ar, label_en"
_PARTS = """
create table catalogue.parts (
    dimension varchar, part varchar, dimension_fr varchar, dimension_ar varchar, dimension_en varchar,
    part_fr varchar, part_ar varchar, part_en varchar)
"""


def create(connection: Connection, declared: Mapping[str, Any]) -> None:
    """Fill catalogue.choix from the forms, the tables and labels.yml; then catalogue.parts from the values."""
    parts = connection.execute(
        "select distinct dimension, part from indicators.valeur where part is not null order by all"
    ).fetchall()
    dimensions = _dimensions(declared, [dimension for dimension, _ in parts])
    own = values(_listed(declared["listes"] | {"dimension": dimensions}))
    connection.execute(f"create table catalogue.choix as {_choices(connection, own, declared['references'])}")
    known = _known(connection)
    connection.execute(_PARTS)
    insert(
        connection,
        "catalogue.parts",
        [(name, part, *known["dimension", name], *_part(declared, known, name, part)) for name, part in parts],
    )


def _dimensions(declared: Mapping[str, Any], found: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """Every dimension by its name: the declared ones, and those found, crossed or not yet declared."""
    names: Mapping[str, Mapping[str, str]] = declared["dimensions"]
    others: Mapping[str, Mapping[str, str]] = {
        name: {
            language: " × ".join(names[one][language] if one in names else one for one in name.split(CROSS))
            for language in LANGUAGES
        }
        for name in sorted(set(found) - names.keys())
    }
    return {**names, **others}


def _listed(lists: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str | int, ...]]:
    for name, codes in lists.items():
        for rank, (code, texts) in enumerate(codes.items(), start=1):
            yield (name, code, rank, *_labels(texts))


def _labels(texts: Mapping[str, str]) -> Labels:
    return tuple(texts[language] for language in LANGUAGES)


def _choices(connection: Connection, own: str, references: Mapping[str, Mapping[str, str]]) -> str:
    """One row per list and code, in order: forms that share a list agree on it."""
    there = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where database_name = current_database()"
    ).fetchall()
    tables = [_named(name, place) for name, place in references.items() if (place["table"],) in there]
    found = " union all ".join([f"select {_COLUMNS} from reference.choix", own, *tables])
    return f"""
        select liste, code, (row_number() over (partition by liste order by min(rang), code))::integer as rang,
            arg_min(label_fr, rang) as label_fr, arg_min(label_ar, rang) as label_ar,
            coalesce(arg_min(label_en, rang), arg_min(label_fr, rang)) as label_en
        from ({found}) as found({_COLUMNS}) where code is not null group by liste, code order by liste, rang
    """


def _named(name: str, place: Mapping[str, str]) -> str:
    code, names = place["code"], ", ".join(place[language] for language in LANGUAGES)
    rank = f"(row_number() over (order by {code}))::integer"
    return f"select {literal(name)}, {code}, {rank}, {names} from {place['table']}"


def _known(connection: Connection) -> Known:
    rows = connection.execute(f"select {_COLUMNS} from catalogue.choix").fetchall()
    return {(name, code): tuple(labels) for name, code, _, *labels in rows}


def _part(declared: Mapping[str, Any], known: Known, dimension: str, part: str) -> Labels:
    """The labels of a part, or of two crossed ones."""
    dimensions = dimension.split(CROSS)
    codes = part.split(CROSS, len(dimensions) - 1)
    found = [_one(declared, known, name, code) for name, code in zip(dimensions, codes, strict=False)]
    return tuple(" × ".join(texts) for texts in zip(*found, strict=True))


def _one(declared: Mapping[str, Any], known: Known, dimension: str, code: str) -> Labels:
    if code == declared["unknown"]["code"]:
        return _labels(declared["unknown"]["labels"])
    lists = declared["dimensions"].get(dimension, {}).get("listes", [])
    return next((known[name, code] for name in lists if (name, code) in known), (code,) * len(LANGUAGES))
