"""What a submission's XML says and what a row of a server says, in the same words: each answer by its place."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from tests.servers.visits import new_id

Answers = dict[str, str]
"""Text by place: `menages[2]/membres[1]/nom`; `menages[]` is how many there are."""
_ROW_KEYS = ("__id", "__system")
_LINK = "@odata.navigationLink"


def written(
    form_id: str, answers: Mapping[str, Any], *, version: str = "1", instance: str = "", edits: str = ""
) -> bytes:
    """A submission; a mapping is a group, a list a repeat."""
    meta = {"instanceID": instance or new_id()} | ({"deprecatedID": edits} if edits else {})
    content = _element("meta", {**answers.get("meta", {}), **meta})
    content = "".join(_element(name, value) for name, value in answers.items() if name != "meta") + content
    return f'<data id="{form_id}" version="{version}">{content}</data>'.encode()


def of_xml(xml: bytes, repeats: frozenset[str] = frozenset()) -> Answers:
    """The answers of a submission's XML; `repeats` are the names that repeat, wherever they are."""
    root = etree.fromstring(xml, etree.XMLParser(huge_tree=True))
    return dict(_of_element(root, "", repeats))


def of_row(row: Mapping[str, Any]) -> Answers:
    """The answers of a row."""
    return dict(_of_value({name: value for name, value in row.items() if name not in _ROW_KEYS}, ""))


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, one) for one in value)
    inner = "".join(_element(*pair) for pair in value.items()) if isinstance(value, Mapping) else _text(value)
    return f"<{name}>{inner}</{name}>"


def _text(value: str) -> str:
    return escape(value, {"\r": "&#13;"})


def _of_element(node: etree._Element, place: str, repeats: frozenset[str]) -> Iterator[tuple[str, str]]:
    seen: Counter[str] = Counter()
    for child in node:
        name = etree.QName(child).localname
        seen[name] += 1
        here = f"{place}{name}" + (f"[{seen[name]}]" if name in repeats else "")
        yield from _of_element(child, f"{here}/", repeats)
        if not len(child) and child.text and name not in repeats:
            yield here, child.text
    yield from ((f"{place}{name}[]", str(count)) for name, count in seen.items() if name in repeats)


def _of_value(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        yield f"{place}[]", str(len(value))
        for position, one in enumerate(value, 1):
            yield from _of_value({name: inner for name, inner in one.items() if name != "__id"}, f"{place}[{position}]")
    elif isinstance(value, Mapping) and "coordinates" in value:
        yield place, _geography(value)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if not name.endswith(_LINK):
                yield from _of_value(inner, f"{place}/{name}" if place else name)
    elif value is not None:
        yield place, str(value)


def _geography(value: Mapping[str, Any]) -> str:
    """GeoJSON as phones write it: latitude first, then longitude, altitude and accuracy; points after each other."""
    more, points = value.get("properties") or {}, value["coordinates"]
    if value["type"] == "Point":
        return _point(points, more.get("accuracy"))
    points = points if value["type"] == "LineString" else points[0]
    return "; ".join(_point(*pair) for pair in zip(points, more["accuracies"], strict=True))


def _point(coordinates: list[float], accuracy: float | None) -> str:
    longitude, latitude, *altitude = coordinates
    known = [latitude, longitude, *altitude, *([] if accuracy is None else [accuracy])]
    return " ".join(map(str, known))
