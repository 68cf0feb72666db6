"""Entity lists that come with rows: offices and organisations can be chosen from the first day. Fake and real."""

from uuid import UUID, uuid4

from tests.servers.conftest import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import visit_form
from tpm_pipeline.records import CompiledForm, MediaFile
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


def test_a_list_that_lives_is_left_alone(central: Site) -> None:
    agadir = str(uuid4())
    central.server.deploy([offices("1", f"{agadir},Agadir,AGD01,MA-AGD")])
    central.server.deploy([offices("2", f"{agadir},Agadir,AGD01,MA-AGD", f"{uuid4()},Tiznit,TIZ01,MA-TIZ")])

    assert known(central) == [agadir]


def test_a_second_project_of_the_server_has_identifiers_of_its_own(central: Site) -> None:
    """Central keeps identifiers apart over the whole server: a trial beside the real project must still deploy."""
    form = offices("1", f"{uuid4()},Agadir,AGD01,MA-AGD")
    central.server.deploy([form])
    api, _project = api_of(central)
    trial = CentralServer(api.url, **api._credentials, project=f"essai {uuid4()}", timeout_s=20)

    trial.deploy([form])

    other = f"/projects/{trial._find_project()}"
    (entity,) = api.get(f"{other}/datasets/bureaux/entities")
    assert UUID(entity["uuid"]).version == 4
    assert entity["uuid"] not in known(central)
    api.delete(other)


def test_a_list_without_rows_waits_for_its_form(central: Site) -> None:
    central.server.deploy([offices("1")])

    assert known(central) == []
