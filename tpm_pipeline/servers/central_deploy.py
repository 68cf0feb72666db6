"""Everything a deployment to Central makes, in the order in which each thing needs the others."""

from collections.abc import Iterator, Sequence

from tpm_pipeline.records import Access, CompiledForm
from tpm_pipeline.servers import central_access, central_forms, central_lists, central_people
from tpm_pipeline.servers.central_api import CentralApi
from tpm_pipeline.servers.central_steps import Step
from tpm_pipeline.servers.steps import in_order


def steps(api: CentralApi, project: int | None, forms: Sequence[CompiledForm], access: Access) -> list[Step]:
    """What makes the project hold these forms and let these people in."""
    return in_order(_steps(api, project, forms, access))


def _steps(api: CentralApi, project: int | None, forms: Sequence[CompiledForm], access: Access) -> Iterator[Step]:
    active = [form for form in central_forms.in_order(forms) if form.form_id not in access.retired]
    yield from central_access.registration(api, project, access)
    yield from central_lists.steps(api, project, active)
    for name in access.own_cases:
        yield from central_lists.sharing(api, project, name)
    for form in active:
        yield from central_forms.steps(api, project, form)
    yield from (central_forms.retirement(api, project, form_id) for form_id in access.retired)
    # Phones come last: by then the lists are closed to other offices, and the forms can be filled.
    yield from central_access.steps(api, project, access, [form.form_id for form in active])
    yield from central_people.steps(api, project, access.web_users)
