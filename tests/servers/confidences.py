"""A small form whose submissions a phone encrypts: a group, a point, a choice of several, repeats in repeats, files."""

import re
from collections.abc import Collection, Mapping

from tests.servers.encryptor import KeyPair, encrypt, key_pair
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tpm_pipeline.forms import seal
from tpm_pipeline.records import CompiledForm, MediaFile
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.central_sealed import Keys
from tpm_pipeline.servers.central_sealed_files import SealedFiles
from tpm_pipeline.servers.encryption import read_key

FORM, PASSPHRASE = "confidences", "une phrase assez longue 42"
OWN = key_pair()

_XFORM = """<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
  xmlns:jr="http://openrosa.org/javarosa">
<h:head><h:title>Confidences</h:title><model>{submission}
  <instance><data id="confidences" version="{version}">
    <nom/>{extra}<grp><services/><lieu/></grp><photo/><piece/>
    <enfants jr:template=""><prenom/><jouets jr:template=""><jouet/></jouets></enfants>
    <meta><instanceID/><audit/></meta>
  </data></instance>
  <bind nodeset="/data/nom" type="string"/>
  <bind nodeset="/data/grp/services" type="string"/>
  <bind nodeset="/data/grp/lieu" type="geopoint"/>
  <bind nodeset="/data/photo" type="binary"/>
  <bind nodeset="/data/piece" type="binary"/>
  <bind nodeset="/data/enfants/prenom" type="string"/>
  <bind nodeset="/data/enfants/jouets/jouet" type="string"/>
  <bind nodeset="/data/meta/audit" type="binary"/>
  <bind nodeset="/data/meta/instanceID" type="string" jr:preload="uid"/>
</model></h:head>
<h:body>
  <input ref="/data/nom"><label>Nom</label></input>
  <select ref="/data/grp/services"><label>Services</label>
    <item><label>Santé</label><value>sante</value></item><item><label>Droit</label><value>droit</value></item>
  </select>
  <input ref="/data/grp/lieu"><label>Lieu</label></input>
  <upload ref="/data/photo" mediatype="image/*"><label>Photo</label></upload>
  <upload ref="/data/piece" mediatype="application/*"><label>Pièce</label></upload>
  <group ref="/data/enfants"><label>Enfants</label><repeat nodeset="/data/enfants">
    <input ref="/data/enfants/prenom"><label>Prénom</label></input>
    <group ref="/data/enfants/jouets"><label>Jouets</label><repeat nodeset="/data/enfants/jouets">
      <input ref="/data/enfants/jouets/jouet"><label>Jouet</label></input>
    </repeat></group>
  </repeat></group>
</h:body></h:html>"""
NAME = 'Amina «é» ض, "dite" l\'aînée\nde la rue'
TOLD = {
    "nom": NAME,
    "grp": {"services": "sante droit", "lieu": "30.4 -9.6 12 5"},
    "enfants": [
        {"prenom": "Un", "jouets": [{"jouet": "bille"}, {}, {"jouet": "toupie"}]},
        {},
        {"prenom": "Deux", "jouets": [{"jouet": "corde"}]},
    ],
}
"""The answers of `confidence()`."""


def confidence_form(version: str = "1", *, key: KeyPair | None = OWN, extra: str = "") -> CompiledForm:
    """The form; phones encrypt with the public `key`."""
    xform = _XFORM.format(
        version=version,
        submission=f'<submission base64RsaPublicKey="{key.public}"/>' if key else "",
        extra=f"<{extra}/>" if extra else "",
    )
    return CompiledForm(FORM, version, "Confidences", seal.sealed(xform.encode()), (), ())


def confidence(
    instance_id: str, version: str = "1", *, more: str = "", photo: str = "", paper: str = "", log: str = ""
) -> bytes:
    """One submission, in plain text; `photo`, `paper` and `log` are file names."""
    return (
        f'<data id="{FORM}" version="{version}"><nom>{NAME}</nom>{more}'
        "<grp><services>sante droit</services><lieu>30.4 -9.6 12 5</lieu></grp>"
        f"<photo>{photo}</photo><piece>{paper}</piece>"
        "<enfants><prenom>Un</prenom><jouets><jouet>bille</jouet></jouets><jouets><jouet/></jouets>"
        "<jouets><jouet>toupie</jouet></jouets></enfants><enfants><prenom/></enfants>"
        "<enfants><prenom>Deux</prenom><jouets><jouet>corde</jouet></jouets></enfants>"
        f"<meta><instanceID>{instance_id}</instanceID><audit>{log}</audit></meta></data>"
    ).encode()


def send(
    site: Site,
    xml: bytes,
    public: str = OWN.public,
    *,
    media: Mapping[str, bytes] | None = None,
    late: Collection[str] = (),
    damaged: Collection[str] = (),
    replaces: str = "",
) -> dict[str, bytes]:
    """Send a submission as a phone encrypts it, without the `late` files; `damaged` ones become others on the way."""
    sent = encrypt(public, xml, media)
    # The last byte tells how long the padding is: this one is too long.
    broken = {name: sent.files[name][:-1] + bytes([sent.files[name][-1] ^ 128]) for name in damaged}
    files = {**sent.files, **broken}
    deprecated = f"</orx:instanceID><orx:deprecatedID>{replaces}</orx:deprecatedID>" if replaces else ""
    envelope = sent.envelope.replace(b"</orx:instanceID>", deprecated.encode()) if replaces else sent.envelope
    site.submit(envelope, files=tuple(MediaFile(name, file) for name, file in files.items() if name not in late))
    return files


def manage(site: Site) -> tuple[str, str]:
    """Let Central encrypt the project; its public key, and the version of the form that has it."""
    api, project = api_of(site)
    api.post(f"{project}/key", {"passphrase": PASSPHRASE, "hint": "indice"})
    newest = site.server.versions(FORM)[-1]
    found = re.search(rb'base64RsaPublicKey="([^"]+)"', newest.xform)
    assert found
    return found[1].decode(), newest.version


def unlock(site: Site, *pairs: KeyPair, passphrase: str = "") -> None:
    """Give the pipeline keys."""
    assert isinstance(site.server, CentralServer)
    site.server._keys = keys = Keys(tuple(read_key(pair.private_pem) for pair in pairs), passphrase)
    site.server._sealed_files = SealedFiles(site.server._api, keys)


def attach(site: Site, root: str, name: str, content: bytes) -> None:
    """Send a file that was late."""
    api, project = api_of(site)
    api.upload(f"{project}/forms/{FORM}/submissions/{root}/attachments/{name}", content, "application/octet-stream")
