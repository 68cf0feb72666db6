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
_OURS = "accounts"

Filters = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class _Grant:
    """A permission that somebody has: its address, and which submissions it reaches if not all."""

    url: str
    permission: str
    filters: Filters = field(default=())


def steps(api: KoboApi, place: Place, asset: Asset | None, access: Access) -> Iterator[Step[Ground]]:
    """What lets each declared account send a form and see what its office sent, and nobody in who is declared no more.

    Whoever else a hand let in stays.
    """
    held = _held(api, asset)
    wanted = {
        name: office for office, names in access.accounts.items() for name in names if place.office in ("", office)
    }
    for name in [*(asset.mark.get(_OURS, ()) if asset else ())]:
        if name not in wanted:
            what = f"{place.name}: account {name}"
            yield Step(Change("revoke", what), partial(_revoke, api, place, name, held.get(name, ())))
    for name, office in wanted.items():
        grants = _grants(access, place, office)
        missing = {
            permission: filters for permission, filters in grants.items() if not _has(held, name, permission, filters)
        }
        if missing:
            what = f"{place.name}: account {name} may send it and see what {office} sent"
            yield Step(Change("create", what), partial(_grant, api, place, name, missing))
    yield from _anonymous(api, place, held.get(_ANYBODY, ()), is_asked=place.form_id in access.anonymous)


def _anonymous(api: KoboApi, place: Place, held: Sequence[_Grant], *, is_asked: bool) -> Iterator[Step[Ground]]:
    given = [grant for grant in held if grant.permission == _SEND]
    if is_asked and not given:
        what = f"{place.name}: anybody may send it, without an account"
        yield Step(Change("create", what), partial(_grant, api, place, _ANYBODY, {_SEND: ()}))
    if given and not is_asked:
        what = f"{place.name}: anybody could send it without an account"
        yield Step(Change("revoke", what), partial(_remove, api, given))


def _grants(access: Access, place: Place, office: str) -> dict[str, Filters]:
    if place.office:
        return {_SEND: (), _SEE: ()}
    return {_SEND: (), _SEE_SOME: [{"_submitted_by": {"$in": [*access.accounts[office]]}}]}


def _has(held: Mapping[str, Sequence[_Grant]], name: str, permission: str, filters: Filters) -> bool:
    return any(grant.permission == permission and [*grant.filters] == [*filters] for grant in held.get(name, ()))


def _held(api: KoboApi, asset: Asset | None) -> dict[str, list[_Grant]]:
    found: dict[str, list[_Grant]] = {}
    for row in _assignments(api, asset.uid) if asset else ():
        parts = {_last(part["url"]): part["filters"] for part in row.get("partial_permissions") or ()}
        grant = _Grant(row["url"], _last(row["permission"]), parts.get(_SEE, ()))
        found.setdefault(_last(row["user"]), []).append(grant)
    return found


def _assignments(api: KoboApi, uid: str) -> list[Any]:
    return list(api.get(address("assets", uid, "permission-assignments")))


def _grant(api: KoboApi, place: Place, name: str, missing: Mapping[str, Filters], where: Ground) -> None:
    here = address("assets", where.uids[place], "permission-assignments")
    if name != _ANYBODY and api.get(address("users", name), tolerate=(NOT_FOUND,)) is None:
        cause = f"There is no account «{name}»."
        raise ServerError("SRV-068", api.where, cause, "Make it in KoboToolbox, or correct it in TPM_ACCESS.")
    for permission, filters in missing.items():
        said: dict[str, Any] = {"user": _url(api, "users", name), "permission": _url(api, "permissions", permission)}
        if filters:
            said["partial_permissions"] = [{"url": _url(api, "permissions", _SEE), "filters": filters}]
        api.post(here, said)
    if name != _ANYBODY:
        where.mark(api, place, **{_OURS: sorted({*where.marks[place].get(_OURS, ()), name})})


def _revoke(api: KoboApi, place: Place, name: str, held: Sequence[_Grant], where: Ground) -> None:
    _remove(api, held, where)
    left = [other for other in where.marks[place].get(_OURS, ()) if other != name]
    where.mark(api, place, **{_OURS: left})


def _remove(api: KoboApi, held: Sequence[_Grant], _where: Ground) -> None:
    for grant in held:
        # One permission takes those that need it with it: what is gone already is as wanted.
        api.delete(grant.url.removeprefix(api.url + "/api/v2"), tolerate=(NOT_FOUND,))


def _url(api: KoboApi, *parts: str) -> str:
    return api.url + "/api/v2" + address(*parts)


def _last(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
