"""The fake Central's entities: written by submissions and by hand, read with their history."""

import json
import re
from typing import Any

from lxml import etree
from starlette.requests import Request

from tests.servers.fake_central_rows import name as local_name
from tests.servers.fake_central_state import (
    PROJECT,
    Form,
    History,
    ProblemError,
    Project,
    State,
    Table,
    missing,
    refuse,
)

_SAVETO = "{http://www.opendatakit.org/xforms/entities}saveto"
_CLAUSE = re.compile(r"__system/(createdAt|updatedAt|deletedAt) ge (\S+)")
_ACTOR = {"id": 5, "type": "user", "displayName": "pipeline@example.org"}


class Entities(State):
    def entity_routes(self) -> Table:
        one = PROJECT + "/datasets/{name}/entities/{uuid}"
        return [
            ("GET", PROJECT + "/datasets/{name}.svc/Entities", self.entity_rows),
            ("GET", one, self.entity),
            ("GET", one + "/versions", self.entity_history),
            ("PATCH", one, self.update_entity),
            ("DELETE", one, self.delete_entity),
            ("POST", one + "/restore", self.restore_entity),
        ]

    def work(self, project: Project, xml: bytes) -> None:
        """What the worker does with a submission some seconds after it came."""
        root = etree.fromstring(xml)
        node, instance = root.find("{*}meta/{*}entity"), str(root.findtext("{*}meta/{*}instanceID"))
        if node is None or not node.get("id") or instance in self.worked:
            return
        self.worked.add(instance)
        name, uuid = str(node.get("dataset")), str(node.get("id"))
        received = _saved(project.forms[str(root.get("id"))], root) | {"label": str(node.findtext("{*}label"))}
        source = {
            "event": {"action": "submission.create", "details": {"instanceId": instance}},
            "submission": {"instanceId": instance},
        }
        if node.get("create") in {"1", "true"}:
            project.lists.add(name)
            data = {key: text for key, text in received.items() if key != "label"}
            project.entities.setdefault(name, []).append({"uuid": uuid, "label": received["label"], "data": data})
            self._history(project, name, uuid).versions[0]["source"] = source
        elif node.get("update") in {"1", "true"} and uuid in self._uuids(project, name):
            found = self._history(project, name, uuid)
            self._add(found, received, int(str(node.get("baseVersion"))), source)

    def entity_rows(self, _: bytes, project: Project, name: str, request: Request) -> Any:
        if name not in project.lists:
            raise missing()
        rows = [(uuid, self._history(project, name, uuid)) for uuid in self._uuids(project, name)]
        found = [(uuid, one) for uuid, one in rows if _selected(one, request.query_params["$filter"])]
        found.sort(key=lambda row: row[1].created, reverse=True)
        return {
            "value": [{"__id": uuid, "__system": _system(one)} for uuid, one in found],
            "@odata.context": "http://elsewhere/$metadata#Entities",
            "@odata.count": len(found) + self.extra,
        }

    def entity(self, _: bytes, project: Project, name: str, uuid: str, request: Request) -> Any:
        found = self._history(project, name, uuid)
        if bool(found.deleted) != (request.query_params.get("deleted") == "true"):
            raise missing()
        current = {key: text for key, text in found.versions[-1].items() if key not in {"source", "conflict"}}
        return {"uuid": uuid, "conflict": found.conflict, "deletedAt": found.deleted, "currentVersion": current}

    def entity_history(self, _: bytes, project: Project, name: str, uuid: str) -> Any:
        found = self._history(project, name, uuid)
        return found.versions if not found.deleted else refuse(missing())

    def update_entity(self, body: bytes, project: Project, name: str, uuid: str, request: Request) -> Any:
        found, sent, asked = self._history(project, name, uuid), json.loads(body), request.query_params
        current = found.versions[-1]["version"]
        if asked.get("baseVersion") != str(current) and asked.get("force") != "true":
            raise ProblemError("409.15", f"Current version of the Entity is '{current}' …")
        if sent:
            self._add(found, sent.get("data", {}) | {k: v for k, v in sent.items() if k == "label"}, current, {})
        if asked.get("resolve") == "true":
            found.conflict, found.updated = None, self.now()
        return {"uuid": uuid}

    def delete_entity(self, _: bytes, project: Project, name: str, uuid: str) -> Any:
        self._history(project, name, uuid).deleted = self.now()
        return {"success": True}

    def restore_entity(self, _: bytes, project: Project, name: str, uuid: str) -> Any:
        found = self._history(project, name, uuid)
        found.deleted, found.updated = None, self.now()
        return {"success": True}

    def _uuids(self, project: Project, name: str) -> list[str]:
        return [one["uuid"] for one in project.entities.get(name, [])]

    def _history(self, project: Project, name: str, uuid: str) -> History:
        found = next((one for one in project.entities.get(name, []) if one["uuid"] == uuid), None) or refuse(missing())
        if uuid not in self.histories:
            received = found["data"] | {"label": found["label"]}
            source = {"name": f"{name}.csv", "size": 1, "count": 1}
            self.histories[uuid] = History([], self.now())
            self._add(self.histories[uuid], received, None, source)
        return self.histories[uuid]

    def _add(self, entity: History, received: dict[str, str], base: int | None, source: dict[str, Any]) -> None:
        before: dict[str, Any] = entity.versions[-1] if entity.versions else {"data": {}, "label": "", "version": 0}
        conflicting = None
        if base is not None and base < before["version"]:
            then = entity.versions[base - 1]["data"]
            changed = {key for key, text in before["data"].items() if then.get(key) != text}
            conflicting = sorted(key for key in changed & received.keys() if received[key] != before["data"][key])
            entity.conflict = "hard" if conflicting else "soft"
        entity.updated = self.now() if entity.versions else None
        entity.versions.append(
            {
                "version": before["version"] + 1,
                "label": received.get("label") or before["label"],
                "data": before["data"] | {key: text for key, text in received.items() if key != "label"},
                "dataReceived": received,
                "baseVersion": base,
                "conflict": entity.conflict if conflicting is not None else None,
                "conflictingProperties": conflicting,
                "createdAt": self.now(),
                "creatorId": 5,
                "creator": _ACTOR,
                "source": source,
            }
        )


def _system(entity: History) -> dict[str, Any]:
    return {
        "createdAt": entity.created,
        "updatedAt": entity.updated,
        "deletedAt": entity.deleted,
        "version": entity.versions[-1]["version"],
        "updates": len(entity.versions) - 1,
        "conflict": entity.conflict,
    }


def _selected(entity: History, asked: str) -> bool:
    stamps = _system(entity)
    clauses = [_CLAUSE.fullmatch(clause) or refuse(ProblemError("501.5", asked)) for clause in asked.split(" or ")]
    return any((stamps[clause[1]] or "") >= clause[2] for clause in clauses)


def _saved(form: Form, root: etree._Element) -> dict[str, str]:
    """The properties among the answers, as the form's version says."""
    xml = next(xml for xform, xml in form.versions if xform.version == root.get("version", ""))
    binds = [bind for bind in etree.fromstring(xml).iter() if isinstance(bind.tag, str) and local_name(bind) == "bind"]
    saved = {str(bind.get(_SAVETO)): str(bind.get("nodeset")) for bind in binds if bind.get(_SAVETO)}
    texts = {key: root.findtext("/".join(f"{{*}}{p}" for p in path.split("/")[2:])) for key, path in saved.items()}
    return {key: text for key, text in texts.items() if text is not None}
