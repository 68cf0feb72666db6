"""The forms as they are deployed, and one population that filled them."""

from collections.abc import Mapping

import pytest

from tpm_pipeline.demo import instances, population
from tpm_pipeline.demo.cases import Event
from tpm_pipeline.demo.instances import Submission
from tpm_pipeline.forms.catalog import path_of
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import CompiledForm, FormVersion

FORMS = ("tpm_visite", "tpm_suivi", "tpm_entretien")


@pytest.fixture(scope="session")
def compiled() -> Mapping[str, CompiledForm]:
    return {form_id: compile_form(path_of(form_id), "local", validate=False)[0] for form_id in FORMS}


@pytest.fixture(scope="session")
def versions(compiled: Mapping[str, CompiledForm]) -> Mapping[str, FormVersion]:
    return {form_id: FormVersion(form_id, form.version, form.xform) for form_id, form in compiled.items()}


@pytest.fixture(scope="session")
def events(versions: Mapping[str, FormVersion]) -> list[Event]:
    return list(population.events(2020, 2000, instances.service_labels(versions["tpm_visite"])))


@pytest.fixture(scope="session")
def submissions(versions: Mapping[str, FormVersion]) -> list[Submission]:
    return list(instances.generate(2020, 2000, versions))
