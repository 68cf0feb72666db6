"""Forms of KoboToolbox: imported as XLSForms, with their files, then deployed; one for each office where it must be."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.forms import content, workbook
from tpm_pipeline.forms.compile import Tables
from tpm_pipeline.records import Access, Change, CompiledForm
from tpm_pipeline.servers import kobo_assets, kobo_media
from tpm_pipeline.servers.kobo_api import KoboApi, address
from tpm_pipeline.servers.kobo_assets import MARK, Asset
from tpm_pipeline.servers.steps import Step

FILES, SHARED = "files", "shared"
"""What an asset's mark says of its files: the digests of those phones have of us, and which of them were shared."""

Mark = Mapping[str, Any]

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
    """The assets there are so far: a deployment adds to them as it goes."""

    project: str
    uids: dict[Place, str] = field(default_factory=dict)

    def mark(self, api: KoboApi, place: Place, say: Callable[[Mark], Mark]) -> None:
        """Write something beside an asset, given what is there by now: others may write beside it too."""
        here = address("assets", self.uids[place])
        mark = api.get(here)["settings"][MARK]
        api.patch(here, {"settings": {MARK: {**mark, **say(mark)}}})


def ground(project: str, assets: Sequence[Asset]) -> Ground:
    """What a deployment finds."""
    return Ground(project, {Place(asset.form_id, asset.office): asset.uid for asset in assets})


def places(form: CompiledForm, access: Access) -> list[Place]:
    """Where a form belongs: it has no filter for a phone, so who reads cases gets a form, and a list, of their own."""
    own = any(file.name.removesuffix(".csv") in access.own_cases for file in form.media)
    offices = sorted(access.accounts) if own else []
    return [Place(form.form_id, office) for office in offices] or [Place(form.form_id)]


def steps(api: KoboApi, form: CompiledForm, place: Place, asset: Asset | None) -> Iterator[Step[Ground]]:
    """What makes one asset this form, for phones to get."""
    line = f"{place.name} {form.version}"
    do = partial(_publish, api, form, place, asset)
    if asset is None:
        yield Step(Change("create", line), do)
        return
    held, files = api.get(asset.path)["content"], kobo_media.held(api, asset.uid)
    if asset.deployed and not content.is_ours(held):
        what = f"{place.name}: its questions were changed in KoboToolbox, and would be those of {form.version}"
        yield Step(Change("drift", what), do)
    elif asset.deployed != asset.version or held["settings"].get("version") != form.version:
        yield Step(Change("update", line), do)
    elif not asset.is_active:
        yield Step(Change("update", f"{line}: phones may send it again"), do)
    elif changed := _changed(form, asset, files):
        yield Step(Change("update", f"{line}: {', '.join(changed)}"), do)
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


def redeploy(api: KoboApi, asset: Asset) -> None:
    """Give phones this version of an asset, with the files that are there."""
    # A newer one, which somebody made meanwhile, makes it refuse; without `active`, nobody could send it.
    said = {"active": True, "version_id": asset.version}
    there = asset.path + "deployment/"
    if asset.deployed:
        api.patch(there, said)
    else:
        api.post(there, said)


def _own(form: CompiledForm, asset: Asset) -> dict[str, bytes]:
    """The files whose content comes with the form; lists that change every day are shared apart.

    What phones do not get by now begins anew: a list of long ago may hold what went to others.
    """
    apart = {*asset.mark.get(SHARED, ()), *(f"{name}.csv" for name in form.entity_lists)} if asset.is_active else ()
    return {file.name: file.content for file in form.media if file.name not in apart}


def _changed(form: CompiledForm, asset: Asset, held: Mapping[str, kobo_media.Held]) -> list[str]:
    """The files that phones do not have as they come with the form, and those it has no more."""
    marked, names = asset.mark.get(FILES, {}), [file.name for file in form.media]
    own = kobo_media.differing(_own(form, asset), held, marked)
    # A shared list that is away comes back when it is shared: a deployment could only begin it anew.
    there = {*held, *asset.mark.get(SHARED, ())} & {*marked}
    lacking = [name for name in names if name not in there]
    return [*dict.fromkeys([*own, *lacking, *(name for name in marked if name not in names)])]


def _publish(api: KoboApi, form: CompiledForm, place: Place, planned: Asset | None, where: Ground) -> None:
    found = kobo_assets.now(api, planned) if planned else _create(api, form, place, where)
    if planned and found.version != planned.version:
        cause = "Somebody changed it in KoboToolbox since this deployment was planned."
        raise ServerError("SRV-073", place.name, cause, "See what would be overwritten (tpm deploy --plan).")
    _import(api, form, place, found)
    imported = kobo_assets.now(api, found)
    files = _send_files(api, form, imported)
    redeploy(api, imported)
    # Only now do phones get these files: written down before, an interruption would make them believe so.
    where.mark(api, place, lambda _: {FILES: files})


def _create(api: KoboApi, form: CompiledForm, place: Place, where: Ground) -> Asset:
    """Make the asset, marked before it holds anything: an interruption leaves nothing that is not known again."""
    mark = {"project": where.project, "form": place.form_id, "office": place.office}
    made = {"name": form.title, "asset_type": "survey", "content": _EMPTY, "settings": {MARK: mark}}
    asset = kobo_assets.read(api.post("/assets/", made))
    where.uids[place] = asset.uid
    return asset


def _import(api: KoboApi, form: CompiledForm, place: Place, asset: Asset) -> None:
    fields = {"destination": api.url + "/api/v2" + asset.path, "library": "false"}
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


def _send_files(api: KoboApi, form: CompiledForm, asset: Asset) -> dict[str, str]:
    """Upload what differs, and remove what the form has no more; a list that is there stays. Gives their digests."""
    held, own, sent = kobo_media.held(api, asset.uid), _own(form, asset), dict[str, str]()
    for file in form.media:
        old, digest = held.get(file.name), kobo_media.md5(file.content)
        if old is None or (file.name in own and old.md5 != digest):
            kobo_media.replace(api, asset.uid, file, old)
            sent[file.name] = digest
        else:
            sent[file.name] = old.md5
    for name in asset.mark.get(FILES, {}):
        if name in held and name not in sent:
            kobo_media.remove(api, asset.uid, held[name])
    return sent


def _archive(api: KoboApi, asset: Asset, _where: Ground) -> None:
    api.patch(asset.path + "deployment/", {"active": False})
