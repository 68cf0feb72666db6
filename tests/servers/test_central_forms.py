"""Deploying forms to Central: drafts, files, entity lists, and what hands changed. On the fake and on the real one."""

import re
from collections.abc import Callable

import pytest

from tests.servers.site import Site
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import seal
from tpm_pipeline.records import Access, Change, MediaFile
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.central_api import CentralApi

_COUNTRIES = MediaFile("pays.csv", b"name,label\nml,Mali\n")


def api_of(site: Site) -> tuple[CentralApi, str]:
    """The server's session, and the path of its project."""
    assert isinstance(site.server, CentralServer)
    return site.server._api, f"/projects/{site.server._find_project()}"


def test_a_missing_project_is_part_of_the_plan(central: Site) -> None:
    planned = central.server.plan([visit_form()])

    assert [(change.action, change.what.split()[0]) for change in planned] == [
        ("create", "project"),
        ("create", "visites"),
    ]
    assert isinstance(central.server, CentralServer)
    assert central.server._find_project() is None


def test_files_are_uploaded_and_entity_lists_left_to_central(central: Site) -> None:
    makes = visit_form(form_id="visites", creates="dossiers", reads=["dossiers"], files=[_COUNTRIES])
    reads = visit_form(form_id="suivis", reads=["dossiers"], files=[_COUNTRIES])

    central.server.deploy([reads, makes])

    api, project = api_of(central)
    for form_id in ("visites", "suivis"):
        api.upload(
            f"{project}/forms/{form_id}/draft", (makes if form_id == "visites" else reads).xform, "application/xml"
        )
        files = {file["name"]: file for file in api.get(f"{project}/forms/{form_id}/draft/attachments")}
        assert (files["dossiers.csv"]["datasetExists"], files["dossiers.csv"]["blobExists"]) == (True, False)
        assert (files["pays.csv"]["datasetExists"], files["pays.csv"]["blobExists"]) == (False, True)


def test_a_list_takes_the_place_of_a_file_uploaded_before_it_existed(central: Site) -> None:
    seed = MediaFile("dossiers.csv", b"name,label\n")
    central.server.deploy([visit_form("1", form_id="suivis", files=[seed])])
    central.server.deploy([visit_form(creates="dossiers"), visit_form("2", form_id="suivis", files=[seed])])

    api, project = api_of(central)
    api.upload(
        f"{project}/forms/suivis/draft", visit_form("3", form_id="suivis", files=[seed]).xform, "application/xml"
    )
    (file,) = api.get(f"{project}/forms/suivis/draft/attachments")
    assert (file["datasetExists"], file["blobExists"]) == (True, False)


def test_a_file_nobody_brings_stops_the_form_before_it_is_published(central: Site) -> None:
    with pytest.raises(ServerError) as error:
        central.server.deploy([visit_form(reads=["dossiers"])])

    assert error.value.code == "SRV-017"
    assert "dossiers.csv" in error.value.cause
    assert central.server.versions("visites") == []


def test_a_draft_left_by_an_interrupted_deployment_is_replaced(central: Site) -> None:
    with pytest.raises(ServerError, match="SRV-017"):
        central.server.deploy([visit_form(reads=["dossiers"])])

    assert [change.action for change in central.server.deploy([visit_form()])] == ["create"]
    assert [version.xform for version in central.server.versions("visites")] == [visit_form().xform]


def test_a_draft_beside_a_published_version_is_replaced(central: Site) -> None:
    central.server.deploy([visit_form("1")])
    with pytest.raises(ServerError, match="SRV-017"):
        central.server.deploy([visit_form("2", reads=["dossiers"])])

    central.server.deploy([visit_form("3")])

    assert [version.version for version in central.server.versions("visites")] == ["1", "3"]


def test_a_question_dropped_or_moved_does_not_stop_a_deployment(central: Site) -> None:
    central.server.deploy([visit_form("1", extra="langue")])

    assert [change.action for change in central.server.deploy([visit_form("2")])] == ["update"]


def test_going_back_to_a_former_version_publishes_it_once_more(central: Site) -> None:
    for version in ("1", "2"):
        central.server.deploy([visit_form(version)])

    assert central.server.deploy([visit_form("1")]) == [Change("update", "visites 1.2")]

    assert published(central) == ["1", "2", "1.2"]
    assert seal.is_ours(central.server.versions("visites")[-1].xform)
    assert central.server.deploy([visit_form("1")]) == [Change("none", "visites 1.2")]


def test_the_empty_version_has_an_address_too(central: Site) -> None:
    central.server.deploy([visit_form("")])

    assert [version.xform for version in central.server.versions("visites")] == [visit_form("").xform]


def publish_by_hand(site: Site, xform: bytes) -> None:
    api, project = api_of(site)
    api.upload(f"{project}/forms/visites/draft", xform, "application/xml", {"ignoreWarnings": "true"})
    api.post(f"{project}/forms/visites/draft/publish")


def rename_by_hand(site: Site) -> None:
    """What Central's pages do when somebody replaces a file: the same form, another version."""
    api, project = api_of(site)
    api._json("POST", f"{project}/forms/visites/draft")
    api.upload(f"{project}/forms/visites/draft/attachments/pays.csv", b"name,label\nfr,France\n", "text/csv")
    api._json("POST", f"{project}/forms/visites/draft/publish", query={"version": "à la main"})


def edit_by_hand(site: Site) -> None:
    publish_by_hand(site, visit_form("7", extra="langue").xform.replace(b"Personnes", b"Gens"))


@pytest.mark.parametrize(("change", "version"), [(rename_by_hand, "à la main"), (edit_by_hand, "7")])
@pytest.mark.parametrize("ours", ["1", "2"])
def test_a_version_published_by_hand_is_shown_and_kept_until_forced(
    central: Site, change: Callable[[Site], None], version: str, ours: str
) -> None:
    central.server.deploy([visit_form("1", files=[_COUNTRIES])])
    change(central)
    form, free = visit_form(ours, files=[_COUNTRIES]), {"1": "1.2", "2": "2"}[ours]

    drift = f"visites: no deployment made the published version «{version}»; {free} would take its place"
    assert central.server.plan([form]) == [Change("drift", drift)]
    with pytest.raises(ServerError, match=f"SRV-040 .*{re.escape(drift)}.*--force"):
        central.server.deploy([form])
    assert published(central) == ["1", version]

    central.server.deploy([form], force=True)

    assert published(central) == ["1", version, free]
    assert central.server.deploy([form]) == [Change("none", f"visites {free}")]


def test_our_version_published_by_hand_without_its_files_is_shown(central: Site) -> None:
    """Somebody publishes the draft that an interrupted deployment left."""
    form = visit_form("2", files=[_COUNTRIES])
    central.server.deploy([visit_form("1")])
    publish_by_hand(central, form.xform)

    (found,) = central.server.plan([form])

    assert found.action == "drift"
    assert "version 2 was published with other files than ours (pays.csv)" in found.what
    central.server.deploy([form], force=True)
    assert central.server.plan([form]) == [Change("none", "visites 2.2")]


def test_a_draft_somebody_left_is_shown_and_kept_until_forced(central: Site) -> None:
    central.server.deploy([visit_form("1")])
    api, project = api_of(central)
    theirs = visit_form("2").xform.replace(b"Personnes", b"Gens")
    api.upload(f"{project}/forms/visites/draft", theirs, "application/xml")

    for form in (visit_form("1"), visit_form("3")):
        drift = Change("drift", "visites: a draft that no deployment made would be deleted")
        assert central.server.plan([form])[0] == drift
        with pytest.raises(ServerError, match="SRV-040"):
            central.server.deploy([form])
    assert api.xml(f"{project}/forms/visites/draft.xml") == theirs

    central.server.deploy([visit_form("1")], force=True)

    assert api.get(f"{project}/forms/visites/draft", tolerate=("404.1",)) is None
    assert central.server.plan([visit_form("1")]) == [Change("none", "visites 1")]


def test_a_form_only_somebodys_draft_holds_is_not_taken_from_them(central: Site) -> None:
    central.server.deploy([visit_form(form_id="autre")])
    api, project = api_of(central)
    theirs = visit_form("9").xform.replace(b"Personnes", b"Gens")
    api.upload(f"{project}/forms", theirs, "application/xml")

    with pytest.raises(ServerError, match="SRV-040"):
        central.server.deploy([visit_form("1")])
    central.server.deploy([visit_form("1")], force=True)

    assert published(central) == ["1"]


@pytest.mark.parametrize("state", ["closing", "closed"])
def test_a_form_somebody_closed_is_shown_and_stays_closed_until_forced(central: Site, state: str) -> None:
    central.server.deploy([visit_form("1")])
    api, project = api_of(central)
    api.patch(f"{project}/forms/visites", {"state": state})

    with pytest.raises(ServerError, match=f"SRV-040 .*it is {state}, and would be open again"):
        central.server.deploy([visit_form("2")])
    assert (published(central), api.get(f"{project}/forms/visites")["state"]) == (["1"], state)
    central.server.deploy([visit_form("2")], force=True)

    assert (published(central), api.get(f"{project}/forms/visites")["state"]) == (["1", "2"], "open")


def test_a_retired_form_is_given_to_no_phone_and_what_they_hold_is_taken(central: Site) -> None:
    central.server.deploy([visit_form("1"), visit_form(form_id="suivis")])
    phone = central.phone()
    gone = Access(retired=("visites", "jamais"))

    changes = central.server.deploy([visit_form("2"), visit_form(form_id="suivis")], gone)

    assert [(change.action, change.what.split(":")[0]) for change in changes] == [
        ("none", "suivis 1"),
        ("update", "visites is retired"),
        ("none", "jamais is retired, and not on this server"),
    ]
    api, project = api_of(central)
    assert (published(central), api.get(f"{project}/forms/visites")["state"]) == (["1"], "closing")
    phone.submit(visit())
    assert {change.action for change in central.server.deploy([visit_form("2")], gone)} == {"none"}


def test_a_project_that_encrypts_is_deployed_once_too(real_central: Site) -> None:
    """Central writes its key into each form, and into the version a suffix that is never twice the same."""
    real_central.server.deploy([visit_form(form_id="autre")])
    api, project = api_of(real_central)
    api.post(f"{project}/key", {"passphrase": "une phrase secrète", "hint": ""})

    real_central.server.deploy([visit_form("1")])
    assert real_central.server.plan([visit_form("1")]) == [Change("none", "visites 1")]
    assert real_central.server.deploy([visit_form("2")]) == [Change("update", "visites 2")]
    edit_by_hand(real_central)

    assert [change.action for change in real_central.server.plan([visit_form("2")])] == ["drift"]


def published(site: Site) -> list[str]:
    return [version.version for version in site.server.versions("visites")]
