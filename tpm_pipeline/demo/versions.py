"""A form as it was in the first half of the project: one question fewer, one choice in other words."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from lxml import etree

from tpm_pipeline.records import CompiledForm

FORM: Final = "tpm_visite"
CHANGED: Final = date(2022, 3, 1)
"""The day the present version replaced the earlier one on phones."""

ADDED: Final = "instruction"
"""The question that the earlier version did not ask."""

RELABELLED: Final = ("canal", "messagerie")
_FORMERLY: Final[Mapping[str, str]] = {"fr": "WhatsApp", "ar": "واتساب"}
_FIRST_VERSION: Final = "2020092501"


def earlier(forms: Sequence[CompiledForm]) -> list[CompiledForm]:
    """The forms as they were deployed at the start: one of them in its earlier version."""
    return [former(form) if form.form_id == FORM else form for form in forms]


def former(form: CompiledForm) -> CompiledForm:
    """Derive the earlier version from the present one."""
    root = etree.fromstring(form.xform)
    _take_out(root, ADDED)
    _relabel(root, *RELABELLED)
    instance = next(root.iterfind(".//{*}model/{*}instance"))[0]
    instance.set("version", "")
    digest = hashlib.sha256(etree.tostring(root)).hexdigest()[:8]
    instance.set("version", f"{_FIRST_VERSION}-{digest}")
    xform = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return replace(form, version=f"{_FIRST_VERSION}-{digest}", xform=xform)


def _take_out(root: etree._Element, question: str) -> None:
    """Remove a question: its node, bind, control and texts, and the list only it offered."""
    bind = next(node for node in root.iter("{*}bind") if str(node.get("nodeset")).endswith(f"/{question}"))
    path = str(bind.get("nodeset"))
    control = next(node for node in root.iter() if node.get("ref") == path)
    node = next(root.iterfind(".//{*}model/{*}instance"))[0]
    for name in path.split("/")[2:]:
        node = next(child for child in node if etree.QName(child).localname == name)
    lists = [str(each.get("nodeset")) for each in control.iter("{*}itemset")]
    _remove([node, bind, control, *_texts(root, f"{path}:")])
    for nodeset in lists:
        if not any(each.get("nodeset") == nodeset for each in root.iter("{*}itemset")):
            _take_out_list(root, nodeset.split("'")[1])


def _take_out_list(root: etree._Element, name: str) -> None:
    offered = [node for node in root.iter("{*}instance") if node.get("id") == name]
    _remove([*offered, *_texts(root, f"{name}-")])


def _relabel(root: etree._Element, name: str, choice: str) -> None:
    offered = next(node for node in root.iter("{*}instance") if node.get("id") == name)
    item = next(each for each in offered.iter("{*}item") if each.findtext("{*}name") == choice)
    for translation in root.iter("{*}translation"):
        language = str(translation.get("lang")).rpartition("(")[2].rstrip(")")
        for text in translation:
            if text.get("id") == item.findtext("{*}itextId"):
                text[0].text = _FORMERLY[language]


def _texts(root: etree._Element, prefix: str) -> list[etree._Element]:
    return [node for node in root.iter("{*}text") if str(node.get("id")).startswith(prefix)]


def _remove(nodes: Sequence[etree._Element]) -> None:
    for node in nodes:
        parent = node.getparent()
        if parent is not None:
            parent.remove(node)
