"""The fake Central's entity lists: declared, filled in bulk, filtered."""

import json
from typing import Any

from starlette.requests import Request

from tests.servers.fake_central_state import PROJECT, ProblemError, Project, State, Table, missing

LIST = PROJECT + "/datasets/{name}"


class Lists(State):
    def list_routes(self) -> Table:
        return [
            ("GET", PROJECT + "/datasets", self.list_lists),
            ("POST", PROJECT + "/datasets", self.add_list),
            ("GET", LIST, self.show_list),
            ("PATCH", LIST, self.change_list),
            ("POST", LIST + "/properties", self.add_property),
            ("GET", LIST + "/entities", self.list_entities),
            ("POST", LIST + "/entities", self.add_entities),
        ]

    def list_lists(self, _: bytes, project: Project) -> Any:
        return [{"name": name} for name in sorted(project.lists)]

    def add_list(self, body: bytes, project: Project) -> Any:
        name = json.loads(body)["name"]
        if name in project.lists:
            raise ProblemError("409.3", f"A resource already exists with name,projectId value(s) of {name},1.")
        project.lists.add(name)
        return self.show_list(b"", project, name)

    def show_list(self, _: bytes, project: Project, name: str) -> Any:
        if name not in project.lists:
            raise missing()
        rule = project.filters.get(name)
        return {
            "name": name,
            "approvalRequired": name in project.approvals,
            "ownerOnly": rule is not None and rule["type"] == "ownerOnly",
            "properties": [{"name": one} for one in sorted(project.properties.get(name, ()))],
            **({"accessFilter": rule} if rule else {}),
        }

    def change_list(self, body: bytes, project: Project, name: str) -> Any:
        sent = json.loads(body)
        if "approvalRequired" in sent:
            (project.approvals.add if sent["approvalRequired"] else project.approvals.discard)(name)
        if "accessFilter" in sent:
            project.filters.pop(name, None)
            if rule := _believed(project, name, sent["accessFilter"]):
                project.filters[name] = rule
        return self.show_list(b"", project, name)

    def add_property(self, body: bytes, project: Project, name: str) -> Any:
        if name not in project.lists:
            raise missing()
        known, added = project.properties.setdefault(name, set()), json.loads(body)["name"]
        if added in known:
            raise ProblemError("409.3", f"A resource already exists with name,datasetId value(s) of {added},1.")
        known.add(added)
        return {"success": True}

    def list_entities(self, _: bytes, project: Project, name: str, request: Request) -> Any:
        if name not in project.lists:
            raise missing()
        deleted = request.query_params.get("deleted") == "true"
        return [one for one in project.entities.get(name, []) if self._is_deleted(one["uuid"]) == deleted]

    def add_entities(self, body: bytes, project: Project, name: str) -> Any:
        sent = json.loads(body)["entities"]
        if unknown := {column for one in sent for column in one["data"]} - project.properties.get(name, set()):
            raise ProblemError("400.28", f"The entity is invalid. You specified the dataset property {unknown} …")
        taken = {one["uuid"] for other in self.projects.values() for kept in other.entities.values() for one in kept}
        known = [one["uuid"] for one in sent if one["uuid"] in taken]
        if gone := [uuid for uuid in known if self._is_deleted(uuid)]:
            raise ProblemError(
                "409.19", f"The following UUID(s) cannot be used because … deleted Entities: ({gone[0]})."
            )
        if known:
            raise ProblemError("409.3", f"A resource already exists with uuid value(s) of {known[0]}.")
        project.entities.setdefault(name, []).extend(sent)
        return {"success": True}

    def _is_deleted(self, uuid: str) -> bool:
        return uuid in self.histories and self.histories[uuid].deleted is not None


def _believed(project: Project, name: str, asked: dict[str, Any] | None) -> dict[str, Any] | None:
    """The filter Central makes of what was asked: a rule with a property it does not know is left out in silence."""
    if not asked or asked["type"] == "ownerOnly":
        return asked
    columns = project.properties.get(name, set())
    rules = [
        rule
        for rule in asked["rules"]
        if rule["datasetProperty"] in columns and rule["actorProperty"] in project.actor_properties
    ]
    return {"type": "property", "rules": rules} if rules else None
