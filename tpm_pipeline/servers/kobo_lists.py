"""Lists that phones look into on KoboToolbox: files of the forms, replaced when the warehouse knows better."""

from collections.abc import Iterator, Sequence

from tpm_pipeline.forms import content
from tpm_pipeline.records import Change, MediaFile, SharedList
from tpm_pipeline.servers import kobo_media
from tpm_pipeline.servers.base import Progress
from tpm_pipeline.servers.kobo_api import KoboApi
from tpm_pipeline.servers.kobo_assets import Asset
from tpm_pipeline.servers.kobo_forms import FILES, SHARED, Ground, Place, redeploy


def share(
    api: KoboApi, assets: Sequence[Asset], lists: Sequence[SharedList], where: Ground, progress: Progress
) -> Iterator[Change]:
    """Replace the files of each form that differ, then deploy it again: until then no phone gets them."""
    for asset in assets:
        if not asset.is_active:
            continue
        place = Place(asset.form_id, asset.office)
        held, marked = kobo_media.held(api, asset.uid), asset.mark.get(FILES, {})
        # What an interruption left away is known by its mark.
        wanted = {f"{one.name}.csv": _for(one, asset.office) for one in lists}
        wanted = {name: found for name, found in wanted.items() if name in {*held, *marked}}
        changed = kobo_media.differing(wanted, held, marked)
        if not changed:
            continue
        what = f"{place.name}: {', '.join(changed)}"
        if asset.version != asset.deployed and not content.is_ours(api.get(asset.path)["content"]):
            # To deploy again would give phones what a hand began to change.
            yield Change("drift", f"{what} waits, as the form was changed in KoboToolbox and not deployed")
            continue
        progress(what)
        for name in changed:
            kobo_media.replace(api, asset.uid, MediaFile(name, wanted[name]), held.get(name))
        redeploy(api, asset.uid)
        digests = {name: kobo_media.md5(wanted[name]) for name in changed}
        where.mark(
            api, place, **{FILES: {**marked, **digests}, SHARED: sorted({*asset.mark.get(SHARED, ()), *digests})}
        )
        yield Change("update", what)


def _for(one: SharedList, office: str) -> bytes:
    """The list as an office may see it: nothing but its header when it has nothing of its own."""
    if not office or not one.by_office:
        return one.whole
    return one.by_office.get(office, one.whole.partition(b"\n")[0] + b"\n")
