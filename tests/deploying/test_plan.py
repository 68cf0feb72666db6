"""A deployment that breaks marts and indicators, or overwrites somebody's work, is refused before anything is sent."""

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tpm_pipeline.deploying import plan
from tpm_pipeline.errors import FormError, ServerError, SettingsError
from tpm_pipeline.forms import catalog, schema, seal
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import NOBODY, Access, CompiledForm

if TYPE_CHECKING:
    from tpm_pipeline.forms.compile import Target

FORM_ID = "tpm_suivi"


@cache
def compiled(target: "Target") -> dict[str, CompiledForm]:
    paths = {form_id: catalog.path_of(form_id) for form_id in catalog.form_ids()}
    return {form_id: compile_form(path, target, validate=False)[0] for form_id, path in paths.items()}


def forms(site: Site) -> dict[str, CompiledForm]:
    """The project's forms, as this server wants them."""
    return compiled("kobo" if site.server.dialect.flat else "central")


def changed(form: CompiledForm, old: str, new: str, version: str) -> CompiledForm:
    """The form with words replaced, as another version."""
    xform = re.sub(old, new, form.xform.decode()).encode()
    sheets = {
        name: tuple({key: re.sub(old, new, text) for key, text in row.items()} for row in rows)
        for name, rows in form.sheets.items()
    }
    if sheets:
        sheets["settings"] = ({**sheets["settings"][0], "version": version},)
    return seal.revised(replace(form, xform=xform, sheets=sheets), version)


def renamed(form: CompiledForm) -> CompiledForm:
    return changed(form, r"\bsat_bureau\b", "satisfaction_bureau", "b")


def newest(site: Site) -> str:
    """The version that was deployed last, as the form itself says it."""
    return schema.read(site.server.versions(FORM_ID)[-1].xform).version


def told(site: Site, form: CompiledForm, access: Access = NOBODY) -> list[str]:
    return [*plan.lines([plan.prepare(site.server, [form], access)])]


def test_a_form_nobody_has_yet_breaks_nothing(site: Site) -> None:
    form = forms(site)[FORM_ID]
    prepared = plan.prepare(site.server, [form], NOBODY)

    assert prepared.broken.breaking == 0
    assert f"create: tpm_suivi {form.version}" in [*plan.lines([prepared])]
    plan.carry_out([prepared])
    assert f"none: tpm_suivi {form.version}" in told(site, form)


def test_new_words_are_deployed_without_a_question(site: Site) -> None:
    form = forms(site)[FORM_ID]
    site.server.deploy([form])
    reworded = changed(form, "Choisir le dossier", "Prendre le dossier", "c")

    assert told(site, reworded) == ["update: tpm_suivi c"]
    plan.carry_out([plan.prepare(site.server, [reworded], NOBODY)])

    assert newest(site) == "c"


def test_what_breaks_is_said_with_all_it_reaches_and_needs_force(site: Site) -> None:
    everything = forms(site)
    site.server.deploy([*everything.values()])

    prepared = plan.prepare(site.server, [*{**everything, FORM_ID: renamed(everything[FORM_ID])}.values()], NOBODY)

    said = "\n".join(plan.lines([prepared]))
    assert "BREAKING question renamed: sat_bureau" in said
    assert "marts: fct_suivi.sat_bureau" in said
    with pytest.raises(FormError, match=r"FORM-031 .*tpm_suivi: question renamed.*read by fct_suivi\.") as error:
        plan.carry_out([prepared])
    assert error.value.exit_code == 11
    assert newest(site) == everything[FORM_ID].version

    plan.carry_out([prepared], force=True)

    assert newest(site) == "b"


def test_a_retired_form_is_not_compared(site: Site) -> None:
    form = forms(site)[FORM_ID]
    site.server.deploy([form])

    assert all("BREAKING" not in line for line in told(site, renamed(form), Access(retired=(FORM_ID,))))


@pytest.mark.parametrize("site", ["fake central", "real central"], indirect=True)
def test_what_a_hand_changed_is_said_first_and_refused_first(site: Site) -> None:
    form = forms(site)[FORM_ID]
    site.server.deploy([form])
    api, project = api_of(site)
    api.patch(f"{project}/forms/tpm_suivi", {"state": "closed"})

    prepared = plan.prepare(site.server, [renamed(form)], NOBODY)

    assert next(plan.lines([prepared])).startswith("drift: tpm_suivi: it is closed")
    with pytest.raises(ServerError, match="SRV-040") as error:
        plan.carry_out([prepared])
    assert error.value.exit_code == 12


def test_a_form_that_shows_cases_is_never_opened_to_anybody(site: Site) -> None:
    refused = r"SET-018 · TPM_ACCESS: anonymous: with «tpm_suivi» anybody would get the list dossiers\."

    with pytest.raises(SettingsError, match=refused):
        told(site, forms(site)[FORM_ID], Access(anonymous=(FORM_ID,)))
    assert told(site, forms(site)["tpm_osc"], Access(anonymous=("tpm_osc",)))


def test_each_step_is_told(site: Site) -> None:
    steps: list[str] = []

    plan.carry_out([plan.prepare(site.server, [forms(site)[FORM_ID]], NOBODY, steps.append)], progress=steps.append)

    assert steps[:2] == [f"comparing with {site.server.name}", "following what changes into marts and indicators"]
