"""Forms of several offices, or that hands changed, pulled from KoboToolbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pulling.conftest import opened
from tests.pulling.office import Office, brought, silent
from tests.servers.conftest import Kobo
from tests.servers.kobo_hands import ALICE, BOB, CAROL, Hands
from tests.servers.test_kobo_forms import TWO, follow_up
from tests.servers.visits import new_id, visit, visit_form
from tpm_pipeline.errors import FormError, WarehouseError
from tpm_pipeline.pulling import rows
from tpm_pipeline.pulling.rows import PLAIN, Wishes
from tpm_pipeline.records import PullReport
from tpm_pipeline.warehouse import raw

LIVE = "select count(*) from raw.current where deleted_at is null"


@pytest.fixture
def office(fake_kobo: Kobo, tmp_path: Path) -> Iterator[Office]:
    """A project of two offices, each with a follow-up form of its own; the visits are everybody's."""
    fake_kobo.site.server.deploy([visit_form(), follow_up()], TWO)
    with opened(fake_kobo.site, tmp_path / "data") as found:
        yield found


def pulled(office: Office, wishes: Wishes = PLAIN, form_id: str = "suivis") -> PullReport:
    with rows.opened(office.connection, office.settings, silent) as into:
        (report,) = brought(office.site.server, into, [form_id], wishes)
    return report


def test_what_an_office_sent_is_not_deleted_when_its_form_goes_out_of_sight(fake_kobo: Kobo, office: Office) -> None:
    hands = Hands(office.site)
    for _ in range(40):
        hands.phone(BOB, "AGA01").submit(visit(form_id="suivis"))
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis"))
    pulled(office)
    pulled(office)
    asset = fake_kobo.kobo.assets[hands.assets()["suivis · TIZ01"].uid]
    owner, grants, asset.owner, asset.grants = asset.owner, asset.grants, CAROL, []

    with pytest.raises(WarehouseError, match=r"WH-040 · suivis: 1 of its 41"):
        pulled(office)
    with pytest.raises(WarehouseError, match="WH-040"):
        pulled(office)

    assert office.all(LIVE) == [(41,)]
    asset.owner, asset.grants = owner, grants
    assert pulled(office).written == 0


def test_an_office_whose_form_was_deleted_is_gone_once_a_person_said_so(fake_kobo: Kobo, office: Office) -> None:
    hands = Hands(office.site)
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis"))
    for _ in range(40):
        hands.phone(BOB, "AGA01").submit(visit(form_id="suivis"))
    pulled(office)
    pulled(office)
    del fake_kobo.kobo.assets[hands.assets()["suivis · TIZ01"].uid]

    assert pulled(office, Wishes(sweep=True, accept_deletions=True)).written == 1

    assert pulled(office).written == 0
    assert office.all(LIVE) == [(40,)]


def test_a_submission_that_two_offices_hold_is_told_by_the_same_one_each_time(office: Office) -> None:
    hands, both, edit = Hands(office.site), new_id(), new_id()
    hands.phone(BOB, "AGA01").submit(visit(form_id="suivis", instance_id=both, persons="1"))
    hands.phone(CAROL, "TIZ01").submit(visit(form_id="suivis", instance_id=both, persons="2"))
    pulled(office)
    hands.phone(ALICE, "TIZ01").submit(visit(form_id="suivis", instance_id=edit, replaces=both, persons="9"))

    assert pulled(office).found_by_sweep == 1

    assert office.all("select instance_id from raw.current") == [(edit,)]
    assert pulled(office).written == 0
    assert office.all("select arg_max(differing, swept_at) from raw.sweep") == [(0,)]


def test_a_version_that_cannot_be_read_keeps_no_answers_from_coming(fake_kobo: Kobo, office: Office) -> None:
    hands = Hands(office.site)
    pulled(office, form_id="visites")
    hands.edit()
    hands.deploy()
    office.submit(visit())
    asset = fake_kobo.kobo.assets[hands.assets()["visites"].uid]
    # KoboToolbox lets hands ask what only it can compile.
    asset.content["survey"].append({"type": "begin_score"})

    with pytest.raises(FormError, match=r"FORM-029 · visites.*Deploy ours again"):
        pulled(office, form_id="visites")
    assert office.all("select count(*) from raw.current where form_id = 'visites'") == [(1,)]
    with pytest.raises(FormError, match="FORM-029"):
        pulled(office, form_id="visites")

    office.site.server.deploy([visit_form()], TWO, force=True)
    pulled(office, form_id="visites")
    assert len(raw.form_versions(office.connection, "visites")) == 2
