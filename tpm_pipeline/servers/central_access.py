"""Who may enter a project of Central without an account: phones and desks, each knowing its office."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Change, Door
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_steps import ALREADY_THERE, NOT_FOUND, OFFICE, Step
from tpm_pipeline.servers.steps import counted

_DESK = "accueil"
# Other names are other people's, and left alone.
_OURS = re.compile(r"[A-Z]{3}\d{2} · .+")
_UNKNOWN = (NOT_FOUND,)
_NO_RIGHT = "403.1"  # what Central answers about a session that has ended

Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Doors:
    """The app users of a project, or the public links of one of its forms, as declared and as Central has them."""

    word: str
    path: tuple[str, ...]
    declared: Mapping[str, str]
    held: Sequence[Row]

    @property
    def open(self) -> list[Row]:
        """Those of ours that let somebody in, the newest first."""
        return [row for row in self.held if row["token"] and _OURS.fullmatch(row["displayName"])]

    def named(self, name: str) -> Row | None:
        """The one that lets in under a name."""
        return next((row for row in self.open if row["displayName"] == name), None)


def registration(api: CentralApi, project: int | None, access: Access) -> Iterator[Step]:
    """What lets phones and desks have an office at all."""
    held = [] if project is None else api.get(address("projects", project, "actor-properties"))
    needed = access.phones or access.desk_links or access.own_cases
    if needed and OFFICE not in {row["name"] for row in held}:
        yield Step(Change("create", f"property {OFFICE} of phones and links: their office"), partial(_register, api))


def steps(api: CentralApi, project: int | None, access: Access, form_ids: Sequence[str]) -> Iterator[Step]:
    """What lets each declared phone and desk in, as its office, and nobody who is declared no more."""
    phones = _phones(api, project, access)
    yield from _entries(api, phones, form_ids)
    yield from _permissions(api, project, phones, form_ids)
    for form_id in form_ids:
        yield from _entries(api, _links(api, project, access, form_id), ())


def phones(api: CentralApi, project: int, access: Access) -> Iterator[Door]:
    """The address of each declared phone."""
    held = _phones(api, project, access)
    for name, office in held.declared.items():
        token = _token(held, name, api.where)
        yield Door(office, _device(name), f"{api.url}/v1/key/{token}/projects/{project}")


def desks(api: CentralApi, project: int, access: Access) -> Iterator[Door]:
    """The address of each declared desk's form."""
    for form_id in access.desk_links:
        held = _links(api, project, access, form_id)
        for name, office in held.declared.items():
            token = _token(held, name, api.where)
            web_form = api.get(address("projects", project, "forms", form_id))["enketoId"]
            if not web_form:
                cause = "Central has not prepared its page for browsers."
                raise ServerError("SRV-042", form_id, cause, "Check that Enketo runs beside it, and wait a minute.")
            yield Door(office, form_id, f"{api.url}/f/{web_form}?st={token}")


def _phones(api: CentralApi, project: int | None, access: Access) -> _Doors:
    declared = {f"{office} · {device}": office for office, found in access.phones.items() for device in found}
    held = [] if project is None else api.get(address("projects", project, "app-users"), extended=True)
    return _Doors("phone", ("app-users",), declared, held)


def _links(api: CentralApi, project: int | None, access: Access, form_id: str) -> _Doors:
    declared = {f"{office} · {_DESK}": office for office in access.desk_links.get(form_id, ())}
    path = ("forms", form_id, "public-links")
    held = None if project is None else api.get(address("projects", project, *path), extended=True, tolerate=_UNKNOWN)
    return _Doors(f"link to {form_id}", path, declared, held or ())


def _entries(api: CentralApi, doors: _Doors, form_ids: Sequence[str]) -> Iterator[Step]:
    for row in doors.open:
        if row["displayName"] not in doors.declared:
            yield Step(Change("revoke", f"{doors.word} {row['displayName']}"), partial(_revoke, api, row["token"]))
    for name, office in doors.declared.items():
        found, line = doors.named(name), f"{doors.word} {name}"
        if found is None:
            yield Step(Change("create", line), partial(_open, api, doors, name, form_ids))
            continue
        known = (found["properties"] or {}).get(OFFICE)
        if known != office:
            what = f"{line}: its office is {known or 'nowhere'}, and would be {office}"
            change = Change("drift" if known else "update", what)
            yield Step(change, partial(_place, api, (*doors.path, found["id"]), office))


def _permissions(api: CentralApi, project: int | None, doors: _Doors, form_ids: Iterable[str]) -> Iterator[Step]:
    known = [row for name in doors.declared if (row := doors.named(name))]
    if project is None or not known:
        return
    given = api.get(address("projects", project, "assignments", "forms", "app-user"))
    allowed = {(row["xmlFormId"], row["actorId"]) for row in given}
    for form_id in form_ids:
        if missing := [row["id"] for row in known if (form_id, row["id"]) not in allowed]:
            change = Change("update", f"{form_id}: {counted(len(missing), 'phone')} more may fill it")
            yield Step(change, partial(_allow, api, [form_id], missing))


def _register(api: CentralApi, project: int) -> None:
    api.post(address("projects", project, "actor-properties"), {"name": OFFICE}, tolerate=(ALREADY_THERE,))


def _open(api: CentralApi, doors: _Doors, name: str, form_ids: Sequence[str], project: int) -> None:
    made = {"displayName": name, "properties": {OFFICE: doors.declared[name]}}
    user = api.post(address("projects", project, *doors.path), made)
    _allow(api, form_ids, [int(user["id"])], project)


def _allow(api: CentralApi, form_ids: Iterable[str], users: Sequence[int], project: int) -> None:
    for form_id in form_ids:
        for user in users:
            here = address("projects", project, "forms", form_id, "assignments", "app-user", user)
            api.post(here, tolerate=(ALREADY_THERE,))


def _place(api: CentralApi, path: Sequence[str | int], office: str, project: int) -> None:
    api.patch(address("projects", project, *path), {"properties": {OFFICE: office}})


def _revoke(api: CentralApi, token: str, _project: int) -> None:
    # The session ends and the name stays, beside everything it ever sent: what Central's own page does.
    api.delete(address("sessions", token), tolerate=(_NO_RIGHT,))


def _token(doors: _Doors, name: str, where: str) -> str:
    found = doors.named(name)
    if found is None:
        cause = f"There is no {doors.word} «{name}» yet."
        raise ServerError("SRV-043", where, cause, "Deploy first (tpm deploy).")
    return str(found["token"])


def _device(name: str) -> str:
    return name.partition(" · ")[2]
