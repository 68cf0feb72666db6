"""Who may fill what, as the installation's own file declares it; without the file, one phone for each open office."""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast, get_args

import yaml

from tpm_pipeline.deploying.offices import Office
from tpm_pipeline.errors import SettingsError
from tpm_pipeline.records import Access, Role

PHONE: Final = "téléphone 1"
OWN_CASES: Final = ("dossiers",)
_KEYS: Final = ("phones", "web_users", "desk_links", "retired")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

# No message quotes what stands where an e-mail should: addresses are personal.


def read(path: Path, offices: Mapping[str, Office], form_ids: Collection[str], lists: Collection[str]) -> Access:
    """Read and check the declaration; `lists` are the entity lists the forms write."""
    said = _content(path)
    phones: dict[str, tuple[str, ...]] = {code: (PHONE,) for code, office in offices.items() if office.is_open}
    phones |= dict(_named(path, "phones", said))
    links = dict(_named(path, "desk_links", said))
    retired = _names(path, "retired", said.get("retired") or [])
    for form_id in links:
        if form_id not in form_ids or form_id in retired:
            cause = f"desk_links: «{form_id}» is not a form people fill."
            raise SettingsError("SET-007", path.name, cause, f"The forms are: {', '.join(form_ids)}.")
    for key, codes in [("phones", phones), *(("desk_links", codes) for codes in links.values())]:
        for code in codes:
            if code not in offices:
                cause = f"{key}: «{code}» is not the code of an office."
                raise SettingsError("SET-006", path.name, cause, f"The offices are: {', '.join(offices)}.")
    return Access(phones, _people(path, said), links, retired, tuple(name for name in OWN_CASES if name in lists))


def _content(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise _malformed(path, f"line {mark.line + 1 if mark else '?'} is not YAML") from None
    if not isinstance(said or {}, dict):
        raise _malformed(path, "it holds no keys")
    for key in said or {}:
        if key not in _KEYS:
            raise _malformed(path, "it has a key that is none of these")
    return said or {}


def _named(path: Path, key: str, said: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    found = said.get(key) or {}
    if not isinstance(found, dict):
        raise _malformed(path, f"{key} must be names, each with its list")
    for name, listed in found.items():
        yield str(name), _names(path, key, listed)


def _names(path: Path, key: str, listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list) or not all(isinstance(name, str) and name.strip() for name in listed):
        raise _malformed(path, f"{key} must hold lists of names")
    return tuple(dict.fromkeys(" ".join(name.split()) for name in listed))


def _people(path: Path, said: Mapping[str, Any]) -> dict[str, Role]:
    found = said.get("web_users") or {}
    if not isinstance(found, dict):
        raise _malformed(path, "web_users must be e-mails, each with its role")
    for place, (email, role) in enumerate(found.items(), start=1):
        if not _EMAIL.fullmatch(str(email)):
            cause = f"web_users: the address in place {place} is no e-mail."
            raise SettingsError("SET-009", path.name, cause, "Correct it; Central would invite nobody.")
        if role not in get_args(Role):
            cause = f"web_users: the role in place {place} is unknown."
            raise SettingsError("SET-008", path.name, cause, f"The roles are: {', '.join(get_args(Role))}.")
    return cast("dict[str, Role]", found)


def _malformed(path: Path, cause: str) -> SettingsError:
    return SettingsError("SET-005", path.name, f"It cannot be read: {cause}.", f"Its keys are: {', '.join(_KEYS)}.")
