"""What a submission says, on whichever server: its XML read safely, and its answers as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lxml import etree

from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import schema
from tpm_pipeline.records import Table

SYSTEM = "__system"
"""The key of a row's system part, which no answer may take."""

_XFORMS = "{http://www.w3.org/2002/xforms}"
_SAVETO = "{http://www.opendatakit.org/xforms/entities}saveto"

NodePath = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """What must be known of a form version to read its submissions.

    `saved` gives the entity property each node path is saved to; `reads` the CSV files the form looks into.
    """

    repeats: frozenset[NodePath]
    entity_list: str | None
    saved: Mapping[NodePath, str]
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """One submission as a client sent it."""

    form_id: str
    version: str
    instance_id: str
    deprecated_id: str | None
    root: etree._Element
    xml: bytes


def parse(xml: bytes) -> Sent:
    """Read a submission's XML, or say why it cannot be one."""
    root = read(xml)
    form_id = root.get("id", "")
    if not form_id:
        raise ServerError("SRV-102", "submission", "The XML names no form (attribute id).", "Send it from a form.")
    instance_id = _meta(root, "instanceID")
    if not instance_id:
        raise ServerError("SRV-103", form_id, "The submission has no meta/instanceID.", "Send it from a form.")
    return Sent(form_id, root.get("version", ""), instance_id, _meta(root, "deprecatedID") or None, root, xml)


@lru_cache(maxsize=64)
def shape(xform: bytes) -> Shape:
    """Read from an XForm where its repeats are, and what it saves to an entity list or reads from files."""
    root = read(xform)
    entity = next(root.iter(f"{_XFORMS}entity"), None)
    sources = [str(node.get("src", "")) for node in root.iter(f"{_XFORMS}instance")]
    return Shape(
        repeats=frozenset(_repeats(schema.read(xform).root)),
        entity_list=None if entity is None else entity.get("dataset"),
        saved={
            _path(str(node.get("nodeset"))): str(node.get(_SAVETO))
            for node in root.iter(f"{_XFORMS}bind")
            if node.get(_SAVETO)
        },
        reads=tuple(source.removeprefix("jr://file-csv/") for source in sources if source.startswith("jr://file-csv/")),
    )


def answers(root: etree._Element, repeats: frozenset[NodePath]) -> dict[str, Any]:
    """Write the answers as nested JSON: every answer a string, every repeat an array, nothing for an empty one."""
    written = _children(root, (), repeats)
    written.pop(SYSTEM, None)
    return written


def text_at(root: etree._Element, path: NodePath) -> str | None:
    """The text of the node at a path below the root: None when the node was not sent, "" when it is empty."""
    node: etree._Element | None = root
    for name in path:
        node = None if node is None else _child(node, name)
    return None if node is None else (node.text or "").strip()


def entity_node(root: etree._Element) -> etree._Element | None:
    """The submission's entity declaration, if its form has one."""
    meta = _child(root, "meta")
    return None if meta is None else _child(meta, "entity")


def read(xml: bytes) -> etree._Element:
    """Read XML that anybody may have written: no document type, no entity, no network."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError as error:
        cause = f"The XML cannot be read: {error.msg}."
        raise ServerError("SRV-101", "submission", cause, "Send it again.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ServerError("SRV-118", "submission", "The XML has a document type.", "Send it without one.")
    return root


def _repeats(table: Table) -> Iterator[NodePath]:
    for repeat in table.repeats:
        yield repeat.path
        yield from _repeats(repeat)


def _children(node: etree._Element, path: NodePath, repeats: frozenset[NodePath]) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for child in node:
        name = _name(child)
        here = (*path, name)
        value = _value(child, here, repeats)
        if here in repeats:
            # An iteration without answers still counts: it is a position.
            written.setdefault(name, []).append(value if isinstance(value, dict) else {})
        elif not value:
            continue
        elif name in written:
            # The form does not say so, but the client sent several: keep them all.
            first = written[name]
            written[name] = [*first, value] if isinstance(first, list) else [first, value]
        else:
            written[name] = value
    return written


def _value(node: etree._Element, path: NodePath, repeats: frozenset[NodePath]) -> dict[str, Any] | str:
    if path == ("meta", "entity"):
        attributes = {str(key): str(value) for key, value in node.attrib.items() if value}
        return {**attributes, **_children(node, path, repeats)}
    if len(node):
        return _children(node, path, repeats)
    text = node.text or ""
    return text if text.strip() else ""


def _meta(root: etree._Element, name: str) -> str:
    return text_at(root, ("meta", name)) or ""


def _child(node: etree._Element, name: str) -> etree._Element | None:
    return next((child for child in node if _name(child) == name), None)


def _name(node: etree._Element) -> str:
    return etree.QName(node).localname


def _path(nodeset: str) -> NodePath:
    return tuple(nodeset.strip("/").split("/")[1:])
