"""How kpi writes a submission's XML as a row: flat keys, repeats as lists, and nothing where nothing was answered."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# The parser kpi itself uses: what becomes of blanks, CDATA and comments is its doing. It reads what tests wrote.
from xml.dom import Node, minidom

Content = Mapping[str, Any]
MEDIA_TYPES = ("image", "audio", "video", "file", "background-audio")
_CONTROL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(xml: str) -> bool:
    return _CONTROL.search(xml) is None


def parsed(xml: str) -> minidom.Document:
    """Read XML; blanks between two tags are not kept, so neither are answers of nothing else."""
    return minidom.parseString(re.sub(r">\s+<", "><", xml.strip()).encode())  # noqa: S318


def meta(xml: str, name: str) -> str | None:
    """A text of the submission's `meta`, or nothing."""
    root = parsed(xml).documentElement
    assert root is not None
    for child in root.childNodes:
        if _is(child, "meta"):
            found = next((one for one in child.childNodes if _is(one, name)), None)
            return str(found.firstChild.nodeValue).strip() if found is not None and found.firstChild else None
    return None


def _is(node: Any, name: str) -> bool:
    return node.nodeType == Node.ELEMENT_NODE and node.tagName.lower() in {name.lower(), f"orx:{name.lower()}"}


def bare(uuid: str) -> str:
    return uuid.removeprefix("uuid:")


def prefixed(uuid: str) -> str:
    return uuid if ":" in uuid else f"uuid:{uuid}"


def answers(xml: str, content: Content) -> dict[str, Any]:
    """The answers by their path. Empty when there is none at all, not even in `meta`."""
    root: Any = parsed(xml).documentElement
    found = _tree(root, "", frozenset(paths(content, "begin_repeat")))
    tree = found if isinstance(found, dict) else {}
    flat = {"/".join(path): value for path, value in _flat(tree, ())}
    return {**flat, "_xform_id_string": root.getAttribute("id")} if flat else {}


def paths(content: Content, *types: str) -> list[str]:
    return [row["$xpath"] for row in content["survey"] if row.get("type") in types and "$xpath" in row]


def _tree(node: Any, path: str, repeats: frozenset[str]) -> Any:
    if not node.childNodes:
        return None
    if len(node.childNodes) == 1 and node.firstChild.nodeType == Node.TEXT_NODE:
        return node.firstChild.nodeValue
    tree: dict[str, Any] = {}
    for child in node.childNodes:
        if child.nodeType == Node.CDATA_SECTION_NODE:
            return child.nodeValue
        here = f"{path}{child.nodeName}"
        value = _tree(child, f"{here}/", repeats)
        if value is not None:
            _put(tree, child.nodeName, value, repeats=here in repeats)
    return tree or None


def _put(tree: dict[str, Any], name: str, value: Any, *, repeats: bool) -> None:
    """What comes twice becomes a list, whether it is known to repeat or not."""
    if name not in tree:
        tree[name] = [value] if repeats else value
    elif isinstance(tree[name], list):
        tree[name].append(value)
    else:
        tree[name] = [tree[name], value]


def _flat(tree: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in tree.items():
        path = (*above, name)
        if isinstance(value, dict):
            yield from _flat(value, path)
        elif isinstance(value, list):
            yield path, [_repeated(one, path) for one in value]
        else:
            yield path, value


def _repeated(one: Any, path: tuple[str, ...]) -> dict[str, Any]:
    if isinstance(one, dict):
        return {"/".join(inner): value for inner, value in _flat(one, path)}
    return {"/".join(path): one}


def geolocation(row: Mapping[str, Any], content: Content) -> list[float | None]:
    """Latitude and longitude of the first geopoint outside repeats that was answered; a ValueError if one is none."""
    texts = [str(row.get(path, "")).split() for path in paths(content, "geopoint", "start-geopoint")]
    points = [[float(part) for part in text] for text in texts if text]
    if any(len(point) < 2 for point in points):
        raise ValueError(points)
    return [*points[0][:2]] if points else [None, None]


def file_places(row: Mapping[str, Any], media: frozenset[str], at: dict[str, int] | None = None) -> dict[str, str]:
    """Where each file was asked for, by its name as stored: `membres[1]/photo`.

    The positions of a repeat are not forgotten after it: they get into later questions whose name they are part of.
    """
    found: dict[str, str] = {}
    for key, value in row.items():
        at = at or {}
        if isinstance(value, list):
            for position, one in enumerate(value, 1):
                if isinstance(one, Mapping):
                    at[key] = position
                    found |= file_places(one, media, at)
        elif key in media:
            found[stored_name(value)] = _counted(key, at)
    return found


def _counted(key: str, positions: Mapping[str, int]) -> str:
    for repeat, position in positions.items():
        name = repeat.rpartition("/")[2]
        key = key.replace(name, f"{name}[{position}]")
    return key


def stored_name(name: str) -> str:
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))
