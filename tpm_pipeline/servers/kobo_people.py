"""Who may send and see which forms of KoboToolbox: accounts of offices, one permission at a time."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Change
from tpm_pipeline.servers.kobo_api import NOT_FOUND, KoboApi, address
from tpm_pipeline.servers.kobo_assets import Asset
from tpm_pipeline.servers.kobo_forms import Ground, Mark, Place
from tpm_pipeline.servers.steps import Step

# Never through `…/permission-assignments/bulk/`: it takes away what it is not told of, and what colleagues gave.

ACCOUNTS, OFFICES = "accounts", "offices"
"""What an asset's mark says of people: the accounts we let in, and for which offices each was last, let in or not."""

_ANYBODY = "AnonymousUser"
_SEND, _SEE, _SEE_SOME = "add_submissions", "view_submissions", "partial_submissions"
_MANAGE = "manage_asset"
_PUBLIC = {_SEND: "send it", _SEE: "see what was sent", "view_asset": "see its questions"}

Filters = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Grant:
    """A permission that somebody has, and which submissions it reaches if not all."""

    uid: str
    permission: str
    filters: Filters = field(default=())


@dataclass(frozen=True)
class _Account:
    """An account, the offices it is of, and what that gives it in a form."""

    name: str
    offices: Sequence[str]
    grants: Mapping[str, Filters]


def steps(
    api: KoboApi, place: Place, asset: Asset | None, access: Access, *, is_deployed: bool = True
) -> Iterator[Step[Ground]]:
    """What lets each declared account send a form and see what its office sent, and nobody in who is declared no more.

    Into a form that is not deployed nobody is let in anew. Whom a hand let in stays, but for an account of another
    office, and for everybody.
    """
    held = _held(api, asset.uid) if asset else {}
    marked = asset.mark.get(ACCOUNTS, ()) if asset else ()
    wanted = {name: offices for name, offices in _offices(access, place).items() if is_deployed or name in marked}
    if asset:
        yield from _revocations(api, place, asset, wanted, held)
        yield from _strays(api, place, asset, access, held)
    for name, offices in wanted.items():
        account = _Account(name, offices, _grants(access, place, offices))
        is_new = _is_new(api, place, asset, account)
        if name not in marked or is_new or _missing(held.get(name, ()), account):
            what = f"{place.name}: account {name} may send it and see what {' and '.join(offices)} sent"
            yield Step(Change("create", what), partial(_let_in, api, place, account))
    # Everybody would get an office's cases with its form.
    is_asked = place.form_id in access.anonymous and not place.office
    yield from _public(api, place, held.get(_ANYBODY, ()), is_asked=is_asked, is_deployed=is_deployed)


def unknown(api: KoboApi, access: Access) -> list[str]:
    """The declared accounts that nobody has."""
    declared = dict.fromkeys(name for names in access.accounts.values() for name in names)
    return [name for name in declared if api.get(address("users", name), tolerate=(NOT_FOUND,)) is None]


def without(access: Access, out: Collection[str]) -> Access:
    """Leave accounts out; their offices stay."""
    left = {office: tuple(name for name in names if name not in out) for office, names in access.accounts.items()}
    return replace(access, accounts=left)


def is_public(api: KoboApi, asset: Asset) -> bool:
    """Tell whether a form gives anything to people without an account."""
    return _ANYBODY in _held(api, asset.uid)


def complaint(api: KoboApi, name: str) -> Step[Ground]:
    """What says that an account is not there."""
    what = f"account {name} cannot be let in, as KoboToolbox has none of this name"
    return Step(Change("create", what), partial(_complain, api, name))


def _complain(api: KoboApi, name: str, _where: Ground) -> None:
    cause = f"There is no account «{name}»."
    raise ServerError("SRV-068", api.where, cause, "Make it in KoboToolbox, or correct it in TPM_ACCESS.")


def _revocations(
    api: KoboApi, place: Place, asset: Asset, wanted: Collection[str], held: Mapping[str, Sequence[_Grant]]
) -> Iterator[Step[Ground]]:
    for name in asset.mark.get(ACCOUNTS, ()):
        if name not in wanted:
            # From its owner nothing can be taken.
            grants = held.get(name, ()) if name != asset.owner else ()
            what = f"{place.name}: account {name}"
            yield Step(Change("revoke", what), partial(_revoke, api, place, name, grants))


def _strays(
    api: KoboApi, place: Place, asset: Asset, access: Access, held: Mapping[str, Sequence[_Grant]]
) -> Iterator[Step[Ground]]:
    declared = {name for names in access.accounts.values() for name in names}
    ours = {asset.owner, *_offices(access, place), *asset.mark.get(ACCOUNTS, ())}
    for name in sorted(declared & held.keys() - ours):
        what = f"{place.name}: account {name} of another office was let in, and would not be"
        yield Step(Change("drift", what), partial(_remove, api, place, held[name]))


def _public(
    api: KoboApi, place: Place, held: Sequence[_Grant], *, is_asked: bool, is_deployed: bool
) -> Iterator[Step[Ground]]:
    if is_asked and is_deployed and _SEND not in {grant.permission for grant in held}:
        what = f"{place.name}: anybody may send it, without an account"
        yield Step(Change("create", what), partial(_open, api, place))
    if given := [grant for grant in held if not (is_asked and grant.permission == _SEND)]:
        could = " and ".join(sorted(_PUBLIC.get(grant.permission, grant.permission) for grant in given))
        what = f"{place.name}: anybody could {could} without an account"
        yield Step(Change("revoke", what), partial(_remove, api, place, given))


def _offices(access: Access, place: Place) -> dict[str, list[str]]:
    """The accounts that a form is for, each with its offices."""
    found: dict[str, list[str]] = {}
    for office, names in access.accounts.items():
        for name in names if place.office in ("", office) else ():
            found.setdefault(name, []).append(office)
    return found


def _grants(access: Access, place: Place, offices: Sequence[str]) -> dict[str, Filters]:
    if place.office:
        return {_SEND: (), _SEE: ()}
    colleagues = {name for office in offices for name in access.accounts[office]}
    return {_SEND: (), _SEE_SOME: [{"_submitted_by": {"$in": sorted(colleagues)}}]}


def _missing(held: Sequence[_Grant], account: _Account) -> dict[str, Filters]:
    """What somebody needs more. To give a part of the submissions would take the rest from who manages the form."""
    known = [(grant.permission, [*grant.filters]) for grant in held]
    if (_MANAGE, []) in known:
        return {}
    wanted = account.grants.items()
    return {permission: filters for permission, filters in wanted if (permission, [*filters]) not in known}


def _held(api: KoboApi, uid: str) -> dict[str, list[_Grant]]:
    found: dict[str, list[_Grant]] = {}
    for row in api.get(address("assets", uid, "permission-assignments")):
        parts = {_last(part["url"]): part["filters"] for part in row.get("partial_permissions") or ()}
        grant = _Grant(_last(row["url"]), _last(row["permission"]), parts.get(_SEE, ()))
        found.setdefault(_last(row["user"]), []).append(grant)
    return found


def _is_new(api: KoboApi, place: Place, asset: Asset | None, account: _Account) -> bool:
    """Tell whether an account was not let in for these offices; refused when new ones would see what it sent before."""
    former = asset.mark.get(OFFICES, {}).get(account.name, ()) if asset else ()
    gained = [office for office in account.offices if office not in former]
    if asset and former and gained and _has_sent(api, asset, account.name):
        cause = f"{' and '.join(gained)} would see what account {account.name} sent for {' and '.join(former)}."
        raise ServerError("SRV-075", place.name, cause, "Make another account for the new office (TPM_ACCESS).")
    return {*former} != {*account.offices}


def _has_sent(api: KoboApi, asset: Asset, name: str) -> bool:
    query = {"query": orjson.dumps({"_submitted_by": name}).decode(), "limit": "1"}
    return bool(api.get(address("assets", asset.uid, "data"), query)["count"])


def _let_in(api: KoboApi, place: Place, account: _Account, where: Ground) -> None:
    def said(mark: Mark) -> Mark:
        offices = {**mark.get(OFFICES, {}), account.name: account.offices}
        return {ACCOUNTS: sorted({*mark.get(ACCOUNTS, ()), account.name}), OFFICES: offices}

    # Written down first: an interruption leaves nobody in of whom we do not know.
    where.mark(api, place, said)
    for permission, filters in _missing(_held(api, where.uids[place]).get(account.name, ()), account).items():
        _grant(api, where.uids[place], account.name, permission, filters)


def _open(api: KoboApi, place: Place, where: Ground) -> None:
    _grant(api, where.uids[place], _ANYBODY, _SEND, ())


def _grant(api: KoboApi, uid: str, name: str, permission: str, filters: Filters) -> None:
    said: dict[str, Any] = {"user": _url(api, "users", name), "permission": _url(api, "permissions", permission)}
    if filters:
        said["partial_permissions"] = [{"url": _url(api, "permissions", _SEE), "filters": filters}]
    api.post(address("assets", uid, "permission-assignments"), said)


def _revoke(api: KoboApi, place: Place, name: str, held: Sequence[_Grant], where: Ground) -> None:
    _remove(api, place, held, where)
    where.mark(api, place, lambda mark: {ACCOUNTS: [other for other in mark.get(ACCOUNTS, ()) if other != name]})


def _remove(api: KoboApi, place: Place, held: Sequence[_Grant], where: Ground) -> None:
    for grant in held:
        # One permission takes those that need it with it: what is gone already is as wanted.
        api.delete(address("assets", where.uids[place], "permission-assignments", grant.uid), tolerate=(NOT_FOUND,))


def _url(api: KoboApi, *parts: str) -> str:
    return api.url + "/api/v2" + address(*parts)


def _last(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
