"""The forms as they are deployed, and one population that filled them."""

from collections.abc import Mapping

import pytest

from tpm_pipeline.demo import instances, mess, versions
from tpm_pipeline.demo.cases import Event
from tpm_pipeline.demo.instances import Submission
from tpm_pipeline.demo.mess import Sending
from tpm_pipeline.forms import catalog
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import CompiledForm, FormVersion

SEED, VISITS = 2020, 2000


@pytest.fixture(scope="session")
def compiled() -> Mapping[str, CompiledForm]:
    forms = catalog.form_ids()
    return {form_id: compile_form(catalog.path_of(form_id), "local", validate=False)[0] for form_id in forms}


@pytest.fixture(scope="session")
def former(compiled: Mapping[str, CompiledForm]) -> CompiledForm:
    return versions.former(compiled[versions.FORM])


@pytest.fixture(scope="session")
def deployed(compiled: Mapping[str, CompiledForm]) -> Mapping[str, FormVersion]:
    return {form_id: FormVersion(form_id, form.version, form.xform) for form_id, form in compiled.items()}


@pytest.fixture(scope="session")
def events(deployed: Mapping[str, FormVersion]) -> list[Event]:
    return list(instances.events(SEED, VISITS, deployed))


@pytest.fixture(scope="session")
def submissions(deployed: Mapping[str, FormVersion]) -> list[Submission]:
    return list(instances.generate(SEED, VISITS, deployed))


@pytest.fixture(scope="session")
def sendings(events: list[Event]) -> list[Sending]:
    return list(mess.sendings(SEED, events))
