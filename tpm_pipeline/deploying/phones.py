"""What an office needs to fill forms: a page of codes for its phones, and its links for a browser."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tpm_pipeline.deploying.offices import Office
from tpm_pipeline.errors import ServerError, together
from tpm_pipeline.paths import replacing
from tpm_pipeline.records import Access, Door
from tpm_pipeline.servers.base import Server
from tpm_pipeline.settings import Kind, Settings
from tpm_pipeline.web import phones
from tpm_pipeline.web.phones import Phone

_CALLED: Final[Mapping[Kind, str]] = {"local": "local", "central": "ODK Central", "kobo": "KoboToolbox"}


@dataclass(frozen=True)
class Site:
    """A server, who may fill what there, and the name phones give the project."""

    server: Server
    access: Access
    project: str


def project(settings: Settings, kind: Kind) -> str:
    """What phones call the project; one that has it of two servers must tell them apart."""
    name = settings.kobo_project if kind == "kobo" else settings.central_project
    return f"{name} · {_CALLED[kind]}" if len(settings.kinds) > 1 else name


def write(sites: Sequence[Site], offices: Mapping[str, Office], folder: Path) -> list[Path]:
    """Write the codes of every declared phone, then the desks' links; what was there before is gone.

    A server that cannot give its desks' links keeps nobody's phone from its code.
    """
    doors = [(site.project, site.server.phones(site.access)) for site in sites]
    desks, errors = list[Door](), list[ServerError]()
    for site in sites:
        try:
            desks += site.server.desks(site.access)
        except ServerError as error:
            errors.append(error)
    shutil.rmtree(folder, ignore_errors=True)
    written: list[Path] = []
    for code, office in offices.items():
        own = [
            Phone(door.name, door.url, project, door.username)
            for project, found in doors
            for door in found
            if door.office == code
        ]
        if own:
            written += phones.write_office(folder, office=code, office_fr=office.fr, office_ar=office.ar, phones=own)
    written += _write_desks(desks, folder)
    if errors:
        raise together(errors)
    return written


def _write_desks(desks: Sequence[Door], folder: Path) -> list[Path]:
    if not desks:
        return []
    target = folder / "desk-links.txt"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(target) as draft:
        draft.chmod(0o600)
        draft.write_text("".join(f"{door.office} · {door.name}: {door.url}\n" for door in desks), encoding="utf-8")
    return [target]
