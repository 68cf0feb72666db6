"""Synthetic submissions: the XML a phone would send for each event of the demo population."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from tpm_pipeline.demo import mess, project, versions
from tpm_pipeline.demo.cases import Answers, Event, Value
from tpm_pipeline.forms import schema
from tpm_pipeline.records import CompiledForm, FormVersion, MediaFile

_TEMPLATE = "{http://openrosa.org/javarosa}template"


@dataclass(frozen=True)
class Submission:
    """A filled form, ready to send."""

    form_id: str
    instance_id: str
    xml: bytes
    attachments: tuple[MediaFile, ...]


@dataclass(frozen=True)
class Mail:
    """A submission, when it leaves the phone, and how much of which mess it is (the fields of `Mess`)."""

    submission: Submission
    at: datetime
    counts: Mapping[str, int]


def generate(seed: int, visits: int, deployed: Mapping[str, FormVersion]) -> Iterator[Submission]:
    """Yield `visits` synthetic visits and everything else the project fills, in chronological order, without mess.

    `deployed` holds one version of each form by form_id; what is filled in other forms is left out. The same
    arguments give the same bytes.
    """
    templates = {form_id: template(version.xform) for form_id, version in deployed.items()}
    for event in events(seed, visits, deployed):
        yield _submission(event, templates[event.form_id])


def mailed(seed: int, visits: int, forms: Sequence[CompiledForm], former: Sequence[CompiledForm]) -> Iterator[Mail]:
    """Yield the same as phones send it, mess included; before the change, forms were those of `former`."""
    new, old = ({form.form_id: template(form.xform) for form in each} for each in (forms, former))
    deployed = {form.form_id: FormVersion(form.form_id, form.version, form.xform) for form in forms}
    for sending in mess.sendings(seed, events(seed, visits, deployed)):
        event = sending.event
        templates = old if event.began.date() < versions.CHANGED else new
        yield Mail(_submission(event, templates[event.form_id]), sending.at, sending.counts)


def events(seed: int, visits: int, deployed: Mapping[str, FormVersion]) -> Iterator[Event]:
    """Yield every event of the deployed forms, in chronological order."""
    labels = service_labels(deployed["tpm_visite"]) if "tpm_visite" in deployed else defaultdict(str)
    return (event for event in project.events(seed, visits, labels) if event.form_id in deployed)


def _submission(event: Event, instance: etree._Element) -> Submission:
    return Submission(event.form_id, event.instance_id, written(event, instance), event.attachments)


def template(xform: bytes) -> etree._Element:
    """The empty instance of a form: every node once, in the form's order."""
    instance = next(etree.fromstring(xform).iterfind(".//{*}model/{*}instance"))[0]
    for node in [node for node in instance.iter() if _TEMPLATE in node.attrib]:
        parent = node.getparent()
        if parent is not None:
            parent.remove(node)
    return instance


def service_labels(version: FormVersion) -> Mapping[str, str]:
    """The services' French names, as the phone shows them."""
    return {choice.name: choice.labels["fr"] for choice in schema.read(version.xform).lists["service"]}


def written(event: Event, instance: etree._Element) -> bytes:
    """Write an event as the form's instance."""
    answers = {**event.answers, **_metadata(event)}
    attributes = f"id={quoteattr(instance.get('id', ''))} version={quoteattr(instance.get('version', ''))}"
    root = etree.QName(instance).localname
    content = "".join(_node(node, answers, event) for node in instance)
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<{root} {attributes}>{content}</{root}>".encode()


def _metadata(event: Event) -> Answers:
    return {
        "start": event.began.isoformat(timespec="milliseconds"),
        "end": event.ended.isoformat(timespec="milliseconds"),
        "today": event.began.date().isoformat(),
        "username": "demo",
        "deviceid": event.device,
        "instanceID": event.instance_id,
        "instanceName": event.name,
    }


def _node(node: etree._Element, answers: Answers, event: Event) -> str:
    """Write one node: nothing when it was not asked, the form's own content when nothing is said of it."""
    name = etree.QName(node).localname
    if name == "entity":
        return _entity(node, event)
    if name == "instanceID" and event.replaces:
        return _leaf(name, event.instance_id) + _leaf("deprecatedID", event.replaces)
    value: Value = answers.get(name, node.text or "")
    if value is None:
        return ""
    if not isinstance(value, str):
        return "".join(_group(name, node, row, event) for row in value)
    return _group(name, node, answers, event) if len(node) else _leaf(name, value)


def _group(name: str, node: etree._Element, answers: Answers, event: Event) -> str:
    content = "".join(_node(child, answers, event) for child in node)
    return f"<{name}>{content}</{name}>"


def _leaf(name: str, value: str) -> str:
    return f"<{name}>{escape(value)}</{name}>" if value else f"<{name}/>"


def _entity(node: etree._Element, event: Event) -> str:
    if event.entity is None:
        return ""
    said = {"id": event.entity.id, "baseVersion": event.entity.base_version, **event.entity.flags}
    empty = {str(name): str(value) for name, value in node.attrib.items()}
    attributes = " ".join(f"{name}={quoteattr(said.get(name, value))}" for name, value in empty.items())
    label = _leaf("label", event.entity.label) if len(node) else ""
    return f"<entity {attributes}>{label}</entity>"
