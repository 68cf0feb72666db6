"""Entity lists that come with rows: offices and organisations can be chosen from the first day. Fake and real."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse

from tests.servers.conftest import Fake
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Change, CompiledForm, MediaFile
from tpm_pipeline.servers.central import CentralServer


def offices(version: str, *rows: str) -> CompiledForm:
    """A form that writes the list it reads, with the rows it comes with."""
    content = "\n".join(["name,label,bureau,province", *rows, ""]).encode()
    return visit_form(version, creates="bureaux", files=[MediaFile("bureaux.csv", content)])


def known(site: Site) -> list[str]:
    api, project = api_of(site)
    return [entity["uuid"] for entity in api.get(f"{project}/datasets/bureaux/entities")]


def test_a_list_is_filled_with_the_rows_that_come_with_its_form(central: Site) -> None:
    agadir, tiznit = str(uuid4()), str(uuid4())
    central.server.deploy([offices("1", f"{agadir},Agadir,AGD01,MA-AGD", f"{tiznit},Tiznit,TIZ01,")])

    assert sorted(known(central)) == sorted([agadir, tiznit])


def test_a_row_that_comes_later_is_added_and_those_that_live_are_left_alone(central: Site) -> None:
    agadir, tiznit, taliouine = (str(uuid4()) for _ in range(3))
    first = offices("1", f"{agadir},Agadir,AGD01,MA-AGD", f"{tiznit},Tiznit,TIZ01,MA-TIZ")
    more = offices("2", f"{agadir},Ailleurs,AGD01,MA-AGD", f"{tiznit},Tiznit,TIZ01,", f"{taliouine},Taliouine,TAR01,")
    central.server.deploy([first])
    api, project = api_of(central)
    api.delete(f"{project}/datasets/bureaux/entities/{tiznit}")

    assert central.server.deploy([more])[0] == Change("update", "list bureaux: 1 row")

    assert sorted(known(central)) == sorted([agadir, taliouine])
    assert [version["label"] for version in api.get(f"{project}/datasets/bureaux/entities/{agadir}/versions")] == [
        "Agadir"
    ]
    assert {change.action for change in central.server.plan([more])} == {"none"}


def test_a_column_that_comes_later_is_declared(central: Site) -> None:
    central.server.deploy([offices("1")])
    form = offices("2")
    wider = replace(form, media=(MediaFile("bureaux.csv", b"name,label,bureau,province,score\n"),))

    assert central.server.deploy([wider])[0] == Change("update", "list bureaux: columns score")

    api, project = api_of(central)
    assert {one["name"] for one in api.get(f"{project}/datasets/bureaux")["properties"]} == {
        *("bureau", "province", "score")
    }


def test_a_second_project_of_the_server_has_identifiers_of_its_own(central: Site) -> None:
    """Central keeps identifiers apart over the whole server: a trial beside the real project must still deploy."""
    form = offices("1", f"{uuid4()},Agadir,AGD01,MA-AGD")
    central.server.deploy([form])
    api, _project = api_of(central)
    email, password = api._credentials.values()
    trial = CentralServer(api.url, email, password, f"essai {uuid4()}", 20)

    trial.deploy([form])

    other = f"/projects/{trial._find_project()}"
    (entity,) = api.get(f"{other}/datasets/bureaux/entities")
    assert UUID(entity["uuid"]).version == 4
    assert entity["uuid"] not in known(central)
    assert {change.action for change in trial.plan([form])} == {"none"}
    api.delete(other)


def test_a_list_without_rows_has_its_columns_before_its_form_is_there(central: Site) -> None:
    assert central.server.deploy([offices("1")])[1] == Change("create", "list bureaux")

    assert known(central) == []


def test_a_row_deleted_for_good_is_not_made_again(fake: Fake) -> None:
    agadir = f"{uuid4()},Agadir,AGD01,MA-AGD"
    fake.site.server.deploy([offices("1", agadir)])
    gone = f"{uuid4()},Tiznit,TIZ01,MA-TIZ"
    # Central keeps the identifier of what was purged, and shows it nowhere.
    purged = {"message": f"The following UUID(s) cannot be used … ({gone[:36]}).", "code": 409.19}
    fake.central.meddle = lambda request: (
        JSONResponse(purged, 409) if (request.method, request.url.path[-9:]) == ("POST", "/entities") else None
    )

    with pytest.raises(ServerError, match=rf"SRV-013 .*cannot be used … \({gone[:36]}\)"):
        fake.site.server.deploy([offices("2", agadir, gone)])


CASES = replace(visit_form(creates="dossiers"), media=(MediaFile("dossiers.csv", b"name,label,code_bureau\n"),))
OWN = Access(own_cases=("dossiers",))
LINE = "list dossiers: each office receives its own rows only"


def shared(site: Site) -> Any:
    api, project = api_of(site)
    return api.get(f"{project}/datasets/dossiers").get("accessFilter")


def test_each_office_gets_its_own_cases_from_the_first_day_and_for_good(central: Site) -> None:
    rule = {"datasetProperty": "code_bureau", "actorProperty": "code_bureau"}

    assert Change("update", LINE) in central.server.deploy([CASES], OWN)

    assert shared(central) == {"type": "property", "rules": [rule]}
    assert central.server.deploy([CASES], OWN) == [Change("none", "visites 1")]


def test_another_filter_somebody_set_is_kept_until_forced(central: Site) -> None:
    central.server.deploy([CASES], OWN)
    api, project = api_of(central)
    ours, theirs = shared(central), {"type": "ownerOnly"}
    api.patch(f"{project}/datasets/dossiers", {"accessFilter": theirs})

    with pytest.raises(ServerError, match=f"SRV-040 .*{LINE}, instead of the filter somebody set"):
        central.server.deploy([CASES], OWN)
    assert shared(central) == theirs
    central.server.deploy([CASES], OWN, force=True)

    assert shared(central) == ours


def test_an_approval_somebody_asks_for_is_kept_until_forced(central: Site) -> None:
    central.server.deploy([CASES], OWN)
    api, project = api_of(central)
    here = f"{project}/datasets/dossiers"
    api.patch(here, {"approvalRequired": True})

    with pytest.raises(ServerError, match=r"SRV-040 .*without waiting for an approval"):
        central.server.deploy([CASES], OWN)
    assert api.get(here)["approvalRequired"]
    central.server.deploy([CASES], OWN, force=True)

    assert not api.get(here)["approvalRequired"]
    assert central.server.plan([CASES], OWN) == [Change("none", "visites 1")]


def test_a_filter_the_server_leaves_out_stops_before_a_phone_is_let_in(fake: Fake) -> None:
    def forget(request: Request) -> None:
        for project in fake.central.projects.values():
            project.actor_properties.clear()
        assert request.method != "POST" or "app-users" not in request.url.path

    fake.site.server.deploy([CASES])
    fake.central.meddle = forget

    with pytest.raises(ServerError, match=r"SRV-041 .*every phone would receive every office's rows"):
        fake.site.server.deploy([CASES], Access({"TIZ01": ("téléphone 1",)}, own_cases=("dossiers",)))
