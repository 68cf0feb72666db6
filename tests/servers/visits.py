"""A small form and its submissions: a group, a repeat, a select_multiple, an integer and a date."""

from collections.abc import Mapping, Sequence
from uuid import uuid4

from tpm_pipeline.forms import seal
from tpm_pipeline.records import CompiledForm, MediaFile

_XFORM = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
  xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms"
  xmlns:entities="http://www.opendatakit.org/xforms/entities">
<h:head><h:title>Visites</h:title><model {model}>
  <instance><data id="{form_id}" version="{version}">
    <g_bureau><bureau/><date_visite/></g_bureau><nb_personnes/><besoins/>{extra}
    <orientations jr:template=""><service/><delai/></orientations>
    <orientations><service/><delai/></orientations>
    <meta>{entity}<instanceID/></meta>
  </data></instance>
  {files}
  <bind nodeset="/data/g_bureau/bureau" type="string" {saveto}/>
  <bind nodeset="/data/g_bureau/date_visite" type="date"/>
  <bind nodeset="/data/nb_personnes" type="int"/>
  <bind nodeset="/data/besoins" type="string"/>
  <bind nodeset="/data/orientations/service" type="string"/>
  <bind nodeset="/data/orientations/delai" type="int"/>
  <bind nodeset="/data/meta/instanceID" type="string" jr:preload="uid"/>
</model></h:head>
<h:body>
  <group ref="/data/g_bureau">
    <input ref="/data/g_bureau/bureau"><label>Bureau</label></input>
    <input ref="/data/g_bureau/date_visite"><label>Date</label></input>
  </group>
  <input ref="/data/nb_personnes"><label>Personnes</label></input>
  <select ref="/data/besoins"><label>Besoins</label>
    <item><label>Santé</label><value>sante</value></item><item><label>Droit</label><value>droit</value></item>
  </select>
  <group ref="/data/orientations"><label>Orientations</label><repeat nodeset="/data/orientations">
    <input ref="/data/orientations/service"><label>Service</label></input>
    <input ref="/data/orientations/delai"><label>Délai</label></input>
  </repeat></group>
</h:body></h:html>"""
_ENTITY = '<entity dataset="{0}" id="" create="1"><label/></entity>'


def visit_form(
    version: str = "1",
    *,
    form_id: str = "visites",
    extra: str = "",
    files: Sequence[MediaFile] = (),
    reads: Sequence[str] = (),
    creates: str = "",
) -> CompiledForm:
    """The form; it reads `files`, which come with it, and `reads`, entity lists; it `creates` another."""
    names = [*(file.name for file in files), *(f"{name}.csv" for name in reads)]
    xform = _XFORM.format(
        form_id=form_id,
        version=version,
        extra=f"<{extra}/>" if extra else "",
        files="".join(f'<instance id="{n.removesuffix(".csv")}" src="jr://file-csv/{n}"/>' for n in names),
        model='entities:entities-version="2024.1.0"' if creates else "",
        entity=_ENTITY.format(creates) if creates else "",
        saveto='entities:saveto="bureau"' if creates else "",
    )
    lists = (creates,) if creates else ()
    sheets = _sheets(form_id, version, extra)
    return CompiledForm(form_id, version, "Visites", seal.sealed(xform.encode()), tuple(files), lists, sheets)


def _sheets(form_id: str, version: str, extra: str) -> Mapping[str, tuple[Mapping[str, str], ...]]:
    """The same questions as an XLSForm."""
    asked = [
        ("begin_group", "g_bureau", ""),
        ("text", "bureau", "Bureau"),
        ("date", "date_visite", "Date"),
        ("end_group", "", ""),
        ("integer", "nb_personnes", "Personnes"),
        ("select_multiple besoins", "besoins", "Besoins"),
        *([("text", extra, "Autre")] if extra else []),
        ("begin_repeat", "orientations", "Orientations"),
        ("text", "service", "Service"),
        ("integer", "delai", "Délai"),
        ("end_repeat", "", ""),
    ]
    rows = [{"type": kind, "name": name, "label": label} for kind, name, label in asked]
    return {
        "survey": tuple({key: text for key, text in row.items() if text} for row in rows),
        "choices": (
            {"list_name": "besoins", "name": "sante", "label": "Santé"},
            {"list_name": "besoins", "name": "droit", "label": "Droit"},
        ),
        "settings": ({"form_id": form_id, "version": version, "form_title": "Visites"},),
    }


def visit(
    *,
    instance_id: str = "",
    replaces: str = "",
    version: str = "1",
    form_id: str = "visites",
    persons: str = "3",
    services: Sequence[tuple[str, str]] = (("sante", "2"), ("droit", "10")),
    more: str = "",
) -> bytes:
    """One submission; `replaces` makes it an edit of that instance."""
    orientations = "".join(
        f"<orientations><service>{service}</service><delai>{delay}</delai></orientations>"
        for service, delay in services
    )
    deprecated = f"<deprecatedID>{replaces}</deprecatedID>" if replaces else ""
    return (
        f'<data id="{form_id}" version="{version}"><g_bureau><bureau>Agadir é&amp;"</bureau>'
        f"<date_visite>2026-11-02</date_visite></g_bureau><nb_personnes>{persons}</nb_personnes>"
        f"<besoins>sante droit</besoins>{more}{orientations}"
        f"<meta><instanceID>{instance_id or new_id()}</instanceID>{deprecated}</meta></data>"
    ).encode()


def new_id() -> str:
    return f"uuid:{uuid4()}"
