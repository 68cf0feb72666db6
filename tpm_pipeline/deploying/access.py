"""Who may fill what, as the installation's own file declares it; without the file, one phone for each open office."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, cast, get_args

import yaml

from tpm_pipeline.deploying.offices import Office
from tpm_pipeline.errors import SettingsError
from tpm_pipeline.records import Access, CompiledForm, Role, Share
from tpm_pipeline.settings import KINDS

PHONE: Final = "téléphone 1"
OWN_CASES: Final = ("dossiers",)
_KEYS: Final = ("phones", "web_users", "desk_links", "retired", "accounts", "anonymous", "servers")
_SHARED: Final = ("forms", "offices")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_USERNAME: Final = re.compile(r"[a-z][a-z0-9_]+")  # what KoboToolbox takes for one

# No message quotes what stands where an e-mail or a username should: they are personal.


def read(path: Path, offices: Mapping[str, Office], form_ids: Collection[str], lists: Collection[str]) -> Access:
    """Read and check the declaration; `lists` are the entity lists the forms write or read."""
    said = _content(path)
    phones: dict[str, tuple[str, ...]] = {code: (PHONE,) for code, office in offices.items() if office.is_open}
    phones |= dict(_named(path, "phones", said))
    links = dict(_named(path, "desk_links", said))
    retired = _names(path, "retired", said.get("retired") or [])
    accounts, anonymous = _accounts(path, said), _names(path, "anonymous", said.get("anonymous") or [])
    shares = _shares(path, said)
    filled = [form_id for form_id in form_ids if form_id not in retired]
    for key, named in [
        ("desk_links", [*links]),
        ("anonymous", anonymous),
        *(("servers", share.forms) for share in shares.values()),
    ]:
        _refuse_unknown_forms(path, key, named, filled)
    for key, codes in [
        ("phones", [*phones]),
        ("accounts", [*accounts]),
        *(("desk_links", codes) for codes in links.values()),
        *(("servers", share.offices) for share in shares.values()),
    ]:
        _refuse_unknown_offices(path, key, codes, offices)
    own_cases = tuple(name for name in OWN_CASES if name in lists)
    return Access(phones, _people(path, said), links, retired, own_cases, accounts, anonymous, shares)


def refuse_public_cases(access: Access, forms: Iterable[CompiledForm]) -> None:
    """Refuse to open a form to anybody that shows cases: with the form, anybody would get their list."""
    for form in forms:
        shown = {file.name.removesuffix(".csv") for file in form.media} & {*OWN_CASES}
        if shown and form.form_id in access.anonymous:
            cause = f"anonymous: with «{form.form_id}» anybody would get the list {', '.join(shown)}."
            raise SettingsError("SET-018", "TPM_ACCESS", cause, "Take it out: only forms without cases can be open.")


def _refuse_unknown_forms(path: Path, key: str, named: Collection[str], filled: Collection[str]) -> None:
    for form_id in named:
        if form_id not in filled:
            cause = f"{key}: «{form_id}» is not a form people fill."
            raise SettingsError("SET-007", path.name, cause, f"The forms are: {', '.join(filled)}.")


def _refuse_unknown_offices(path: Path, key: str, named: Collection[str], offices: Collection[str]) -> None:
    for code in named:
        if code not in offices:
            cause = f"{key}: «{code}» is not the code of an office."
            raise SettingsError("SET-006", path.name, cause, f"The offices are: {', '.join(offices)}.")


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


def _accounts(path: Path, said: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    found = dict(_named(path, "accounts", said))
    for office, names in found.items():
        for place, name in enumerate(names, start=1):
            if not _USERNAME.fullmatch(name):
                cause = f"accounts: the name in place {place} of {office} is no KoboToolbox username."
                remedy = "It has lowercase letters, digits and underscores, and starts with a letter."
                raise SettingsError("SET-013", path.name, cause, remedy)
    return found


def _shares(path: Path, said: Mapping[str, Any]) -> dict[str, Share]:
    found = said.get("servers") or {}
    if not isinstance(found, dict) or not all(isinstance(share, dict) for share in found.values()):
        raise _malformed(path, "servers must be kinds of server, each with its forms, its offices or both")
    for kind, share in found.items():
        if kind not in KINDS:
            cause = f"servers: «{kind}» is no kind of server."
            raise SettingsError("SET-014", path.name, cause, f"The kinds are: {', '.join(KINDS)}.")
        if not share or not {*share} <= {*_SHARED} or not all(share.values()):
            raise _malformed(path, "servers must name forms, offices or both for each kind")
    return {
        kind: Share(*(_names(path, "servers", share.get(key) or []) for key in _SHARED))
        for kind, share in found.items()
    }


def _malformed(path: Path, cause: str) -> SettingsError:
    return SettingsError("SET-005", path.name, f"It cannot be read: {cause}.", f"Its keys are: {', '.join(_KEYS)}.")
