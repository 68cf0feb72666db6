"""Deploying forms to Central: draft, attachments, publication; and what a hand changed of them since."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import md5, sha256
from itertools import count
from typing import Any

from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import seal
from tpm_pipeline.records import Change, CompiledForm, FormVersion
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_steps import NOT_FOUND, Step

_XML, _CSV, _ANY = "application/xml", "text/csv", "application/octet-stream"


@dataclass(frozen=True)
class _Held:
    """A form as Central has it, its versions the newest first."""

    state: str
    versions: Sequence[Mapping[str, Any]]
    draft: Mapping[str, Any] | None

    @property
    def names(self) -> list[str]:
        return [seal.plain_version(str(row["version"] or "")) for row in self.versions]


def in_order(forms: Sequence[CompiledForm]) -> list[CompiledForm]:
    """Forms that create entity lists first: Central links a list to a form's attachment only once it exists."""
    return sorted(forms, key=lambda form: not form.entity_lists)


def steps(api: CentralApi, project: int | None, form: CompiledForm) -> Iterator[Step]:
    """What makes this version the one phones get, and what a hand left or changed."""
    held = _held(api, project, form.form_id)
    here = address("projects", project or 0, "forms", form.form_id)
    if held.draft and not _is_ours(api, here + "/draft.xml", held.draft, form):
        drop = partial(_drop_draft, api, form.form_id) if held.versions else None
        change = Change("drift", f"{form.form_id}: a draft that no deployment made would be deleted")
        yield Step(change, drop) if drop else Step(change)
    yield _publication(api, here, form, held)
    if held.versions and held.state != "open":
        what = f"{form.form_id}: it is {held.state}, and would be open again"
        yield Step(Change("drift", what), partial(_set_state, api, form.form_id, "open"))


def retirement(api: CentralApi, project: int | None, form_id: str) -> Step:
    """What makes phones get a form no more, while what they still hold can be sent."""
    held = _held(api, project, form_id)
    if not held.versions:
        return Step(Change("none", f"{form_id} is retired, and not on this server"))
    if held.state != "open":
        return Step(Change("none", f"{form_id} is retired"))
    what = f"{form_id} is retired: phones get it no more, what they hold can still be sent"
    return Step(Change("update", what), partial(_set_state, api, form_id, "closing"))


def versions(api: CentralApi, project: int, form_id: str) -> list[FormVersion]:
    """Every published version with its XForm, oldest first."""
    here = address("projects", project, "forms", form_id, "versions")
    found = [(str(row["version"] or ""), row["sha256"]) for row in reversed(api.get(here, tolerate=(NOT_FOUND,)) or [])]
    return [FormVersion(form_id, version, api.xml(here + _xml_of(version), sha256)) for version, sha256 in found]


def _publication(api: CentralApi, here: str, form: CompiledForm, held: _Held) -> Step:
    if not held.versions:
        return Step(Change("create", f"{form.form_id} {form.version}"), partial(_publish, api, form))
    newest, name = held.versions[0], held.names[0]
    # Central publishes a version once: the second time, ours gets a number.
    same = re.fullmatch(re.escape(form.version) + r"(\.\d+)?", name)
    if same and _is(api, here, newest, seal.revised(form, name).xform):
        wrong = _other_files(api, here, form)
        if not wrong:
            return Step(Change("none", f"{form.form_id} {name}"))
        drift = f"{form.form_id}: version {name} was published with other files than ours ({', '.join(wrong)})"
    elif seal.is_ours(seal.plain(api.xml(here + "/versions" + _xml_of(str(newest["version"] or ""))))):
        drift = ""
    else:
        drift = f"{form.form_id}: no deployment made the published version «{name}»"
    free = next(other for other in _numbered(form.version) if other not in held.names)
    line = f"{drift}; {free} would take its place" if drift else f"{form.form_id} {free}"
    return Step(Change("drift" if drift else "update", line), partial(_publish, api, seal.revised(form, free)))


def _numbered(version: str) -> Iterator[str]:
    yield version
    yield from (f"{version}.{number}" for number in count(2))


def _held(api: CentralApi, project: int | None, form_id: str) -> _Held:
    here = address("projects", project or 0, "forms", form_id)
    form = api.get(here, tolerate=(NOT_FOUND,)) if project is not None else None
    if form is None:
        return _Held("open", (), None)
    return _Held(form["state"], api.get(here + "/versions"), api.get(here + "/draft", tolerate=(NOT_FOUND,)))


def _is(api: CentralApi, here: str, held: Mapping[str, Any], xform: bytes) -> bool:
    if held["sha256"] == sha256(xform).hexdigest():
        return True
    # A server that encrypts what phones send has its own key in every form.
    return bool(held["keyId"]) and seal.plain(api.xml(here + "/versions" + _xml_of(held["version"]))) == xform


def _is_ours(api: CentralApi, place: str, held: Mapping[str, Any], form: CompiledForm) -> bool:
    return held["sha256"] == sha256(form.xform).hexdigest() or seal.is_ours(seal.plain(api.xml(place)))


def _other_files(api: CentralApi, here: str, form: CompiledForm) -> list[str]:
    """The files of the published version that are not those we bring; entity lists are the server's own."""
    own = {f"{name}.csv" for name in form.entity_lists}
    ours = {file.name: _md5(file.content) for file in form.media if file.name not in own}
    held = [row for row in (api.get(here + "/attachments") if ours else ()) if not row["datasetExists"]]
    return [row["name"] for row in held if row["hash"] != ours.get(row["name"], row["hash"])]


def _publish(api: CentralApi, form: CompiledForm, project: int) -> None:
    """Publish a version through a draft; the draft an interrupted deployment left is replaced."""
    here = address("projects", project, "forms", form.form_id)
    known = api.get(here, tolerate=(NOT_FOUND,)) is not None
    # Central's warnings (a question dropped, a form of that name in the trash) are `tpm check`'s to give.
    target = here + "/draft" if known else address("projects", project, "forms")
    api.upload(target, form.xform, _XML, {"ignoreWarnings": "true"})
    _attach(api, here, form, {str(row["name"]) for row in api.get(address("projects", project, "datasets"))})
    api.post(here + "/draft/publish")


def _attach(api: CentralApi, here: str, form: CompiledForm, lists: set[str]) -> None:
    """Upload what the form reads, except entity lists: Central fills those itself."""
    media = {file.name: file.content for file in form.media}
    # A list the form itself creates is linked when the form is published, unless a file took its place.
    own = {f"{name}.csv" for name in form.entity_lists}
    for wanted in api.get(here + "/draft/attachments"):
        name = str(wanted["name"])
        if wanted["datasetExists"] or name in own:
            continue
        if name.removesuffix(".csv") in lists:
            # A file was uploaded before the list existed, and Central would carry it on for ever.
            api.patch(here + "/draft/attachments" + address(name), {"dataset": True})
            continue
        if name not in media:
            cause = f"It needs the file «{name}», which neither comes with it nor is an entity list of the project."
            raise ServerError("SRV-017", form.form_id, cause, "Add the file, or deploy the form that makes the list.")
        if wanted["hash"] != _md5(media[name]):
            kind = _CSV if name.endswith(".csv") else _ANY
            api.upload(here + "/draft/attachments" + address(name), media[name], kind)


def _drop_draft(api: CentralApi, form_id: str, project: int) -> None:
    api.delete(address("projects", project, "forms", form_id, "draft"), tolerate=(NOT_FOUND,))


def _set_state(api: CentralApi, form_id: str, state: str, project: int) -> None:
    api.patch(address("projects", project, "forms", form_id), {"state": state})


def _xml_of(version: str) -> str:
    return address(f"{version or '___'}.xml")


def _md5(content: bytes) -> str:
    return md5(content, usedforsecurity=False).hexdigest()
