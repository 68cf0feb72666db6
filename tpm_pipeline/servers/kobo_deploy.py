"""Everything a deployment to KoboToolbox makes, in the order in which each thing needs the others."""

from collections.abc import Iterator, Sequence

from tpm_pipeline.records import Access, CompiledForm
from tpm_pipeline.servers import kobo_forms, kobo_people
from tpm_pipeline.servers.kobo_api import KoboApi
from tpm_pipeline.servers.kobo_assets import Asset
from tpm_pipeline.servers.kobo_forms import Ground, Place
from tpm_pipeline.servers.steps import Step, in_order


def steps(api: KoboApi, assets: Sequence[Asset], forms: Sequence[CompiledForm], access: Access) -> list[Step[Ground]]:
    """What makes the project hold these forms and let these people in."""
    return in_order(_steps(api, assets, forms, access))


def _steps(
    api: KoboApi, assets: Sequence[Asset], forms: Sequence[CompiledForm], access: Access
) -> Iterator[Step[Ground]]:
    held = {Place(asset.form_id, asset.office): asset for asset in assets}
    active = {form.form_id: form for form in forms if form.form_id not in access.retired}
    wanted = {place: form for form in active.values() for place in kobo_forms.places(form, access)}
    for place, form in wanted.items():
        yield from kobo_forms.steps(api, form, place, held.get(place))
    for place, asset in held.items():
        # An office that is declared no more, or a form that each office has of its own by now, is retired too.
        if place.form_id in access.retired or (place.form_id in active and place not in wanted):
            yield kobo_forms.retirement(api, asset)
        if place not in wanted:
            yield from kobo_people.steps(api, place, asset, access, is_deployed=False)
    # People come last: by then the forms can be filled.
    for place in wanted:
        yield from kobo_people.steps(api, place, held.get(place), access)
