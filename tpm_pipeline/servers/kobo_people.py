"""Who may send and see which forms of KoboToolbox: accounts of offices, one permission at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Change
from tpm_pipeline.servers.kobo_api import NOT_FOUND, KoboApi, address
from tpm_pipeline.servers.kobo_assets import Asset
from tpm_pipeline.servers.kobo_forms import Ground, Place
from tpm_pipeline.servers.steps import Step

# Never through `…/permission-assignments/bulk/`: it takes away what it is not told of, and what colleagues gave.

_ANYBODY = "AnonymousUser"
_SEND, _SEE, _SEE_SOME = "add_submissions", "view_submissions", "partial_submissions"
_MANAGE = "manage_asset"
_OURS = "accounts"

Filters = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Grant:
    """A permission that somebody has, and which submissions it reaches if not all."""

    uid: str
    permission: str
    filters: Filters = field(default=())


def steps(
    api: KoboApi, place: Place, asset: Asset | None, access: Access, *, is_deployed: bool = True
) -> Iterator[Step[Ground]]:
    """What lets each declared account send a form and see what its office sent, and nobody in who is declared no more.

    Into a form that is not deployed nobody is let in anew. Whoever else a hand let in stays.
    """
    held = _held(api, asset.uid) if asset else {}
    marked = asset.mark.get(_OURS, ()) if asset else ()
    wanted = {name: offices for name, offices in _offices(access, place).items() if is_deployed or name in marked}
    for name in marked:
        if name not in wanted:
            what = f"{place.name}: account {name}"
            yield Step(Change("revoke", what), partial(_revoke, api, place, name, held.get(name, ())))
    for name, offices in wanted.items():
        grants = _grants(access, place, offices)
        if name not in marked or _missing(held.get(name, ()), grants):
            what = f"{place.name}: account {name} may send it and see what {' and '.join(offices)} sent"
            yield Step(Change("create", what), partial(_let_in, api, place, name, grants))
    given = [grant for grant in held.get(_ANYBODY, ()) if grant.permission == _SEND]
    is_asked = place.form_id in access.anonymous
    if is_asked and is_deployed and not given:
        what = f"{place.name}: anybody may send it, without an account"
        yield Step(Change("create", what), partial(_open, api, place))
    if given and not is_asked:
        what = f"{place.name}: anybody could send it without an account"
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


def _missing(held: Sequence[_Grant], grants: Mapping[str, Filters]) -> dict[str, Filters]:
    """What somebody needs more. To give a part of the submissions would take the rest from who manages the form."""
    known = [(grant.permission, [*grant.filters]) for grant in held]
    if (_MANAGE, []) in known:
        return {}
    return {permission: filters for permission, filters in grants.items() if (permission, [*filters]) not in known}


def _held(api: KoboApi, uid: str) -> dict[str, list[_Grant]]:
    found: dict[str, list[_Grant]] = {}
    for row in api.get(address("assets", uid, "permission-assignments")):
        parts = {_last(part["url"]): part["filters"] for part in row.get("partial_permissions") or ()}
        grant = _Grant(_last(row["url"]), _last(row["permission"]), parts.get(_SEE, ()))
        found.setdefault(_last(row["user"]), []).append(grant)
    return found


def _let_in(api: KoboApi, place: Place, name: str, grants: Mapping[str, Filters], where: Ground) -> None:
    if api.get(address("users", name), tolerate=(NOT_FOUND,)) is None:
        cause = f"There is no account «{name}»."
        raise ServerError("SRV-068", api.where, cause, "Make it in KoboToolbox, or correct it in TPM_ACCESS.")
    # Written down first: an interruption leaves nobody in of whom we do not know.
    where.mark(api, place, **{_OURS: sorted({*where.marks[place].get(_OURS, ()), name})})
    for permission, filters in _missing(_held(api, where.uids[place]).get(name, ()), grants).items():
        _grant(api, where.uids[place], name, permission, filters)


def _open(api: KoboApi, place: Place, where: Ground) -> None:
    _grant(api, where.uids[place], _ANYBODY, _SEND, ())


def _grant(api: KoboApi, uid: str, name: str, permission: str, filters: Filters) -> None:
    said: dict[str, Any] = {"user": _url(api, "users", name), "permission": _url(api, "permissions", permission)}
    if filters:
        said["partial_permissions"] = [{"url": _url(api, "permissions", _SEE), "filters": filters}]
    api.post(address("assets", uid, "permission-assignments"), said)


def _revoke(api: KoboApi, place: Place, name: str, held: Sequence[_Grant], where: Ground) -> None:
    _remove(api, place, held, where)
    left = [other for other in where.marks[place].get(_OURS, ()) if other != name]
    where.mark(api, place, **{_OURS: left})


def _remove(api: KoboApi, place: Place, held: Sequence[_Grant], where: Ground) -> None:
    for grant in held:
        # One permission takes those that need it with it: what is gone already is as wanted.
        api.delete(address("assets", where.uids[place], "permission-assignments", grant.uid), tolerate=(NOT_FOUND,))


def _url(api: KoboApi, *parts: str) -> str:
    return api.url + "/api/v2" + address(*parts)


def _last(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
