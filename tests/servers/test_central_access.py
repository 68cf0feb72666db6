"""Phones and desks of Central: each receives its own office's cases and no other's. On the fake and on the real one."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.servers.conftest import TIMEOUT_S, Fake
from tests.servers.phone_view import View
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Change, CompiledForm, MediaFile
from tpm_pipeline.servers.openrosa import OpenRosaClient

PHONE = "téléphone 1"
CASES = MediaFile("dossiers.csv", b"name,label,code_bureau\n")
TWO = Access({"TIZ01": (PHONE,), "AGD01": (PHONE,)}, own_cases=("dossiers",))


def follow_up(version: str = "1") -> CompiledForm:
    """A form that reads the cases of an office."""
    return visit_form(version, form_id="tpm_suivi", reads=["dossiers"])


def visits() -> CompiledForm:
    """A form that opens cases."""
    return replace(visit_form(form_id="tpm_visite", creates="dossiers"), media=(CASES,))


def deploy(site: Site, access: Access = TWO) -> Mapping[str, View]:
    """Each office's phone, once everything is deployed."""
    site.server.deploy([visits(), follow_up()], access)
    return {door.office: View(door.url) for door in site.server.phones(access)}


def open_cases(site: Site, **offices: str) -> dict[str, str]:
    """A case of each label, of an office; gives their identifiers."""
    api, project = api_of(site)
    ids = {label: str(uuid4()) for label in offices}
    rows = [{"uuid": ids[label], "label": label, "data": {"code_bureau": code}} for label, code in offices.items()]
    api.post(f"{project}/datasets/dossiers/entities", {"source": {"name": "x"}, "entities": rows})
    return ids


def users(site: Site) -> dict[str, Any]:
    api, project = api_of(site)
    return {user["displayName"]: user for user in api.get(f"{project}/app-users", extended=True)}


def test_a_phone_receives_the_cases_of_its_own_office_only(central: Site) -> None:
    phones = deploy(central)
    open_cases(central, Amina="TIZ01", Binta="AGD01", Chaibou="TIZ01")

    assert phones["TIZ01"].cases("tpm_suivi") == ["Amina", "Chaibou"]
    assert phones["AGD01"].cases("tpm_suivi") == ["Binta"]
    assert {*phones["TIZ01"].forms()} == {"tpm_visite", "tpm_suivi"}


def test_a_case_that_moves_to_another_office_moves_to_its_phones(central: Site) -> None:
    phones = deploy(central)
    ids = open_cases(central, Amina="TIZ01", Binta="AGD01")
    api, project = api_of(central)

    moved = {"data": {"code_bureau": "AGD01"}}
    api.patch(f"{project}/datasets/dossiers/entities/{ids['Amina']}", moved, {"force": "true"})

    assert phones["TIZ01"].cases("tpm_suivi") == []
    assert phones["AGD01"].cases("tpm_suivi") == ["Amina", "Binta"]


def test_a_phone_of_no_office_receives_no_case(central: Site) -> None:
    deploy(central)
    open_cases(central, Amina="TIZ01")
    stray = View(central.server.app_user("téléphone trouvé").url)  # type: ignore[attr-defined]

    assert stray.cases("tpm_suivi") == []


def test_a_token_opens_the_forms_of_its_own_phone_and_nothing_without_the_protocols_header(central: Site) -> None:
    phone = deploy(central)["TIZ01"]
    api, project = api_of(central)
    user = api.post(f"{project}/app-users", {"displayName": "sans formulaire"})
    locked_out = View(phone.url.replace(phone.url.split("/")[-3], user["token"]))

    assert locked_out.forms() == {}
    assert locked_out.get("/forms/tpm_suivi/manifest").status == 403
    assert locked_out.get("/forms/tpm_suivi/attachments/dossiers.csv", {}).status == 403
    assert phone.get("/formList", {}).status == 400


def test_phones_are_made_once_and_later_forms_are_given_to_them(central: Site) -> None:
    access = Access({"TIZ01": (PHONE, "tablette"), "AGD01": ()})

    assert central.server.deploy([visit_form()], access)[-2:] == [
        Change("create", "phone TIZ01 · téléphone 1"),
        Change("create", "phone TIZ01 · tablette"),
    ]
    assert central.server.deploy([visit_form()], access) == [Change("none", "visites 1")]
    more = central.server.deploy([visit_form(), visit_form(form_id="tpm_suivi")], access)

    assert more[-1] == Change("update", "tpm_suivi: 2 phones more may fill it")
    assert {*View(central.server.phones(access)[1].url).forms()} == {"visites", "tpm_suivi"}
    assert [door.name for door in central.server.phones(access)] == [PHONE, "tablette"]


def test_a_phone_that_is_declared_no_more_is_shut_out_before_anything_else(central: Site) -> None:
    lost = deploy(central)["TIZ01"]
    declared = replace(TWO, phones={"TIZ01": ("téléphone 2",), "AGD01": (PHONE,)})

    changes = central.server.deploy([visits(), follow_up("2")], declared)

    assert changes[0] == Change("revoke", "phone TIZ01 · téléphone 1")
    assert Change("create", "phone TIZ01 · téléphone 2") in changes
    assert lost.get("/formList").status == 403
    assert {name: bool(user["token"]) for name, user in users(central).items()} == {
        "TIZ01 · téléphone 1": False,
        "TIZ01 · téléphone 2": True,
        "AGD01 · téléphone 1": True,
    }
    assert {change.action for change in central.server.plan([visits(), follow_up("2")], declared)} == {"none"}


def test_a_phone_declared_again_is_let_in_by_another_address(central: Site) -> None:
    lost = deploy(central)["TIZ01"]
    central.server.deploy([visits(), follow_up()])

    again = deploy(central)["TIZ01"]

    assert again.url != lost.url
    assert (lost.get("/formList").status, {*again.forms()}) == (403, {"tpm_visite", "tpm_suivi"})


def test_what_a_revoked_phone_sent_keeps_its_name(real_central: Site) -> None:
    access = Access({"TIZ01": (PHONE,)})
    real_central.server.deploy([visit_form()], access)
    OpenRosaClient(real_central.server.phones(access)[0].url, TIMEOUT_S).submit(visit())
    real_central.server.deploy([visit_form()])

    (row,), _ = real_central.pull()

    assert row["__system"]["submitterName"] == "TIZ01 · téléphone 1"


def test_app_users_of_others_are_left_alone(central: Site) -> None:
    central.server.deploy([visit_form()], Access({"TIZ01": (PHONE,)}))
    api, project = api_of(central)
    for name in ("Enquêteur externe", "tiz01 - ancien"):
        api.post(f"{project}/app-users", {"displayName": name})

    assert central.server.deploy([visit_form()], Access({"TIZ01": (PHONE,)})) == [Change("none", "visites 1")]
    assert all(user["token"] for user in users(central).values())


def test_a_phone_moved_to_another_office_by_hand_is_shown_and_stays_there_until_forced(central: Site) -> None:
    deploy(central)
    api, project = api_of(central)
    here = f"{project}/app-users/{users(central)['TIZ01 · téléphone 1']['id']}"
    api.patch(here, {"properties": {"code_bureau": "AGD01"}})

    with pytest.raises(ServerError, match=r"SRV-040 .*TIZ01 · téléphone 1: its office is AGD01, and would be TIZ01"):
        central.server.deploy([visits(), follow_up()], TWO)
    central.server.deploy([visits(), follow_up()], TWO, force=True)

    assert users(central)["TIZ01 · téléphone 1"]["properties"] == {"code_bureau": "TIZ01"}


def test_a_phone_without_an_office_is_given_its_own(central: Site) -> None:
    deploy(central)
    api, project = api_of(central)
    here = f"{project}/app-users/{users(central)['TIZ01 · téléphone 1']['id']}"
    api.patch(here, {"properties": {"code_bureau": None}})

    line = "phone TIZ01 · téléphone 1: its office is nowhere, and would be TIZ01"
    assert Change("update", line) in central.server.deploy([visits(), follow_up()], TWO)


def test_a_phone_that_is_not_deployed_has_no_address(central: Site) -> None:
    central.server.deploy([visit_form()])

    with pytest.raises(ServerError, match=r"SRV-043 .*There is no phone «TIZ01 · téléphone 1» yet\. Deploy first"):
        central.server.phones(TWO)


def test_a_desk_has_one_link_for_each_of_its_forms_and_loses_it_with_its_declaration(central: Site) -> None:
    access = Access(desk_links={"visites": ("TIZ01",)})
    central.server.deploy([visit_form()])

    assert central.server.deploy([visit_form()], access)[-1] == Change("create", "link to visites TIZ01 · accueil")
    assert central.server.deploy([visit_form()], access) == [Change("none", "visites 1")]
    assert link(central)["properties"] == {"code_bureau": "TIZ01"}
    assert central.server.deploy([visit_form()])[0] == Change("revoke", "link to visites TIZ01 · accueil")
    assert link(central)["token"] is None


def test_a_desk_receives_the_cases_of_its_own_office_only(central: Site) -> None:
    access = replace(TWO, desk_links={"tpm_suivi": ("AGD01",)})
    phone = deploy(central, access)["TIZ01"]
    open_cases(central, Amina="TIZ01", Binta="AGD01")

    desk = View(phone.url.replace(phone.url.split("/")[-3], link(central, "tpm_suivi")["token"]))

    assert desk.cases("tpm_suivi") == ["Binta"]


def test_a_desks_address_waits_for_the_page_central_prepares(fake: Fake) -> None:
    access = Access(desk_links={"visites": ("TIZ01",)})
    fake.site.server.deploy([visit_form()], access)

    with pytest.raises(ServerError, match=r"SRV-042 · visites: Central has not prepared its page"):
        fake.site.server.desks(access)
    next(iter(fake.central.projects.values())).forms["visites"].web_form = "AbCd123"

    (door,) = fake.site.server.desks(access)
    assert (door.office, door.name) == ("TIZ01", "visites")
    assert re.fullmatch(rf"{fake.url}/f/AbCd123\?st=\S+", door.url)
    assert door.url not in repr(door)


def link(site: Site, form_id: str = "visites") -> Any:
    api, project = api_of(site)
    (found,) = api.get(f"{project}/forms/{form_id}/public-links", extended=True)
    return found
