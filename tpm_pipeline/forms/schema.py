"""An XForm as typed tables: what every deployed version tells the warehouse."""

import re
from collections.abc import Iterator, Mapping
from typing import Final, cast, get_args

from lxml import etree
from lxml.etree import _Element

from tpm_pipeline.errors import FormError
from tpm_pipeline.records import AnswerType, Choice, FormSchema, Language, Privacy, Question, Table

PRIVACY_NAMESPACE: Final = "https://migdev.org/tpm"

_XF: Final = "{http://www.w3.org/2002/xforms}"
_XHTML: Final = "{http://www.w3.org/1999/xhtml}"
_COUNT: Final = "{http://openrosa.org/javarosa}count"
_CONTROLS: Final = frozenset({"input", "select", "select1", "rank", "range", "upload", "trigger", "secret"})
_BY_CONTROL: Final[Mapping[str, AnswerType]] = {
    "select1": "select_one",
    "select": "select_multiple",
    "rank": "select_multiple",
    "upload": "binary",
}
_BY_BIND: Final[Mapping[str, AnswerType]] = {
    "int": "integer",
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "dateTime": "datetime",
    "time": "time",
    "geopoint": "geopoint",
    "binary": "binary",
    "select1": "select_one",
    "select": "select_multiple",
    "rank": "select_multiple",
}
_INSTANCE: Final = re.compile(r"instance\(\s*['\"]([^'\"]+)['\"]\s*\)")
_ITEXT: Final = re.compile(r"jr:itext\(\s*['\"](.+)['\"]\s*\)")
_LANGUAGE_TAG: Final = re.compile(r"\(([a-z]{2})\)\s*$")
_NODE: Final = re.compile(r"[\w./()-]*/([\w.-]+)|[\w.-]+")

Labels = Mapping[Language, str]
Path = tuple[str, ...]


def read(xform: bytes) -> FormSchema:
    """Read the typed tables of an XForm, whichever tool compiled it."""
    root = _parse(xform)
    model = root.find(f"{_XHTML}head/{_XF}model")
    primary = None if model is None else model.find(f"{_XF}instance/*")
    body = root.find(f"{_XHTML}body")
    if model is None or primary is None or body is None or not primary.get("id"):
        raise _no_xform("it has no model, no body, or no instance with an id.")
    form = _Form(model, primary, body)
    return FormSchema(
        form_id=primary.get("id", ""),
        version=primary.get("version", ""),
        title=(root.findtext(f"{_XHTML}head/{_XHTML}title") or "").strip(),
        root=form.table((), primary),
        lists=form.lists,
    )


def unclassified(table: Table) -> Iterator[Question]:
    """Yield the questions without a privacy class, repeats included."""
    yield from (question for question in table.questions if question.privacy is None)
    for repeat in table.repeats:
        yield from unclassified(repeat)


def _parse(xform: bytes) -> _Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(xform, parser)
    except etree.XMLSyntaxError as error:
        raise _no_xform(f"{error.msg}.") from None


def _no_xform(why: str) -> FormError:
    return FormError("FORM-013", "XForm", f"This is not an XForm: {why}", "Compile the form again, or fetch it again.")


class _Form:
    """The parts of an XForm, by path below the root of its primary instance."""

    def __init__(self, model: _Element, primary: _Element, body: _Element) -> None:
        self._texts = _Texts(model)
        self._binds = {_path(bind.get("nodeset")): bind for bind in model.iterfind(f"{_XF}bind")}
        self._set = {_path(action.get("ref")) for part in (model, body) for action in part.iter(f"{_XF}setvalue")}
        self._controls: dict[Path, _Element] = {}
        self._groups: dict[Path, _Element] = {}
        self._repeats: dict[Path, _Element] = {}
        self._place(body)
        self._generated = {path for path, repeat in self._counts() if path == _path(repeat.get(_COUNT))}
        self.lists = {**_inline_lists(self._controls, self._texts), **_instance_lists(model, primary, self._texts)}

    def _place(self, body: _Element) -> None:
        for element in body.iter(f"{_XF}*"):
            kind = _local(element)
            if kind in _CONTROLS:
                self._controls[_path(element.get("ref"))] = element
            elif kind == "group" and element.get("ref"):
                self._groups[_path(element.get("ref"))] = element
            elif kind == "repeat":
                self._repeats[_path(element.get("nodeset"))] = element

    def _counts(self) -> Iterator[tuple[Path, _Element]]:
        """Yield the path of the hidden node pyxform adds to hold each repeat's count."""
        for path, repeat in self._repeats.items():
            yield (*path[:-1], f"{path[-1]}_count"), repeat

    def table(self, path: Path, element: _Element) -> Table:
        """Describe the form, or one of its repeats."""
        questions: list[Question] = []
        repeats: list[Table] = []
        for here, node in self._nodes(path, element):
            if here in self._repeats:
                repeats.append(self.table(here, node))
            elif question := self._question(here, node):
                questions.append(question)
        return Table(path, tuple(questions), tuple(repeats), self._repeat_labels(path) if path else None)

    def _nodes(self, path: Path, element: _Element) -> Iterator[tuple[Path, _Element]]:
        """Yield questions and repeats in the order of the instance; a repeat's template counts once."""
        seen = set()
        for child in element:
            here = (*path, _local(child))
            if here in seen:
                continue
            seen.add(here)
            if here[-1] == "meta":
                yield from (((*here, "audit"), audit) for audit in child.iterfind("{*}audit"))
            elif here in self._repeats or len(child) == 0:
                yield here, child
            else:
                yield from self._nodes(here, child)

    def _question(self, path: Path, node: _Element) -> Question | None:
        bind, control = self._binds.get(path), self._controls.get(path)
        if path in self._generated or (control is None and path in self._groups) or self._is_note(path, node):
            return None
        return Question(
            path=path,
            type=_type(bind, control),
            privacy=_privacy(bind),
            labels=self._texts.of(control, "label"),
            hints=self._texts.of(control, "hint"),
            choices=_list_name(path, control),
            calculated=(bind is not None and bool(bind.get("calculate"))) or (control is None and path in self._set),
        )

    def _is_note(self, path: Path, node: _Element) -> bool:
        """A note is shown, never answered: read-only, and nothing puts a value in it."""
        bind, control = self._binds.get(path), self._controls.get(path)
        return (
            bind is not None
            and control is not None
            and _local(control) == "input"
            and bind.get("readonly") == "true()"
            and not bind.get("calculate")
            and not node.text
            and path not in self._set
        )

    def _repeat_labels(self, path: Path) -> Labels:
        return self._texts.of(self._groups.get(path), "label") or self._texts.of(self._repeats[path], "label")


class _Texts:
    """The words of a form by language; a form without translations speaks French."""

    def __init__(self, model: _Element) -> None:
        self._by_id: dict[str, dict[Language, str]] = {}
        for translation in model.iterfind(f"{_XF}itext/{_XF}translation"):
            if language := _language(translation.get("lang", "")):
                for text in translation:
                    self._add(text, language)

    def _add(self, text: _Element, language: Language) -> None:
        words = next((_words(value) for value in text if not value.get("form")), "")
        if words and words != "-":  # pyxform writes "-" where a translation is missing
            self._by_id.setdefault(text.get("id", ""), {})[language] = words

    def by_id(self, text_id: str) -> Labels:
        """Return a text in its languages."""
        return self._by_id.get(text_id, {})

    def of(self, element: _Element | None, kind: str) -> Labels:
        """Return the label or hint of an element."""
        child = None if element is None else element.find(f"{_XF}{kind}")
        if child is None:
            return {}
        if itext := _ITEXT.search(child.get("ref", "")):
            return self.by_id(itext.group(1))
        words = _words(child)
        return {"fr": words} if words else {}


def _language(name: str) -> Language | None:
    tag = _LANGUAGE_TAG.search(name)
    code = tag.group(1) if tag else {"default": "fr"}.get(name, name)
    return cast("Language", code) if code in get_args(Language) else None


def _words(element: _Element) -> str:
    """Return an element's text, with `${name}` where it shows an answer."""
    parts = [element.text or ""]
    for child in element:
        value = (child.get("value") or child.get("ref") or "").strip()
        node = _NODE.fullmatch(value)
        parts += [f"${{{node.group(1) or value if node else value}}}", child.tail or ""]
    return "".join(parts).strip()


def _instance_lists(model: _Element, primary: _Element, texts: _Texts) -> dict[str, tuple[Choice, ...]]:
    """Read the lists inside the form; lists in files beside it are not here."""
    return {
        instance.get("id", ""): tuple(
            Choice(item.findtext("{*}name") or "", _item_labels(item, texts)) for item in instance.iterfind("*/{*}item")
        )
        for instance in model.iterfind(f"{_XF}instance")
        if not instance.get("src") and instance.get("id") and instance is not primary.getparent()
    }


def _item_labels(item: _Element, texts: _Texts) -> Labels:
    text_id = item.findtext("{*}itextId")
    if text_id:
        return texts.by_id(text_id)
    words = item.findtext("{*}label")
    return {"fr": words.strip()} if words else {}


def _inline_lists(controls: Mapping[Path, _Element], texts: _Texts) -> dict[str, tuple[Choice, ...]]:
    """Read the choices older compilers wrote inside each question, under the question's path."""
    return {
        "/".join(path): tuple(Choice(item.findtext(f"{_XF}value") or "", texts.of(item, "label")) for item in items)
        for path, control in controls.items()
        if (items := control.findall(f"{_XF}item"))
    }


def _list_name(path: Path, control: _Element | None) -> str | None:
    if control is None:
        return None
    itemset = control.find(f"{_XF}itemset")
    if itemset is None:
        return "/".join(path) if control.find(f"{_XF}item") is not None else None
    instance = _INSTANCE.search(itemset.get("nodeset", ""))
    return instance.group(1) if instance else None


def _type(bind: _Element | None, control: _Element | None) -> AnswerType:
    if control is not None and _local(control) in _BY_CONTROL:
        return _BY_CONTROL[_local(control)]
    declared = "" if bind is None else bind.get("type", "").rpartition(":")[2]
    return _BY_BIND.get(declared, "string")


def _privacy(bind: _Element | None) -> Privacy | None:
    value = None if bind is None else bind.get(f"{{{PRIVACY_NAMESPACE}}}privacy")
    return cast("Privacy", value) if value in get_args(Privacy) else None


def _path(nodeset: str | None) -> Path:
    """Split `/data/group/question` below its root."""
    return tuple((nodeset or "").strip().split("/")[2:])


def _local(element: _Element) -> str:
    return etree.QName(element).localname
