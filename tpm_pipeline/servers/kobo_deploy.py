"""Everything a deployment to KoboToolbox makes, in the order in which each thing needs the others."""

from collections.abc import Iterator, Mapping, Sequence

from tpm_pipeline.records import Access, Change, CompiledForm
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
    unknown = kobo_people.unknown(api, access)
    known = kobo_people.without(access, unknown)
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
            yield from kobo_people.steps(api, place, asset, known, is_deployed=False)
    # People come last: by then the forms can be filled.
    for place in wanted:
        yield from kobo_people.steps(api, place, held.get(place), known)
    yield from _hints(wanted, held)
    yield from (kobo_people.complaint(api, name) for name in unknown)


def _hints(wanted: Mapping[Place, CompiledForm], held: Mapping[Place, Asset]) -> Iterator[Step[Ground]]:
    """What a deployment leaves to another command: lists begin empty."""
    lists = {f"{name}.csv" for form in wanted.values() for name in form.entity_lists}
    begun = {place: form for place, form in wanted.items() if place not in held or not held[place].is_active}
    if names := dict.fromkeys(form.form_id for form in begun.values() if lists & {file.name for file in form.media}):
        yield Step(Change("update", f"{', '.join(names)}: run `tpm refresh` next, to give phones the lists"))
