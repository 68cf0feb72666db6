"""The fake Central's entity lists."""

import json
from typing import Any

from tests.servers.fake_central_state import PROJECT, ProblemError, Project, State, Table


class Lists(State):
    def list_routes(self) -> Table:
        return [
            ("GET", PROJECT + "/datasets", self.list_lists),
            ("POST", PROJECT + "/datasets", self.add_list),
            ("POST", PROJECT + "/datasets/{name}/properties", self.add_property),
            ("GET", PROJECT + "/datasets/{name}/entities", self.list_entities),
            ("POST", PROJECT + "/datasets/{name}/entities", self.add_entities),
        ]

    def list_lists(self, _: bytes, project: Project) -> Any:
        return [{"name": name} for name in sorted(project.lists)]

    def add_list(self, body: bytes, project: Project) -> Any:
        name = json.loads(body)["name"]
        if name in project.lists:
            raise ProblemError("409.3", f"A resource already exists with name,projectId value(s) of {name},1.")
        project.lists.add(name)
        return {"name": name}

    def add_property(self, body: bytes, project: Project, name: str) -> Any:
        known, added = project.properties.setdefault(name, set()), json.loads(body)["name"]
        if added in known:
            raise ProblemError("409.3", f"A resource already exists with name,datasetId value(s) of {added},1.")
        known.add(added)
        return {"success": True}

    def list_entities(self, _: bytes, project: Project, name: str) -> Any:
        return project.entities.get(name, [])

    def add_entities(self, body: bytes, project: Project, name: str) -> Any:
        sent = json.loads(body)["entities"]
        if unknown := {column for one in sent for column in one["data"]} - project.properties.get(name, set()):
            raise ProblemError("400.28", f"The entity is invalid. You specified the dataset property {unknown} …")
        taken = {one["uuid"] for other in self.projects.values() for kept in other.entities.values() for one in kept}
        if known := [one["uuid"] for one in sent if one["uuid"] in taken]:
            raise ProblemError("409.3", f"A resource already exists with uuid value(s) of {known[0]}.")
        project.entities.setdefault(name, []).extend(sent)
        return {"success": True}
