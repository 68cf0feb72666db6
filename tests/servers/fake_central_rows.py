"""How Central writes submissions as OData: the fields of one XForm, nulls, repeats without iterations."""

import hashlib
from dataclasses import dataclass
from typing import Any

from lxml import etree

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
    row, late = _structure(form, form.data, [answers], f"/{name(form.data)}", f"Submissions('{root_id}')")
    return {**row, "__id": root_id, "__system": system, **late}


def _structure(
    form: XForm, model: etree._Element, given: list[etree._Element], path: str, link: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answers of a group, and apart from them its repeats: they come last."""
    row: dict[str, Any] = {}
    late: dict[str, Any] = {}
    for child in model:
        here, key = f"{path}/{name(child)}", name(child)
        found = [e for parent in given for e in parent if isinstance(e.tag, str) and name(e) == key]
        if here in form.repeats:
            if found:
                late[f"{key}@odata.navigationLink"] = f"{link}/{key}"
                late[key] = [_iteration(form, child, one, here, f"{link}/{key}('{n}')") for n, one in enumerate(found)]
        elif len(child):
            inner, inner_late = _structure(form, child, found, here, link)
            row[key] = {**inner, **inner_late}
        else:
            row[key] = _value(form.types.get(here, "string"), (found[0].text or "") if found else "")
    return row, late


def _iteration(form: XForm, model: etree._Element, given: etree._Element, path: str, link: str) -> Any:
    row, late = _structure(form, model, [given], path, link)
    key = hashlib.sha1(link.encode(), usedforsecurity=False).hexdigest()
    return {**row, "__id": key, **late}


def _value(kind: str, text: str) -> Any:
    if not text:
        return None
    if kind == "geopoint":
        lat, lon, alt, accuracy = (float(part) for part in text.split())
        return {"type": "Point", "coordinates": [lon, lat, alt], "properties": {"accuracy": accuracy}}
    try:
        return int(text) if kind == "int" else float(text) if kind == "decimal" else text
    except ValueError:
        return None


def name(element: etree._Element) -> str:
    return etree.QName(element).localname
