"""What an XForm asks of an answer besides its type: when a question shows, what it accepts, what it computes."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

Path = tuple[str, ...]
Rules = Mapping[Path, Mapping[str, str]]
"""Expressions by question, then by what they decide."""

_XF: Final = "{http://www.w3.org/2002/xforms}"
_KINDS: Final = {
    "relevant": "relevance",
    "constraint": "constraint",
    "required": "required",
    "readonly": "read-only",
    "calculate": "calculation",
}
_REFERENCE: Final = re.compile(
    r"(?<![\])\w.])(?:current\(\)/)?(?:(?:\.\./)+(?:[\w.-]+/)*([\w.-]+)|(?:/[\w.-]+)+/([\w.-]+))"
)
_FILTER: Final = re.compile(r"\[(.*)\]$", re.DOTALL)


def read(xform: bytes) -> Rules:
    """Read the rules of an XForm, with `${name}` for the questions they name, as in the XLSForm."""
    root = etree.fromstring(xform, etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True))
    rules: dict[Path, dict[str, str]] = {}
    for path, kind, expression in _expressions(root):
        rules.setdefault(path, {})[kind] = _REFERENCE.sub(r"${\1\2}", " ".join(expression.split())).strip()
    return rules


def _expressions(root: etree._Element) -> Iterator[tuple[Path, str, str]]:
    for bind in root.iter(f"{_XF}bind"):
        for attribute, kind in _KINDS.items():
            if expression := bind.get(attribute):
                yield _path(bind.get("nodeset", "")), kind, expression
    for itemset in root.iter(f"{_XF}itemset"):
        control = itemset.getparent()
        if control is not None and (found := _FILTER.search(itemset.get("nodeset", ""))):
            yield _path(control.get("ref", "")), "choice filter", found[1]


def _path(nodeset: str) -> Path:
    return tuple(nodeset.strip().split("/")[2:])
