"""Lists that phones look into on KoboToolbox: files of the forms, replaced when the warehouse knows better."""

from collections.abc import Mapping, Sequence

from tpm_pipeline.errors import ServerError, together
from tpm_pipeline.records import Change, MediaFile, SharedList
from tpm_pipeline.servers import kobo_assets, kobo_media, kobo_people
from tpm_pipeline.servers.base import Progress
from tpm_pipeline.servers.kobo_api import KoboApi
from tpm_pipeline.servers.kobo_assets import Asset
from tpm_pipeline.servers.kobo_forms import FILES, SHARED, Ground, Mark, Place, redeploy
from tpm_pipeline.servers.kobo_people import ACCOUNTS


def share(
    api: KoboApi, assets: Sequence[Asset], lists: Sequence[SharedList], where: Ground, progress: Progress
) -> list[Change]:
    """Replace the files of each form that differ, then deploy it again: until then no phone gets them.

    A form that cannot have its lists keeps no other from having them.
    """
    changes, errors = list[Change](), list[ServerError]()
    for asset in assets:
        place = Place(asset.form_id, asset.office)
        try:
            if asset.is_active and (changed := _changed(api, asset, lists)):
                progress(what := f"{place.name}: {', '.join(changed)}")
                _replace(api, place, asset, changed, where)
                changes.append(Change("update", what))
        except ServerError as error:
            errors.append(type(error)(error.code, f"{place.name} · {error.where}", error.cause, error.remedy))
    if errors:
        raise together(errors)
    return changes


def _changed(api: KoboApi, asset: Asset, lists: Sequence[SharedList]) -> dict[str, bytes]:
    """The lists among the files that came with the form which phones have not as they are now; none of a hand's."""
    marked = asset.mark.get(FILES, {})
    wanted = {f"{one.name}.csv": _for(one, asset) for one in lists if f"{one.name}.csv" in marked}
    names = kobo_media.differing(wanted, kobo_media.held(api, asset.uid), marked) if wanted else ()
    return {name: wanted[name] for name in names}


def _replace(api: KoboApi, place: Place, asset: Asset, files: Mapping[str, bytes], where: Ground) -> None:
    found = kobo_assets.now(api, asset)
    if not found.is_active or found.version != found.deployed:
        # To deploy it would give phones what a hand, or a deployment that was interrupted, only began.
        cause = f"{', '.join(files)} must wait: the form has changes in KoboToolbox that phones do not have yet."
        raise ServerError("SRV-074", api.where, cause, "Deploy them, here (tpm deploy) or there, then share again.")
    if asset.office and kobo_people.is_public(api, asset):
        cause = f"{', '.join(files)} must wait: people without an account would get the office's cases with the form."
        raise ServerError("SRV-077", api.where, cause, "Deploy (tpm deploy), which closes it, then share again.")
    held = kobo_media.held(api, asset.uid)
    for name, content in files.items():
        kobo_media.replace(api, asset.uid, MediaFile(name, content), held.get(name))
    redeploy(api, found)
    digests = {name: kobo_media.md5(content) for name, content in files.items()}

    def said(mark: Mark) -> Mark:
        return {FILES: {**mark.get(FILES, {}), **digests}, SHARED: sorted({*mark.get(SHARED, ()), *digests})}

    where.mark(api, place, said)


def _for(one: SharedList, asset: Asset) -> bytes:
    """The list as an asset's phones may see it: nothing but its header when several offices use it, or it has none."""
    if not one.by_office or not (asset.office or asset.mark.get(ACCOUNTS)):
        return one.whole
    return one.by_office.get(asset.office, one.whole.partition(b"\n")[0] + b"\n")
