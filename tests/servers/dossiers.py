"""A small form whose submissions carry two files, a log, and an entity they create or update."""

from xml.sax.saxutils import escape, quoteattr

from tests.servers.visits import new_id
from tpm_pipeline.forms import seal
from tpm_pipeline.records import CompiledForm

FORM, LIST = "dossiers_essai", "cas"

_XFORM = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
  xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms"
  xmlns:entities="http://www.opendatakit.org/xforms/entities">
<h:head><h:title>Dossiers</h:title><model entities:entities-version="2024.1.0">
  <instance><data id="dossiers_essai" version="{version}">
    <nom/><annee/><photo/><piece/>
    <meta><instanceID/><audit/>
    <entity dataset="cas" id="" create="" update="" baseVersion="" branchId="" trunkVersion=""><label/></entity></meta>
  </data></instance>
  <bind nodeset="/data/nom" type="string" entities:saveto="nom"/>
  <bind nodeset="/data/annee" type="string" entities:saveto="annee-n"/>
  <bind nodeset="/data/photo" type="binary"/>
  <bind nodeset="/data/piece" type="binary"/>
  <bind nodeset="/data/meta/audit" type="binary"/>
  <bind nodeset="/data/meta/instanceID" type="string" jr:preload="uid"/>
</model></h:head>
<h:body>
  <input ref="/data/nom"><label>Nom</label></input>
  <input ref="/data/annee"><label>Année</label></input>
  <upload ref="/data/photo" mediatype="image/*"><label>Photo</label></upload>
  <upload ref="/data/piece" mediatype="application/*"><label>Pièce</label></upload>
</h:body></h:html>"""


def dossier_form(version: str = "1") -> CompiledForm:
    asked = [
        ("text", "nom", "Nom"),
        ("text", "annee", "Année"),
        ("image", "photo", "Photo"),
        ("file", "piece", "Pièce"),
    ]
    sheets = {
        "survey": (
            *({"type": kind, "name": name, "label": label} for kind, name, label in asked),
            {"type": "audit", "name": "audit"},
        ),
        "settings": ({"form_id": FORM, "version": version, "form_title": "Dossiers"},),
    }
    xform = seal.sealed(_XFORM.format(version=version).encode())
    return CompiledForm(FORM, version, "Dossiers", xform, (), (LIST,), sheets)


def dossier(
    *,
    instance_id: str = "",
    replaces: str = "",
    version: str = "1",
    name: str = "Amina",
    year: str = "",
    photo: str = "",
    paper: str = "",
    log: str = "",
    entity: str = "",
) -> bytes:
    """One submission; `photo`, `paper` and `log` are file names, `entity` what it does to the list."""
    deprecated = f"<deprecatedID>{replaces}</deprecatedID>" if replaces else ""
    years = f"<annee>{year}</annee>" if year else ""
    return (
        f'<data id="{FORM}" version="{version}"><nom>{name}</nom>{years}'
        f"<photo>{escape(photo)}</photo><piece>{escape(paper)}</piece>"
        f"<meta><instanceID>{instance_id or new_id()}</instanceID>{deprecated}<audit>{escape(log)}</audit>"
        f"{entity}</meta></data>"
    ).encode()


def creates(uuid: str, label: str = "Amina") -> str:
    return f'<entity dataset="{LIST}" id="{uuid}" create="1"><label>{label}</label></entity>'


def updates(uuid: str, label: str, base: int) -> str:
    told = f'update="1" baseVersion={quoteattr(str(base))}'
    return f'<entity dataset="{LIST}" id="{uuid}" {told}><label>{label}</label></entity>'
