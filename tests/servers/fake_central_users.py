"""The fake Central's people: app users and public links with their office, web users with their role."""

import json
import secrets
from typing import Any

from starlette.requests import Request

from tests.servers.fake_central_state import (
    FORM,
    PROJECT,
    Form,
    ProblemError,
    Project,
    State,
    Table,
    missing,
    no_right,
    refuse,
)

ROLES = {"manager": 5, "viewer": 6, "formfill": 8, "app-user": 2, "pub-link": 9}
_ASSIGNED = PROJECT + "/assignments/{role}/{actor:int}"


class Users(State):
    def user_routes(self) -> Table:
        return [
            ("DELETE", "/v1/sessions/{token}", self.end_session),
            ("GET", PROJECT + "/actor-properties", self.list_actor_properties),
            ("POST", PROJECT + "/actor-properties", self.add_actor_property),
            ("GET", PROJECT + "/app-users", self.list_users),
            ("POST", PROJECT + "/app-users", self.add_user),
            ("PATCH", PROJECT + "/app-users/{user:int}", self.change_user),
            ("GET", PROJECT + "/assignments/forms/app-user", self.list_allowed),
            ("POST", FORM + "/assignments/app-user/{user:int}", self.allow),
            ("GET", FORM + "/public-links", self.list_links),
            ("POST", FORM + "/public-links", self.add_link),
            ("PATCH", FORM + "/public-links/{link:int}", self.change_link),
            ("GET", "/v1/roles", self.list_roles),
            ("GET", "/v1/users", self.list_people),
            ("POST", "/v1/users", self.add_person),
            ("DELETE", "/v1/users/{person:int}", self.drop_person),
            ("GET", PROJECT + "/assignments", self.list_assigned),
            ("POST", _ASSIGNED, self.assign),
            ("DELETE", _ASSIGNED, self.dismiss),
        ]

    def end_session(self, _: bytes, token: str) -> Any:
        entries = [one for project in self.projects.values() for one in project.users.values()]
        entries += [
            one for project in self.projects.values() for f in project.forms.values() for one in f.links.values()
        ]
        found = next((one for one in entries if one["token"] == token), None)
        if found is None:
            raise no_right()
        found["token"] = None
        return {"success": True}

    def list_actor_properties(self, _: bytes, project: Project) -> Any:
        return [{"name": name} for name in sorted(project.actor_properties)]

    def add_actor_property(self, body: bytes, project: Project) -> Any:
        name = json.loads(body)["name"]
        if name in project.actor_properties:
            raise ProblemError("409.3", f"A resource already exists with projectId,name value(s) of 1,{name}.")
        project.actor_properties.add(name)
        return {"success": True}

    def list_users(self, _: bytes, project: Project, request: Request) -> Any:
        return _listed(project.users, request)

    def add_user(self, body: bytes, project: Project) -> Any:
        return self._admit(project, project.users, json.loads(body))

    def change_user(self, body: bytes, project: Project, user: int) -> Any:
        return _changed(project, project.users.get(user) or refuse(missing()), json.loads(body))

    def list_allowed(self, _: bytes, project: Project) -> Any:
        return [
            {"actorId": user, "roleId": ROLES["app-user"], "xmlFormId": form_id}
            for form_id, form in project.forms.items()
            for user in sorted(form.allowed)
        ]

    def allow(self, _: bytes, project: Project, form: Form, user: int) -> Any:  # noqa: ARG002
        if user in form.allowed:
            raise ProblemError("409.3", "A resource already exists with actorId,roleId,acteeId value(s) of …")
        form.allowed.add(user)
        return {"success": True}

    def list_links(self, _: bytes, project: Project, form: Form, request: Request) -> Any:  # noqa: ARG002
        return _listed(form.links, request)

    def add_link(self, body: bytes, project: Project, form: Form) -> Any:
        return self._admit(project, form.links, {"once": False} | json.loads(body))

    def change_link(self, body: bytes, project: Project, form: Form, link: int) -> Any:
        return _changed(project, form.links.get(link) or refuse(missing()), json.loads(body))

    def list_roles(self, _: bytes) -> Any:
        return [{"id": number, "system": name} for name, number in ROLES.items()]

    def list_people(self, _: bytes, request: Request) -> Any:
        asked = request.query_params.get("q", "").casefold()
        everybody = [{"id": number, "email": email} for number, email in self.people.items()]
        return [one for one in everybody if str(one["email"]).casefold() == asked] or everybody

    def add_person(self, body: bytes) -> Any:
        email = json.loads(body)["email"]
        if email.casefold() in {known.casefold() for known in self.people.values()}:
            raise ProblemError("409.3", f"A resource already exists with email,deleted value(s) of {email},false.")
        number = self.new_actor()
        self.people[number] = email
        return {"id": number, "email": email}

    def drop_person(self, _: bytes, person: int) -> Any:
        del self.people[person]
        return {"success": True}

    def list_assigned(self, _: bytes, project: Project) -> Any:
        return [{"actorId": actor, "roleId": role} for actor, role in sorted(project.roles)]

    def assign(self, _: bytes, project: Project, role: str, actor: int) -> Any:
        if (actor, ROLES[role]) in project.roles:
            raise ProblemError("409.3", "A resource already exists with actorId,roleId,acteeId value(s) of …")
        project.roles.add((actor, ROLES[role]))
        return {"success": True}

    def dismiss(self, _: bytes, project: Project, role: str, actor: int) -> Any:
        if (actor, ROLES[role]) not in project.roles:
            raise missing()
        project.roles.discard((actor, ROLES[role]))
        return {"success": True}

    def _admit(self, project: Project, among: dict[int, dict[str, Any]], sent: dict[str, Any]) -> Any:
        _check(project, sent.get("properties") or {})
        number, token = self.new_actor(), secrets.token_hex(30) + "!$aB"
        among[number] = {"id": number, "token": token, "properties": None, **sent}
        return {key: value for key, value in among[number].items() if key != "properties"}


def _listed(entries: dict[int, dict[str, Any]], request: Request) -> Any:
    extended = request.headers.get("X-Extended-Metadata") == "true"
    ordered = sorted(entries.values(), key=lambda one: (one["token"] is not None, one["id"]), reverse=True)
    return [{key: value for key, value in one.items() if extended or key != "properties"} for one in ordered]


def _changed(project: Project, entry: dict[str, Any], sent: dict[str, Any]) -> Any:
    _check(project, sent["properties"])
    known = (entry["properties"] or {}) | sent["properties"]
    entry["properties"] = {name: value for name, value in known.items() if value is not None} or None
    return entry


def _check(project: Project, properties: dict[str, Any]) -> None:
    if unknown := properties.keys() - project.actor_properties:
        raise ProblemError("400.8", f"Unexpected properties value {min(unknown)}; Unknown property name.")
