"""Phones: the codes that set up ODK Collect, and the page an office prints to scan them, in French and Arabic."""

import json
import re
import zlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from unicodedata import combining, normalize

from tpm_pipeline.paths import PACKAGE, replacing

TEMPLATES = PACKAGE / "web" / "templates"

# The keys are those of client-settings.schema.json in getodk/collect, coded as docs.getodk.org/collect-import-export.
# What is left out returns to Collect's default, so the language and the user's name stay the phone's own.
GENERAL: dict[str, str | bool] = {
    "form_update_mode": "match_exactly",
    "periodic_form_updates_check": "every_one_hour",
    "autosend": "wifi_and_cellular",
    "delete_send": True,
    "analytics": False,
}
LOCKED = ("change_server", "form_update_mode", "periodic_form_updates_check", "change_autosend", "delete_after_send")
COLOR = "#0f6b62"


@dataclass(frozen=True)
class Phone:
    """A phone of an office, and Collect's server address for it: it may hold a token, so it is a secret.

    `project` is what the phone calls the project. With a `username`, Collect asks for the account's password.
    """

    device: str
    url: str = field(repr=False)
    project: str
    username: str = field(default="", repr=False)


def settings(phone: Phone) -> dict[str, dict[str, str | bool]]:
    """What Collect reads: forms follow the server, finished ones leave by themselves and stay on no phone."""
    account = {"username": phone.username} if phone.username else {}
    return {
        "general": {"server_url": phone.url, **account, **GENERAL},
        "admin": dict.fromkeys(LOCKED, False),
        "project": {"name": phone.project, "color": COLOR},
    }


def code(phone: Phone) -> bytes:
    """The QR code of these settings, a PNG."""
    import segno

    said = json.dumps(settings(phone), ensure_ascii=False, separators=(",", ":"))
    picture = BytesIO()
    segno.make_qr(b64encode(zlib.compress(said.encode(), level=9)), error="m").save(picture, kind="png", scale=8)
    return picture.getvalue()


def write_office(folder: Path, *, office: str, office_fr: str, office_ar: str, phones: Sequence[Phone]) -> list[Path]:
    """Write the office's page and a picture of each code, which nobody else of the machine can read."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    codes = [code(phone) for phone in phones]
    shown = [
        (phone, f"data:image/png;base64,{b64encode(png).decode()}") for phone, png in zip(phones, codes, strict=True)
    ]
    projects = [*dict.fromkeys(phone.project for phone in phones)]
    page = _render(office=office, office_fr=office_fr, office_ar=office_ar, projects=projects, codes=shown)
    contents = {f"{office}.html": page.encode()}
    contents |= {f"{office}-{name}.png": png for name, png in zip(_names(phones), codes, strict=True)}
    return [_keep(folder / name, content) for name, content in contents.items()]


def _render(**words: object) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("phones.html.j2").render(words)


def _names(phones: Sequence[Phone]) -> list[str]:
    """Name each phone's file after the phone; two that would share a name are numbered."""
    slugs = [_slug(phone.device) for phone in phones]
    distinct = all(slugs) and len(set(slugs)) == len(slugs)
    return slugs if distinct else [str(number) for number, _ in enumerate(slugs, start=1)]


def _slug(name: str) -> str:
    letters = "".join(letter for letter in normalize("NFKD", name) if not combining(letter))
    return re.sub(r"\W+", "-", letters.casefold()).strip("-")


def _keep(target: Path, content: bytes) -> Path:
    with replacing(target) as draft:
        draft.chmod(0o600)
        draft.write_bytes(content)
    return target
