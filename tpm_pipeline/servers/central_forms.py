"""Deploying forms to Central: draft, attachments, publication."""

from collections.abc import Sequence

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Change, CompiledForm, FormVersion
from tpm_pipeline.servers.central_api import CentralApi, address

_NOT_FOUND = "404.1"
_XML, _CSV, _ANY = "application/xml", "text/csv", "application/octet-stream"


def in_order(forms: Sequence[CompiledForm]) -> list[CompiledForm]:
    """Forms that create entity lists first: Central links a list to a form's attachment only once it exists."""
    return sorted(forms, key=lambda form: not form.entity_lists)


def change(api: CentralApi, project: int | None, form: CompiledForm) -> Change:
    """What publishing this version would do."""
    what = f"{form.form_id} {form.version}"
    published = [] if project is None else _published(api, project, form.form_id)
    if not published:
        return Change("create", what)
    if form.version == published[-1]:
        return Change("none", what)
    if form.version in published:
        cause = f"Version {form.version} was published before {published[-1]}, and Central publishes a version once."
        remedy = "Change anything in the form (its title, a label) and deploy again."
        raise ServerError("SRV-016", form.form_id, cause, remedy)
    return Change("update", what)


def publish(api: CentralApi, project: int, form: CompiledForm) -> None:
    """Publish a version through a draft; the draft an interrupted deployment left is replaced."""
    here = address("projects", project, "forms", form.form_id)
    known = api.get(here, tolerate=(_NOT_FOUND,)) is not None
    # Central's warnings (a question dropped, a form of that name in the trash) are `tpm check`'s to give.
    target = here + "/draft" if known else address("projects", project, "forms")
    api.upload(target, form.xform, _XML, {"ignoreWarnings": "true"})
    _attach(api, here, form, {str(row["name"]) for row in api.get(address("projects", project, "datasets"))})
    api.post(here + "/draft/publish")


def versions(api: CentralApi, project: int, form_id: str) -> list[FormVersion]:
    """Every published version with its XForm, oldest first."""
    here = address("projects", project, "forms", form_id, "versions")
    return [
        FormVersion(form_id, version, api.xml(here + address(f"{version or '___'}.xml")))
        for version in _published(api, project, form_id)
    ]


def _published(api: CentralApi, project: int, form_id: str) -> list[str]:
    here = address("projects", project, "forms", form_id, "versions")
    return [str(row["version"] or "") for row in reversed(api.get(here, tolerate=(_NOT_FOUND,)) or [])]


def _attach(api: CentralApi, here: str, form: CompiledForm, lists: set[str]) -> None:
    """Upload what the form reads, except entity lists: Central fills those itself."""
    media = {file.name: file.content for file in form.media}
    # A list the form itself creates is linked when the form is published, unless a file took its place.
    own = {f"{name}.csv" for name in form.entity_lists}
    for wanted in api.get(here + "/draft/attachments"):
        name = str(wanted["name"])
        if wanted["datasetExists"] or name in own:
            continue
        if name.removesuffix(".csv") in lists:
            # A file was uploaded before the list existed, and Central would carry it on for ever.
            api.patch(here + "/draft/attachments" + address(name), {"dataset": True})
            continue
        if name not in media:
            cause = f"It needs the file «{name}», which neither comes with it nor is an entity list of the project."
            raise ServerError("SRV-017", form.form_id, cause, "Add the file, or deploy the form that makes the list.")
        kind = _CSV if name.endswith(".csv") else _ANY
        api.upload(here + "/draft/attachments" + address(name), media[name], kind)
