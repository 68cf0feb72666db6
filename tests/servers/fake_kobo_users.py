"""The fake kpi's people, what they may do with a project, and who may say so."""

from typing import Any

from starlette.responses import JSONResponse, Response

from tests.servers.fake_kobo_query import matches
from tests.servers.fake_kobo_state import (
    ANONYMOUS,
    ASSET,
    Asset,
    Call,
    Grant,
    RefusalError,
    State,
    Submission,
    Table,
    forbidden,
    missing,
    new_uid,
)

RIGHTS = {
    "view_asset": "View form",
    "change_asset": "Edit form",
    "manage_asset": "Manage project",
    "add_submissions": "Add submissions",
    "view_submissions": "View submissions",
    "partial_submissions": "",
    "change_submissions": "Edit submissions",
    "delete_submissions": "Delete submissions",
    "validate_submissions": "Validate submissions",
}
NO_CREDENTIALS = {"detail": "Authentication credentials were not provided."}
_PARTIAL = {
    "default": "Act on submissions only from specific users",
    "view_submissions": "View submissions only from specific users",
    "change_submissions": "Edit submissions only from specific users",
    "delete_submissions": "Delete submissions only from specific users",
    "validate_submissions": "Validate submissions only from specific users",
}
_EVERY = tuple(right for right in RIGHTS if right != "partial_submissions")
_IMPLIED = {
    "change_asset": ("view_asset",),
    "manage_asset": _EVERY,
    "view_submissions": ("view_asset",),
    "partial_submissions": ("view_asset",),
    "change_submissions": ("view_submissions", "add_submissions"),
    "delete_submissions": ("view_submissions",),
    "validate_submissions": ("view_submissions",),
}
_WHOLE = ("view_submissions", "change_submissions", "delete_submissions", "validate_submissions")
_GRANTS = ASSET + "permission-assignments/"


class Users(State):
    def user_routes(self) -> Table:
        return [
            ("GET", "/me/", self.show_me),
            ("GET", "/token/", self.show_token),
            ("GET", "/api/v2/users/", self.list_users),
            ("GET", "/api/v2/users/{name}/", self.show_user),
            ("GET", _GRANTS, self.list_grants),
            ("POST", _GRANTS, self.add_grant),
            ("POST", _GRANTS + "bulk/", self.replace_grants),
            ("GET", _GRANTS + "{grant}/", self.show_grant),
            ("DELETE", _GRANTS + "{grant}/", self.drop_grant),
        ]

    def show_me(self, call: Call) -> Any:
        if call.user == ANONYMOUS:
            return {"message": "user is not logged in"}
        return {"username": call.user, "email": f"{call.user}@example.org", "is_superuser": False}

    def show_token(self, call: Call) -> Any:
        return {"token": next(token for token, name in self.users.items() if name == call.user)}

    def list_users(self, _: Call) -> Any:
        raise forbidden()

    def show_user(self, call: Call) -> Any:
        name = call.path("name")
        if name not in self.users.values():
            raise missing("User")
        return {"url": f"{call.base}/api/v2/users/{name}/", "username": name, "date_joined": "2026-11-01T00:00:00Z"}

    def found(self, call: Call, right: str = "view_asset", unknown: RefusalError | None = None) -> Asset:
        """The asset of the address; who may not see it learns no more than who asks for one that is not."""
        asset = self.assets.get(call.path("uid"))
        if asset is None:
            raise unknown or missing()
        mine = rights(asset, call.user)
        if right not in mine:
            if call.user == ANONYMOUS and call.request.method != "GET" and unknown is None:
                raise RefusalError(401, NO_CREDENTIALS)
            raise forbidden() if "view_asset" in mine and call.user != ANONYMOUS else missing()
        return asset

    def nested(self, call: Call, right: str = "view_asset") -> Asset:
        """The asset, where an unknown one is answered with a page."""
        return self.found(call, right, RefusalError(404))

    def grant_json(self, call: Call, asset: Asset, grant: Grant) -> dict[str, Any]:
        api = f"{call.base}/api/v2"
        said: dict[str, Any] = {
            "url": f"{api}/assets/{asset.uid}/permission-assignments/{grant.uid}/",
            "user": f"{api}/users/{grant.user}/",
            "permission": f"{api}/permissions/{grant.right}/",
        }
        if grant.right == "partial_submissions":
            parts = [{"url": f"{api}/permissions/{p['right']}/", "filters": p["filters"]} for p in grant.partial]
            return {**said, "partial_permissions": parts, "label": _PARTIAL}
        return {**said, "label": RIGHTS[grant.right]}

    def grants_json(self, call: Call, asset: Asset) -> list[dict[str, Any]]:
        """What one sees of who may do what: all of it, when one may manage; else the owner's and one's own."""
        every = "manage_asset" in rights(asset, call.user)
        shown = [one for one in asset.grants if every or one.user in _seen_by(asset, call.user)]
        return [self.grant_json(call, asset, one) for one in sorted(shown, key=lambda one: (one.user, one.right))]

    def list_grants(self, call: Call) -> Any:
        return self.grants_json(call, self.nested(call))

    def show_grant(self, call: Call) -> Any:
        asset = self.nested(call)
        return self.grant_json(call, asset, _grant(asset, call.path("grant")))

    def add_grant(self, call: Call) -> Response:
        asset = self.nested(call, "manage_asset")
        user, right, partial = self._granted(call.sent())
        if user == ANONYMOUS and right == "add_submissions":
            asset.open_to_all = True
        return JSONResponse(self.grant_json(call, asset, give(asset, user, right, partial)), 201)

    def replace_grants(self, call: Call) -> Any:
        """Everybody but the owner has afterwards what was sent, and nothing else.

        Whether phones may send without a name is not changed by it, whatever is sent.
        """
        asset = self.nested(call, "manage_asset")
        asked = [self._granted(one) for one in call.sent()]
        asset.grants = [one for one in asset.grants if one.user == asset.owner]
        for one in asked:
            give(asset, *one)
        return self.grants_json(call, asset)

    def drop_grant(self, call: Call) -> Response:
        asset = self.nested(call)
        grant = _grant(asset, call.path("grant"))
        if "manage_asset" not in rights(asset, call.user) and grant.user != call.user:
            raise forbidden()
        if grant.user == asset.owner:
            raise RefusalError(409, {"detail": "Owner's permissions cannot be deleted"})
        if grant.user == ANONYMOUS and grant.right == "add_submissions":
            asset.open_to_all = False
        gone = {right for right in RIGHTS if grant.right in implied(right)}
        asset.grants = [one for one in asset.grants if one.user != grant.user or one.right not in gone]
        return Response(status_code=204)

    def _granted(self, sent: dict[str, Any]) -> tuple[str, str, list[dict[str, Any]]]:
        user, right = (str(sent.get(name, "")).rstrip("/").rpartition("/")[2] for name in ("user", "permission"))
        known = {"user": user in {*self.users.values(), ANONYMOUS}, "permission": right in RIGHTS}
        if not all(known.values()):
            unknown = next(name for name, is_known in known.items() if not is_known)
            raise RefusalError(400, {unknown: ["Invalid hyperlink - Object does not exist."]})
        if user == ANONYMOUS and right not in {"view_asset", "add_submissions", "view_submissions"}:
            raise RefusalError(400, {"permission": f"Anonymous users cannot be granted the permission {right}."})
        parts = sent.get("partial_permissions")
        if right == "partial_submissions" and not parts:
            said = ["This field is required for the 'partial_submissions' permission"]
            raise RefusalError(400, {"partial_permissions": said})
        return user, right, _parts(parts or []) if right == "partial_submissions" else []


def _parts(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rights to some rows imply others to the same rows."""
    found: dict[str, list[Any]] = {}
    for one in sent:
        for right in implied(one["url"].rstrip("/").rpartition("/")[2]) - {"view_asset"}:
            known = found.setdefault(right, [])
            known += [part for part in one["filters"] if part not in known]
    return [{"right": right, "filters": found[right]} for right in ("add_submissions", *_WHOLE) if right in found]


def _seen_by(asset: Asset, user: str) -> set[str]:
    return {asset.owner} if user == ANONYMOUS else {asset.owner, user, ANONYMOUS}


def give(asset: Asset, user: str, right: str, partial: list[dict[str, Any]] | None = None) -> Grant:
    """Grant a right with those it implies; the right to some rows and rights to all of them exclude each other."""
    out = (*_WHOLE, "manage_asset") if right == "partial_submissions" else ("partial_submissions",)
    if right == "partial_submissions" or right in _WHOLE:
        asset.grants = [one for one in asset.grants if one.user != user or one.right not in out]
    for one in implied(right):
        if not any((known.user, known.right) == (user, one) for known in asset.grants):
            asset.grants.append(Grant(new_uid("p"), user, one))
    grant = next(one for one in asset.grants if (one.user, one.right) == (user, right))
    grant.partial = partial or []
    if any(part["right"] == "add_submissions" for part in grant.partial):
        give(asset, user, "add_submissions")
    return grant


def implied(right: str) -> set[str]:
    """A right and all it implies."""
    return {right}.union(*(implied(one) for one in _IMPLIED.get(right, ()) if right != one))


def rights(asset: Asset, user: str) -> set[str]:
    """What a user may do, with what anybody may."""
    return {one.right for one in asset.grants if one.user in {user, ANONYMOUS}}


def own_rights(asset: Asset, user: str) -> set[str]:
    """What a user may do that not everybody may: phones are told of no other forms."""
    return {one.right for one in asset.grants if one.user == user}


def own(asset: Asset) -> None:
    """Give the owner everything."""
    for right in _EVERY:
        give(asset, asset.owner, right)


def reach(asset: Asset, user: str, right: str) -> list[Submission]:
    """The rows a user has a right to: all of them, or those of the filters."""
    mine = rights(asset, user)
    parts = [part for one in asset.grants if one.user == user for part in one.partial]
    if "view_submissions" not in mine and not parts:
        raise missing()
    # Who has a part of the rows sees no more of them than that, even where everybody sees all.
    if right in (own_rights(asset, user) if parts else mine):
        return asset.visible
    filters = [found for part in parts if part["right"] == right for found in part["filters"]]
    if not filters:
        raise forbidden()
    return [one for one in asset.visible if any(matches(one.row, found) for found in filters)]


def _grant(asset: Asset, uid: str) -> Grant:
    grant = next((one for one in asset.grants if one.uid == uid), None)
    if grant is None:
        raise missing("ObjectPermission")
    return grant
