"""A deployment that breaks marts and indicators, or overwrites somebody's work, is refused before anything is sent."""

import re
from dataclasses import replace

import pytest

from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tpm_pipeline.deploying import plan
from tpm_pipeline.errors import FormError, ServerError
from tpm_pipeline.forms import catalog, seal
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import NOBODY, Access, CompiledForm

ALL = [compile_form(catalog.path_of(form_id), "central", validate=False)[0] for form_id in catalog.form_ids()]
FORM = next(form for form in ALL if form.form_id == "tpm_suivi")


def changed(old: str, new: str, version: str) -> CompiledForm:
    """The form with words of its XForm replaced, as another version."""
    xform = re.sub(old, new, FORM.xform.decode()).encode()
    return seal.revised(replace(FORM, xform=xform), version)


RENAMED = changed(r"\bsat_bureau\b", "satisfaction_bureau", "b")
REWORDED = changed("<h:title>", "<h:title>Nouveau : ", "c")


def told(site: Site, form: CompiledForm, access: Access = NOBODY) -> list[str]:
    return [*plan.lines([plan.prepare(site.server, [form], access)])]


def test_a_form_nobody_has_yet_breaks_nothing(site: Site) -> None:
    prepared = plan.prepare(site.server, [FORM], NOBODY)

    assert prepared.broken.breaking == 0
    assert f"create: tpm_suivi {FORM.version}" in [*plan.lines([prepared])]
    plan.carry_out([prepared])
    assert f"none: tpm_suivi {FORM.version}" in told(site, FORM)


def test_new_words_are_deployed_without_a_question(site: Site) -> None:
    site.server.deploy([FORM])

    assert told(site, REWORDED) == ["update: tpm_suivi c"]
    plan.carry_out([plan.prepare(site.server, [REWORDED], NOBODY)])

    assert site.server.versions("tpm_suivi")[-1].version == "c"


def test_what_breaks_is_said_with_all_it_reaches_and_needs_force(site: Site) -> None:
    site.server.deploy(ALL)

    prepared = plan.prepare(site.server, [RENAMED if form == FORM else form for form in ALL], NOBODY)

    said = "\n".join(plan.lines([prepared]))
    assert "BREAKING question renamed: sat_bureau" in said
    assert "marts: fct_suivi.sat_bureau" in said
    with pytest.raises(FormError, match=r"FORM-031 .*tpm_suivi: question renamed.*read by fct_suivi\.") as error:
        plan.carry_out([prepared])
    assert error.value.exit_code == 11
    assert [version.version for version in site.server.versions("tpm_suivi")] == [FORM.version]

    plan.carry_out([prepared], force=True)

    assert site.server.versions("tpm_suivi")[-1].version == "b"


def test_a_retired_form_is_not_compared(site: Site) -> None:
    site.server.deploy([FORM])

    assert all("BREAKING" not in line for line in told(site, RENAMED, Access(retired=("tpm_suivi",))))


@pytest.mark.parametrize("site", ["fake central", "real central"], indirect=True)
def test_what_a_hand_changed_is_said_first_and_refused_first(site: Site) -> None:
    site.server.deploy([FORM])
    api, project = api_of(site)
    api.patch(f"{project}/forms/tpm_suivi", {"state": "closed"})

    prepared = plan.prepare(site.server, [RENAMED], NOBODY)

    assert next(plan.lines([prepared])).startswith("drift: tpm_suivi: it is closed")
    with pytest.raises(ServerError, match="SRV-040") as error:
        plan.carry_out([prepared])
    assert error.value.exit_code == 12


def test_each_step_is_told(site: Site) -> None:
    steps: list[str] = []

    plan.carry_out([plan.prepare(site.server, [FORM], NOBODY, steps.append)], progress=steps.append)

    assert steps[:2] == [f"comparing with {site.server.name}", "following what changes into marts and indicators"]
