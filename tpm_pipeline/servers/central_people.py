"""Web users of a project of Central: those that are declared have their role, others are left alone."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from tpm_pipeline.records import Change, Role
from tpm_pipeline.servers.central_api import CentralApi, address
from tpm_pipeline.servers.central_steps import ALREADY_THERE, NOT_FOUND, Step

_WORDS: Mapping[str, str] = {"manager": "project manager", "viewer": "project viewer", "formfill": "data collector"}


def steps(api: CentralApi, project: int | None, declared: Mapping[str, Role]) -> Iterator[Step]:
    """What gives each declared person the declared role, and no other."""
    if not declared:
        return
    roles = {row["system"]: int(row["id"]) for row in api.get("/roles") if row["system"] in _WORDS}
    held = [] if project is None else api.get(address("projects", project, "assignments"))
    for email, role in declared.items():
        actor = _actor(api, email)
        mine = {row["roleId"] for row in held if row["actorId"] == actor}
        others = [name for name, number in roles.items() if number in mine and name != role]
        if roles[role] in mine and not others:
            continue
        line = f"web user {email}: {_WORDS[role]}"
        if others:
            change = Change("update", f"{line}, not {' and '.join(_WORDS[name] for name in others)}")
        else:
            change = Change("create", line if actor else f"{line}, invited by e-mail")
        yield Step(change, partial(_give, api, email, role, others))


def _actor(api: CentralApi, email: str) -> int | None:
    # Without an exact match Central lists everybody.
    found: list[dict[str, Any]] = api.get("/users", {"q": email})
    return next((int(row["id"]) for row in found if row["email"].casefold() == email.casefold()), None)


def _give(api: CentralApi, email: str, role: str, others: list[str], project: int) -> None:
    actor = _actor(api, email) or int(api.post("/users", {"email": email})["id"])
    here = address("projects", project, "assignments")
    api.post(here + address(role, actor), tolerate=(ALREADY_THERE,))
    for name in others:
        api.delete(here + address(name, actor), tolerate=(NOT_FOUND,))
