"""Rows made whole: each is read under the version that produced it. On the fake and on the real Central."""

from dataclasses import replace

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.servers.conftest import Fake
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerUnavailableError

_FR = "<langue>fr</langue>"


def test_a_dropped_question_keeps_its_old_answers(central: Site) -> None:
    central.server.deploy([visit_form("1", extra="langue")])
    central.submit(visit(more=_FR))
    central.server.deploy([visit_form("2")])
    central.submit(visit(version="2", services=[]))

    rows, _ = central.pull()

    assert sorted((row["__system"]["formVersion"], row.get("langue")) for row in rows) == [("1", "fr"), ("2", None)]
    old = next(row for row in rows if row.get("langue"))
    assert [repeat["service"] for repeat in old["orientations"]] == ["sante", "droit"]
    assert old["g_bureau"]["bureau"] == 'Agadir é&"'


def test_an_edit_says_the_version_it_was_made_with(central: Site) -> None:
    central.server.deploy([visit_form("1", extra="langue")])
    first, second = new_id(), new_id()
    central.submit(visit(instance_id=first, more=_FR))
    central.server.deploy([visit_form("2")])
    central.submit(visit(instance_id=second, replaces=first, version="2", persons="9"))

    (row,), _ = central.pull()

    assert (row["__id"], row["meta"]["instanceID"]) == (first, second)
    assert (row["__system"]["formVersion"], row["nb_personnes"]) == ("2", "9")
    assert "langue" not in row


def test_an_edit_made_in_the_old_version_after_the_new_one_keeps_its_answers(central: Site) -> None:
    central.server.deploy([visit_form("1", extra="langue")])
    central.server.deploy([visit_form("2")])
    first, second = new_id(), new_id()
    central.submit(visit(instance_id=first, version="2"))
    central.submit(visit(instance_id=second, replaces=first, version="1", more=_FR))

    (row,), _ = central.pull()

    assert (row["__system"]["formVersion"], row["langue"]) == ("1", "fr")


@pytest.mark.parametrize("name", ["dot.name", "dot-name", "prénom"])
def test_a_name_that_odata_would_rewrite_is_kept(central: Site, name: str) -> None:
    central.server.deploy([visit_form(extra=name)])
    central.submit(visit(more=f"<{name}>x</{name}>"))

    (row,), _ = central.pull()

    assert row[name] == "x"


@pytest.mark.parametrize("digits", ["9007199254740993", "123456789012345678901234567890"])
def test_a_number_of_many_digits_is_not_rounded(central: Site, digits: str) -> None:
    central.server.deploy([visit_form()])
    central.submit(visit(persons=digits), visit(persons="7"))

    rows, _ = central.pull()

    assert {str(row["nb_personnes"]) for row in rows} == {digits, "7"}


def test_a_deleted_row_comes_as_the_server_writes_it(central: Site) -> None:
    central.server.deploy([visit_form("1", extra="langue")])
    sent = new_id()
    central.submit(visit(instance_id=sent, more=_FR))
    central.server.deploy([visit_form("2")])
    api, project = api_of(central)
    api.delete(f"{project}/forms/visites/submissions/{sent}")

    (row,), _ = central.pull()

    assert row["__system"]["deletedAt"]
    assert row["g_bureau"]["date_visite"] == "2026-11-02"


def test_a_version_published_while_rows_are_read_makes_them_worthless(fake: Fake) -> None:
    fake.site.server.deploy([visit_form("1", extra="langue")])
    fake.site.submit(visit(more=_FR))
    fake.site.server.current()
    project = fake.central.projects[1]

    def published_meanwhile(request: Request) -> Response | None:
        if request.url.path.endswith("/Submissions"):
            form = project.forms["visites"]
            fake.central.add_draft(visit_form("2").xform, project, form)
            fake.central.publish(b"", project, form)
            fake.central.meddle = lambda _: None
        return None

    fake.central.meddle = published_meanwhile
    with pytest.raises(ServerUnavailableError, match="SRV-021"):
        fake.site.pull()
    assert list(fake.site.folder.iterdir()) == []

    (row,), _ = fake.site.pull()
    assert row["langue"] == "fr"


@pytest.mark.parametrize("malformed", ["a & b", "a<br>b", "&nbsp;", "&#1;"])
def test_what_is_no_xml_is_believed_as_central_reads_it(fake: Fake, malformed: str) -> None:
    fake.site.server.deploy([visit_form("1", extra="langue")])
    fake.site.submit(visit(more=_FR))
    fake.site.server.deploy([visit_form("2")])
    broken = Response(visit(more=f"<langue>{malformed}</langue>"), media_type="application/xml")
    fake.central.meddle = lambda request: broken if "/submissions/" in request.url.path else None

    (row,), _ = fake.site.pull()

    assert row["nb_personnes"] == 3


@pytest.mark.parametrize("accuracy", ["4.800000190734863", "12"])
def test_the_accuracy_of_a_place_costs_no_request(fake: Fake, accuracy: str) -> None:
    where = visit_form(extra="lieu").xform.replace(
        b'<bind nodeset="/data/besoins"', b'<bind nodeset="/data/lieu" type="geopoint"/><bind nodeset="/data/besoins"'
    )
    fake.site.server.deploy([replace(visit_form(), xform=where)])
    fake.site.submit(visit(more=f"<lieu>30.4 -9.6 0 {accuracy}</lieu>"))

    fake.site.pull()

    assert not [asked for asked in fake.central.requests if "/submissions/" in asked]


def test_only_doubtful_rows_cost_a_request(fake: Fake) -> None:
    fake.site.server.deploy([visit_form("1", extra="langue")])
    fake.site.submit(visit(more=_FR))
    fake.site.server.deploy([visit_form("2")])
    fake.site.submit(*(visit(version="2") for _ in range(5)))

    fake.site.pull()

    assert len([asked for asked in fake.central.requests if "/submissions/" in asked]) == 1
