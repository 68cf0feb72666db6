"""The fake Central's app users and who may fill what."""

import json
import secrets
from typing import Any

from tests.servers.fake_central_state import FORM, PROJECT, Form, ProblemError, Project, State, Table


class Users(State):
    def user_routes(self) -> Table:
        return [
            ("GET", PROJECT + "/app-users", self.list_users),
            ("POST", PROJECT + "/app-users", self.add_user),
            ("POST", FORM + "/assignments/app-user/{user:int}", self.allow),
        ]

    def list_users(self, _: bytes, project: Project) -> Any:
        return list(project.users.values())

    def add_user(self, body: bytes, project: Project) -> Any:
        number = max(project.users, default=100) + 1
        token = secrets.token_hex(30) + "!$aB"
        project.users[number] = {"id": number, "displayName": json.loads(body)["displayName"], "token": token}
        return project.users[number]

    def allow(self, _: bytes, project: Project, form: Form, user: int) -> Any:  # noqa: ARG002
        if user in form.allowed:
            raise ProblemError("409.3", "A resource already exists with actorId,roleId,acteeId value(s) of …")
        form.allowed.add(user)
        return {"success": True}
