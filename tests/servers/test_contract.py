"""What every kind of server does, whatever its kind."""

import pytest

from tests.servers.site import Site
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import schema
from tpm_pipeline.records import MediaFile


def test_a_deployment_is_planned_then_done_then_nothing(site: Site) -> None:
    form = visit_form()

    planned = site.server.plan([form])
    assert site.server.versions("visites") == []

    assert site.server.deploy([form]) == planned
    assert [change.action for change in planned if change.what == "visites 1"] == ["create"]
    assert [change.action for change in site.server.plan([form])] == ["none"]
    assert [change.action for change in site.server.deploy([form])] == ["none"]


def test_a_new_version_follows_the_old_one_and_both_are_kept(site: Site) -> None:
    first, second = visit_form("1"), visit_form("2", extra="langue")
    site.server.deploy([first])

    assert [change.action for change in site.server.deploy([second])] == ["update"]

    kept = site.server.versions("visites")
    assert [version.form_id for version in kept] == ["visites", "visites"]
    assert [_asked(version.xform) for version in kept] == [_asked(first.xform), _asked(second.xform)]


def test_a_form_with_a_file_is_deployed_with_it(site: Site) -> None:
    form = visit_form(files=[MediaFile("bureaux.csv", b"name,label\nagadir,Agadir\n")])

    site.server.deploy([form])

    assert [change.action for change in site.server.plan([form])] == ["none"]


def test_an_unknown_form_has_no_versions_and_cannot_be_pulled(site: Site) -> None:
    assert site.server.versions("inconnu") == []
    with pytest.raises(ServerError) as error:
        site.pull(form_id="inconnu")
    assert error.value.code in {"SRV-014", "SRV-104"}
    assert "inconnu" in str(error.value)


def test_a_deployed_form_without_submissions_gives_no_row(site: Site) -> None:
    site.server.deploy([visit_form()])

    assert site.pull()[0] == []


def test_a_submission_comes_back_once_with_every_answer_and_repeat(site: Site) -> None:
    site.server.deploy([visit_form()])
    sent = new_id()
    site.submit(visit(instance_id=sent, services=[("sante", "2"), ("droit", "10")]))

    rows, cursor = site.pull()

    assert len(rows) == 1
    assert cursor
    assert _answers(site, rows[0]) == {
        "bureau": 'Agadir é&"',
        "date_visite": "2026-11-02",
        "nb_personnes": "3",
        "besoins": "sante droit",
        "orientations": [("sante", "2"), ("droit", "10")],
    }
    dialect = site.server.dialect
    assert site.field(rows[0], dialect.submission_id) == sent
    assert site.field(rows[0], dialect.instance_id) == sent
    assert site.version(rows[0]) == "1"
    assert site.field(rows[0], dialect.submitted_at)
    assert site.field(rows[0], dialect.deleted_at) is None
    assert site.review(rows[0]) == "received"


def test_a_repeat_without_iterations_gives_none(site: Site) -> None:
    site.server.deploy([visit_form()])
    site.submit(visit(services=[], persons=""))

    (row,), _ = site.pull()

    assert _answers(site, row)["orientations"] == []
    assert row.get("nb_personnes") in {None, ""}


def test_what_describes_the_system_is_apart_from_the_answers(site: Site) -> None:
    site.server.deploy([visit_form()])
    site.submit(visit())

    (row,), _ = site.pull()

    assert {*site.answers(row)} == {"g_bureau", "nb_personnes", "besoins", "orientations", "meta"}


def test_an_edit_keeps_the_submission_id(site: Site) -> None:
    site.server.deploy([visit_form()])
    first, second, third = new_id(), new_id(), new_id()
    site.submit(visit(instance_id=first), visit(instance_id=second, replaces=first, persons="4"))
    site.submit(visit(instance_id=third, replaces=second, persons="5"))

    (row,), _ = site.pull()

    dialect = site.server.dialect
    assert (site.field(row, dialect.submission_id), site.field(row, dialect.instance_id)) == (first, third)
    assert _answers(site, row)["nb_personnes"] == "5"
    assert site.review(row) == "edited"
    assert (site.field(row, dialect.updated_at) or "9") >= site.field(row, dialect.submitted_at)


def test_a_pull_from_the_cursor_brings_what_is_new(site: Site) -> None:
    site.server.deploy([visit_form()])
    old, new = new_id(), new_id()
    site.submit(visit(instance_id=old))
    _, cursor = site.pull()
    site.submit(visit(instance_id=new))

    rows, later = site.pull(cursor)

    dialect = site.server.dialect
    assert new in {site.field(row, dialect.submission_id) for row in rows} <= {old, new}
    again, last = site.pull(later)
    # An overlap may bring rows again, never others, and the cursor stays.
    assert {site.field(row, dialect.instance_id) for row in again} <= {old, new}
    assert last == later


def test_an_edit_is_told_by_the_cursor_or_by_the_sweep(site: Site) -> None:
    site.server.deploy([visit_form()])
    old, edit = new_id(), new_id()
    site.submit(visit(instance_id=old))
    _, cursor = site.pull()
    site.submit(visit(instance_id=edit, replaces=old))

    rows, _ = site.pull(cursor)

    told = [site.field(row, site.server.dialect.instance_id) for row in rows]
    told += [site.field(row, site.server.listing.instance_id) for row in site.sweep()]
    assert edit in told


def test_a_resend_adds_nothing(site: Site) -> None:
    site.server.deploy([visit_form()])
    sent = visit()
    site.submit(sent, sent)

    rows, _ = site.pull()

    assert len(rows) == 1


def test_other_answers_under_a_known_id_are_refused(site: Site) -> None:
    site.server.deploy([visit_form()])
    sent = new_id()
    site.submit(visit(instance_id=sent, persons="1"))

    with pytest.raises(ServerError) as error:
        site.submit(visit(instance_id=sent, persons="2"))

    assert error.value.code == "SRV-020"
    assert "409" in str(error.value)


def test_answers_to_every_version_are_pulled(site: Site) -> None:
    site.server.deploy([visit_form("1")])
    site.submit(visit(version="1"))
    site.server.deploy([visit_form("2", extra="langue")])
    site.submit(visit(version="2", more="<langue>fr</langue>"), visit(version="1"))

    rows, _ = site.pull()

    assert sorted(site.version(row) for row in rows) == ["1", "1", "2"]
    assert [row["langue"] for row in rows if row.get("langue")] == ["fr"]


def test_an_answer_to_a_version_never_deployed_is_refused(strict: Site) -> None:
    strict.server.deploy([visit_form()])

    with pytest.raises(ServerError, match="SRV-020"):
        strict.submit(visit(version="77"))


def test_two_forms_are_apart(site: Site) -> None:
    site.server.deploy([visit_form(), visit_form(form_id="suivis")])
    site.submit(visit(), visit(form_id="suivis"), visit(form_id="suivis"))

    assert len(site.pull()[0]) == 1
    assert len(site.pull(form_id="suivis")[0]) == 2


def test_a_submission_has_a_page_of_its_own(site: Site) -> None:
    form = visit_form()
    site.server.deploy([form])
    site.submit(visit(instance_id="uuid:a b"))
    (row,), _ = site.pull()

    link = site.server.link(form.form_id, site.field(row, site.server.dialect.submission_id))

    assert link.endswith(("/visites/submissions/uuid%3Aa%20b", "/submissions/visites/uuid%3Aa%20b", "/data/table"))


def _asked(xform: bytes) -> object:
    form = schema.read(xform)
    repeats = [[(question.path, question.type) for question in repeat.questions] for repeat in form.root.repeats]
    return form.form_id, form.version, [(question.path, question.type) for question in form.root.questions], repeats


def _answers(site: Site, row: dict[str, object]) -> dict[str, object]:
    row = site.answers(row)
    group, repeats = row["g_bureau"], row.get("orientations") or []
    assert isinstance(group, dict)
    assert isinstance(repeats, list)
    return {
        "bureau": group["bureau"],
        "date_visite": group["date_visite"],
        "nb_personnes": str(row.get("nb_personnes")),
        "besoins": row["besoins"],
        "orientations": [(repeat["service"], str(repeat["delai"])) for repeat in repeats],
    }
