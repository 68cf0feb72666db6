"""What an office needs to fill forms: a page of codes for its phones, and its links for a browser."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tpm_pipeline.deploying.offices import Office
from tpm_pipeline.paths import replacing
from tpm_pipeline.records import Access
from tpm_pipeline.servers.base import Server
from tpm_pipeline.web import phones
from tpm_pipeline.web.phones import Phone


def write(server: Server, access: Access, offices: Mapping[str, Office], folder: Path, project: str) -> list[Path]:
    """Write the codes of every declared phone, then the desks' links; what was there before is gone."""
    doors = server.phones(access)
    shutil.rmtree(folder, ignore_errors=True)
    written: list[Path] = []
    for code, devices in access.phones.items():
        office, own = offices[code], [Phone(door.name, door.url) for door in doors if door.office == code]
        if devices:
            written += phones.write_office(
                folder, office=code, office_fr=office.fr, office_ar=office.ar, project=project, phones=own
            )
    return written + _write_desks(server, access, folder)


def _write_desks(server: Server, access: Access, folder: Path) -> list[Path]:
    target, doors = folder / "desk-links.txt", server.desks(access)
    if not doors:
        return []
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with replacing(target) as draft:
        draft.chmod(0o600)
        draft.write_text("".join(f"{door.office} · {door.name}: {door.url}\n" for door in doors), encoding="utf-8")
    return [target]
