"""How Central writes submissions as OData: the fields of one XForm, nulls, repeats without iterations."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from lxml import etree

_INT, _DECIMAL = re.compile(r"\s*[+-]?\d+"), re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_UNESCAPED = "!~*'()"  # as encodeURIComponent leaves them
_H, _X = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2002/xforms}"


@dataclass(frozen=True)
class XForm:
    form_id: str
    version: str
    data: etree._Element
    types: dict[str, str]
    repeats: frozenset[str]
    files: tuple[str, ...]
    entity_lists: tuple[str, ...]


def read_xform(xml: bytes) -> XForm:
    root = etree.fromstring(xml)
    model = root.find(f"{_H}head/{_X}model")
    assert model is not None
    instances = model.findall(f"{_X}instance")
    data = instances[0][0]
    binds = {str(bind.get("nodeset")): bind.get("type", "string") for bind in model.findall(f"{_X}bind")}
    entities = [str(e.get("dataset")) for e in data.iter() if isinstance(e.tag, str) and name(e) == "entity"]
    return XForm(
        form_id=str(data.get("id")),
        version=data.get("version", ""),
        data=data,
        types=binds,
        repeats=frozenset(str(repeat.get("nodeset")) for repeat in root.iter(f"{_X}repeat")),
        files=tuple(str(i.get("src")).rpartition("/")[2] for i in instances if "/file" in str(i.get("src"))),
        entity_lists=tuple(entities),
    )


def as_row(form: XForm, xml: bytes, system: dict[str, Any], root_id: str) -> dict[str, Any]:
    answers = etree.fromstring(xml)
    if answers.get("encrypted") == "yes":
        return {"__id": root_id, "__system": system}
    link = f"Submissions('{quote(root_id, safe=_UNESCAPED)}')"
    row, late = _structure(form, form.data, [answers], f"/{name(form.data)}", link)
    return {**row, "__id": root_id, "__system": system, **late}


def _structure(
    form: XForm, model: etree._Element, given: list[etree._Element], path: str, link: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answers of a group, and apart from them its repeats: they come last."""
    row: dict[str, Any] = {}
    late: dict[str, Any] = {}
    for child in model:
        here, key = f"{path}/{name(child)}", _sanitized(name(child))
        found = [e for parent in given for e in parent if isinstance(e.tag, str) and name(e) == name(child)]
        if here in form.repeats:
            if found:
                late[f"{key}@odata.navigationLink"] = f"{link}/{key}"
                late[key] = [_iteration(form, child, one, here, f"{link}/{key}('{n}')") for n, one in enumerate(found)]
        elif len(child):
            inner, inner_late = _structure(form, child, found, here, link)
            row[key] = {**inner, **inner_late}
        else:
            value = _value(form.types.get(here, "string"), (found[0].text or "") if found else "")
            # Two names may become one: their texts are joined.
            row[key] = row[key] + value if isinstance(value, str) and isinstance(row.get(key), str) else value
    return row, late


def _iteration(form: XForm, model: etree._Element, given: etree._Element, path: str, link: str) -> Any:
    key = hashlib.sha1(link.encode(), usedforsecurity=False).hexdigest()
    row, late = _structure(form, model, [given], path, f"{link.rpartition('(')[0]}('{key}')")
    return {**row, "__id": key, **late}


def _value(kind: str, text: str) -> Any:
    if not text:
        return None
    if kind == "geopoint":
        lat, lon, alt, accuracy = (_plain(float(part)) for part in text.split())
        return {"type": "Point", "coordinates": [lon, lat, alt], "properties": {"accuracy": accuracy}}
    number = _INT.match(text) if kind == "int" else _DECIMAL.match(text)
    if kind in {"int", "decimal"}:
        # As parseInt and parseFloat: what follows the number is not looked at, and many digits are rounded.
        return _plain(float(number[0])) if number else None
    return text


def _plain(number: float) -> float:
    return int(number) if number.is_integer() else number


def _sanitized(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]+", "_", re.sub(r"^([^A-Za-z_])", r"_\1", key))


def name(element: etree._Element) -> str:
    return etree.QName(element).localname
