"""Forms of KoboToolbox: imported as XLSForms, with their files, then deployed; one for each office where it must be."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.forms import content, workbook
from tpm_pipeline.forms.compile import Tables
from tpm_pipeline.records import Access, Change, CompiledForm
from tpm_pipeline.servers import kobo_media
from tpm_pipeline.servers.kobo_api import KoboApi, address
from tpm_pipeline.servers.kobo_assets import MARK, Asset
from tpm_pipeline.servers.steps import Step

FILES, SHARED = "files", "shared"
"""What an asset's mark says of its files: the digests of those phones have, and which of them are lists of ours."""

_EMPTY: Mapping[str, Any] = {"survey": [], "choices": [], "settings": {}}
_PAUSES_S = (0.1, 0.2, 0.5, 1, 2, 2, 5, 5, 10, 10, 30, 30, 30)


@dataclass(frozen=True)
class Place:
    """A form, or the one of an office."""

    form_id: str
    office: str = ""

    @property
    def name(self) -> str:
        """What a plan calls it."""
        return f"{self.form_id} · {self.office}" if self.office else self.form_id


@dataclass
class Ground:
    """The assets there are so far, with their marks: a deployment adds to them as it goes."""

    project: str
    uids: dict[Place, str] = field(default_factory=dict)
    marks: dict[Place, dict[str, Any]] = field(default_factory=dict)

    def add(self, place: Place, uid: str, mark: Mapping[str, Any]) -> None:
        """Know an asset."""
        self.uids[place], self.marks[place] = uid, dict(mark)

    def mark(self, api: KoboApi, place: Place, **said: Any) -> None:
        """Write something beside an asset."""
        self.marks[place] |= said
        api.patch(address("assets", self.uids[place]), {"settings": {MARK: self.marks[place]}})


def ground(project: str, assets: Sequence[Asset]) -> Ground:
    """What a deployment finds."""
    found = Ground(project)
    for asset in assets:
        found.add(Place(asset.form_id, asset.office), asset.uid, asset.mark)
    return found


def places(form: CompiledForm, access: Access) -> list[Place]:
    """Where a form belongs: it has no filter for a phone, so who reads cases gets a form, and a list, of their own."""
    own = any(file.name.removesuffix(".csv") in access.own_cases for file in form.media)
    offices = sorted(access.accounts) if own else []
    return [Place(form.form_id, office) for office in offices] or [Place(form.form_id)]


def steps(api: KoboApi, form: CompiledForm, place: Place, asset: Asset | None) -> Iterator[Step[Ground]]:
    """What makes one asset this form, for phones to get."""
    line = f"{place.name} {form.version}"
    do = partial(_publish, api, form, place)
    if asset is None:
        yield Step(Change("create", line), do)
        return
    held, files = api.get(asset.path)["content"], kobo_media.held(api, asset.uid)
    if asset.deployed and not content.is_ours(held):
        what = f"{place.name}: its questions were changed in KoboToolbox, and would be those of {form.version}"
        yield Step(Change("drift", what), do)
    elif asset.deployed != asset.version or held["settings"].get("version") != form.version:
        yield Step(Change("update", line), do)
    elif changed := _changed(form, asset.mark, files):
        yield Step(Change("update", f"{line}: {', '.join(changed)}"), do)
    elif not asset.is_active:
        yield Step(Change("update", f"{line}: phones may send it again"), do)
    else:
        yield Step(Change("none", line))


def retirement(api: KoboApi, asset: Asset) -> Step[Ground]:
    """What takes a form from phones; what was sent stays, and is pulled."""
    line = f"{Place(asset.form_id, asset.office).name} is retired"
    if not asset.is_active:
        return Step(Change("none", line))
    return Step(
        Change("update", f"{line}: phones get it no more, and can no more send it"), partial(_archive, api, asset)
    )


def redeploy(api: KoboApi, uid: str) -> None:
    """Give phones what the asset has now."""
    here = address("assets", uid)
    held = api.get(here)
    # Any version but the newest is answered with a page of HTML; without `active`, nobody could send it.
    said = {"active": True, "version_id": held["version_id"]}
    there = here + "deployment/"
    if held["has_deployment"]:
        api.patch(there, said)
    else:
        api.post(there, said)


def _own(form: CompiledForm, mark: Mapping[str, Any]) -> dict[str, bytes]:
    """The files whose content comes with the form; lists that change every day are shared apart."""
    apart = {*mark.get(SHARED, ()), *(f"{name}.csv" for name in form.entity_lists)}
    return {file.name: file.content for file in form.media if file.name not in apart}


def _changed(form: CompiledForm, mark: Mapping[str, Any], held: Mapping[str, kobo_media.Held]) -> list[str]:
    """The files that phones do not have, or not as they come with the form."""
    own = kobo_media.differing(_own(form, mark), held, mark.get(FILES, {}))
    return own + [file.name for file in form.media if file.name not in {*held, *own}]


def _publish(api: KoboApi, form: CompiledForm, place: Place, where: Ground) -> None:
    if place not in where.uids:
        _create(api, form, place, where)
    uid = where.uids[place]
    _import(api, form, place, uid)
    files = _send_files(api, form, uid, _own(form, where.marks[place]))
    redeploy(api, uid)
    # Only now do phones get these files: written down before, an interruption would make them believe so.
    where.mark(api, place, **{FILES: files})


def _create(api: KoboApi, form: CompiledForm, place: Place, where: Ground) -> None:
    """Make the asset, marked before it holds anything: an interruption leaves nothing that is not known again."""
    mark = {"project": where.project, "form": place.form_id, "office": place.office}
    made = {"name": form.title, "asset_type": "survey", "content": _EMPTY, "settings": {MARK: mark}}
    where.add(place, api.post("/assets/", made)["uid"], mark)


def _import(api: KoboApi, form: CompiledForm, place: Place, uid: str) -> None:
    fields = {"destination": api.url + "/api/v2" + address("assets", uid), "library": "false"}
    sent = api.upload("/imports/", fields, "file", f"{form.form_id}.xlsx", workbook.as_xlsx(_sheets(form, place)))
    for pause in _PAUSES_S:
        found = api.get(address("imports", sent["uid"]))
        if found["status"] == "complete":
            return
        if found["status"] == "error":
            cause = f"KoboToolbox cannot read the form: {str(found['messages'].get('error'))[:300]}"
            raise ServerError("SRV-066", place.name, cause, "Correct the form, then deploy again.")
        time.sleep(pause)
    raise ServerUnavailableError("SRV-067", place.name, "The form is still being read.", "Deploy again later.")


def _sheets(form: CompiledForm, place: Place) -> Tables:
    """The form, sealed, under the title by which people tell offices' forms apart."""
    first, *rest = form.sheets["settings"]
    title = f"{form.title} · {place.office}" if place.office else form.title
    return content.sealed({**form.sheets, "settings": ({**first, "form_title": title}, *rest)})


def _send_files(api: KoboApi, form: CompiledForm, uid: str, own: Collection[str]) -> dict[str, str]:
    """Upload what differs; a list that is there stays as it is. Gives the digests of all that is there."""
    held = kobo_media.held(api, uid)
    for file in form.media:
        old = held.get(file.name)
        if old is None or (file.name in own and old.md5 != kobo_media.md5(file.content)):
            kobo_media.replace(api, uid, file, old)
            held[file.name] = replace(old or kobo_media.Held("", ""), md5=kobo_media.md5(file.content))
    return {name: file.md5 for name, file in held.items()}


def _archive(api: KoboApi, asset: Asset, _where: Ground) -> None:
    api.patch(asset.path + "deployment/", {"active": False})
