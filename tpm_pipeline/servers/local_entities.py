"""Entity lists of the local server: written by submissions, read back by forms as CSV."""

import csv
import io
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import orjson

from tpm_pipeline.paths import replacing
from tpm_pipeline.records import EntityVersion
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.payload import NodePath, Sent, Shape, entity_node, text_at

_TRUE = {"1", "true"}
_COLUMNS = ("name", "label", "__version")
_STATES = """
select json_object('__id', id, '__system', json_object(
    'version', version, 'conflict', null, 'createdAt', null, 'updatedAt', null, 'deletedAt', null
))
from entity where list = ? order by id
"""
_CURRENT = """
select entity.version, label, properties, instance_id, accepted_at
from entity left join submission on entity_id = id
where list = ? and id = ? order by seq desc limit 1
"""


def declare(db: sqlite3.Connection, shape: Shape) -> None:
    """Remember the properties a form saves."""
    if shape.entity_list is not None:
        known = [(shape.entity_list, name) for name in shape.saved.values()]
        db.executemany("insert or ignore into entity_property values (?, ?)", known)


def seed(db: sqlite3.Connection, shape: Shape, files: Mapping[str, bytes]) -> None:
    """Give the list a form writes the rows that come with the form; what is there already stays as it is."""
    content = files.get(f"{shape.entity_list}.csv", b"")
    for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"))):
        properties = orjson.dumps({name: text for name, text in row.items() if name not in _COLUMNS and text}).decode()
        values = (shape.entity_list, row["name"], row["label"], 1, properties)
        db.execute("insert or ignore into entity values (?, ?, ?, ?, ?)", values)


def apply(db: sqlite3.Connection, shape: Shape, sent: Sent) -> str | None:
    """Create or update the entity a submission declares; return its id, or None when nothing was to be done.

    The last write wins; an update of an unknown entity does nothing.
    """
    node = entity_node(sent.root)
    if node is None or shape.entity_list is None or not node.get("id"):
        return None
    key = (shape.entity_list, str(node.get("id")))
    known = db.execute("select version, label, properties from entity where list = ? and id = ?", key).fetchone()
    if not (node.get("create") in _TRUE or (known is not None and node.get("update") in _TRUE)):
        return None
    version, label, properties = known or (0, "", "{}")
    label = text_at(node, ("label",)) or label
    merged = {**orjson.loads(properties), **_saved(sent, shape.saved)}
    db.execute(
        "insert into entity values (?, ?, ?, ?, ?) on conflict do update"
        " set label = excluded.label, version = excluded.version, properties = excluded.properties",
        (*key, label, version + 1, orjson.dumps(merged).decode()),
    )
    return key[1]


def is_list(db: sqlite3.Connection, name: str) -> bool:
    """Whether any deployed form writes this list."""
    return db.execute("select 1 from entity_property where list = ?", (name,)).fetchone() is not None


def lists(store: Store) -> list[str]:
    """The lists that have entities, by name."""
    with store.reading() as db:
        return [str(row[0]) for row in db.execute("select distinct list from entity order by list")]


def states(store: Store, name: str, target: Path) -> int:
    """Write every entity of a list, without its answers, as one JSON array; return how many there are."""
    count = 0
    with store.streaming() as db, replacing(target) as draft, draft.open("wb") as page:
        for count, (row,) in enumerate(db.execute(_STATES, (name,)), 1):
            page.write((b",\n" if count > 1 else b"[") + row.encode())
        page.write(b"]" if count else b"[]")
    return count


def versions(store: Store, name: str, entity_id: str) -> list[EntityVersion]:
    """The entity as it is, from the submission that wrote it last; none when it is not here."""
    with store.reading() as db:
        found = db.execute(_CURRENT, (name, entity_id)).fetchall()
    return [
        EntityVersion(version, label, orjson.loads(properties), source or f"{name}.csv", None, written_at)
        for version, label, properties, source, written_at in found
    ]


def as_csv(db: sqlite3.Connection, name: str, header: bytes) -> bytes:
    """Write a list as the file forms read; `header` is the deployed file, whose columns come first."""
    deployed = next(csv.reader(io.StringIO(header.decode("utf-8-sig"))), [])
    declared = [row[0] for row in db.execute("select name from entity_property where list = ? order by rowid", (name,))]
    properties = [column for column in dict.fromkeys((*deployed, *declared)) if column not in _COLUMNS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_COLUMNS, *properties))
    rows = db.execute("select id, label, version, properties from entity where list = ? order by rowid", (name,))
    for entity_id, label, version, saved in rows:
        values = orjson.loads(saved)
        writer.writerow((entity_id, label, version, *(values.get(column, "") for column in properties)))
    return text.getvalue().encode()


def _saved(sent: Sent, saved: Mapping[NodePath, str]) -> dict[str, str]:
    """The properties whose nodes were sent: an irrelevant question leaves its property as it was."""
    found = {name: text_at(sent.root, path) for path, name in saved.items()}
    return {name: value for name, value in found.items() if value is not None}
