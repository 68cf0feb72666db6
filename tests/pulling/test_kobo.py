"""KoboToolbox tells of nothing but new rows: whatever else happens there, the warehouse says what it says."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.pulling.conftest import opened
from tests.pulling.kobo_witness import Account, account, agree, live, state
from tests.pulling.office import Office, brought, silent
from tests.servers.conftest import TIMEOUT_S, Kobo
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.fake_kobo import OTHER_TOKEN, OTHER_USER
from tests.servers.kobo_phone import KoboPhone
from tests.servers.site import Site
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError, WarehouseError
from tpm_pipeline.pulling import rows
from tpm_pipeline.pulling.rows import PLAIN, Wishes
from tpm_pipeline.records import MediaFile, PullReport
from tpm_pipeline.servers import kobo_rows
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.kobo import KoboServer

ACCEPT = Wishes(accept_deletions=True)
PHOTO, OTHER, PAPER = b"\xff\xd8 une photo", b"\xff\xd8 une autre", b"%PDF une carte"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PATIENCE_S", ())


def pulled(office: Office, wishes: Wishes = PLAIN, server: Server | None = None) -> PullReport:
    with rows.opened(office.connection, office.settings, silent) as into:
        (report,) = brought(server or office.site.server, into, [FORM], wishes)
    return report


@dataclass
class Desk:
    """Somebody with a few dossiers on the server, who changes the first of them."""

    office: Office
    server: Account = field(init=False)

    def __post_init__(self) -> None:
        self.server = account(self.office.site, FORM)
        phone = self.office.site.phone()
        assert isinstance(phone, KoboPhone)
        self._phone = phone
        self.first, self.second, self.third = new_id(), new_id(), new_id()
        self.sent = self.xml(instance_id=self.first, photo="a.jpg", paper="b.pdf")
        self.send(self.sent, ("a.jpg", PHOTO))
        self.send(self.xml(instance_id=self.second))
        self.send(self.xml(instance_id=self.third, photo="a.jpg"), ("a.jpg", OTHER))
        self.numbers = [self.number(one) for one in (self.first, self.second)]

    def xml(self, **said: str) -> bytes:
        return self._phone.rewritten(dossier(**said))

    def send(self, xml: bytes, *files: tuple[str, bytes]) -> None:
        self.server.submit(xml, [MediaFile(*file) for file in files])

    def number(self, root: str) -> int:
        return int(self.server.row(root)["_id"])

    def edit(self, *files: tuple[str, bytes], **said: str) -> None:
        current = self.server.row(self.first)["meta/instanceID"]
        self.send(self.xml(replaces=current, name="Corrigée", **said), *files)

    def bulk_edit(self) -> None:
        assert len(self.server.edit(self.numbers, {"nom": "Corrigée", "annee": "2026"})) == 2

    def approve(self) -> None:
        self.server.review(self.numbers[:1], "approved")

    def delete(self) -> None:
        self.server.delete(self.numbers[:1])

    def send_again(self, photo: bytes = PHOTO) -> None:
        self.send(self.sent, ("a.jpg", photo))

    def send_backdated(self) -> None:
        dated = b'<data submissionDate="2020-01-02T03:04:05+03:00"'
        self.send(self.xml().replace(b"<data", dated, 1))


@pytest.fixture
def desk(kobo_office: Office) -> Desk:
    return Desk(kobo_office)


@pytest.fixture
def near(fake_kobo_office: Office) -> Desk:
    return Desk(fake_kobo_office)


Change = Callable[[Desk], object]
CHANGES: dict[str, list[Change]] = {
    "edited": [lambda desk: desk.edit(photo="a.jpg", paper="b.pdf")],
    "edited twice": [lambda desk: desk.edit(photo="a.jpg"), lambda desk: desk.edit(("c.jpg", OTHER), photo="c.jpg")],
    "edited, a file dropped": [lambda desk: desk.edit(paper="b.pdf")],
    "edited, a file replaced": [lambda desk: desk.edit(("c.pdf", PAPER), photo="a.jpg", paper="c.pdf")],
    "edited at once": [Desk.bulk_edit],
    "edited at once, then by hand": [Desk.bulk_edit, lambda desk: desk.edit(photo="a.jpg")],
    "approved": [Desk.approve],
    "approved, then edited": [Desk.approve, lambda desk: desk.edit(photo="a.jpg")],
    "edited, then approved": [lambda desk: desk.edit(photo="a.jpg"), Desk.approve],
    "rejected": [lambda desk: desk.server.review(desk.numbers[:1], "not_approved")],
    "on hold": [lambda desk: desk.server.review(desk.numbers[:1], "on_hold")],
    "approved, then nothing": [Desk.approve, lambda desk: desk.server.review(desk.numbers[:1], None)],
    "on hold at once": [lambda desk: desk.server.review(desk.numbers, "on_hold")],
    "on hold at once, then nothing": [
        lambda desk: desk.server.review(desk.numbers, "on_hold"),
        lambda desk: desk.server.review(desk.numbers, None),
    ],
    "a late file": [lambda desk: desk.send(desk.sent, ("b.pdf", PAPER))],
    "a file deleted": [lambda desk: desk.server.drop(desk.first, "a.jpg")],
    "a file deleted, another in its place": [
        lambda desk: desk.server.drop(desk.first, "a.jpg"),
        lambda desk: desk.send_again(OTHER),
    ],
    "deleted": [Desk.delete],
    "deleted at once": [lambda desk: desk.server.delete(desk.numbers)],
    "deleted and sent again": [Desk.delete, Desk.send_again],
    "deleted and sent again with another file": [Desk.delete, lambda desk: desk.send_again(OTHER)],
    "deleted and sent again without its file": [Desk.delete, lambda desk: desk.send(desk.sent)],
    "duplicated": [lambda desk: desk.server.do("POST", f"data/{desk.numbers[0]}/duplicate/")],
    "back-dated": [Desk.send_backdated, lambda desk: desk.send(desk.xml())],
}


@pytest.mark.parametrize("seen", ["each step seen", "only the end seen"])
@pytest.mark.parametrize("name", CHANGES)
def test_whatever_happened_the_warehouse_says_what_the_server_says(near: Desk, name: str, seen: str) -> None:
    happened(near.office, [(near, CHANGES[name])], seen)


@pytest.mark.parametrize("seen", ["each step seen", "only the end seen"])
def test_whatever_happened_side_by_side_on_the_real_one(real_kobo: Site, tmp_path: Path, seen: str) -> None:
    real_kobo.server.deploy([dossier_form()])
    with opened(real_kobo, tmp_path / "data") as office:
        happened(office, [(Desk(office), changes) for changes in CHANGES.values()], seen)


def happened(office: Office, work: list[tuple[Desk, list[Change]]], seen: str) -> None:
    assert pulled(office).files == 2 * len(work)
    for changes in zip_longest(*(changes for _, changes in work)):
        for (desk, _), change in zip(work, changes, strict=True):
            if change:
                change(desk)
        if seen == "each step seen":
            pulled(office, ACCEPT)

    pulled(office, ACCEPT)

    agree(office, work[0][0].server)
    again = pulled(office)
    assert (again.written, again.files) == (0, 0)


def history(desk: Desk) -> list[tuple[str, bool]]:
    """The states of the first dossier that raw saw: the review, and whether it was deleted."""
    found = "select review_state, deleted_at is not null from raw.submission"
    return [
        (row[0], row[1]) for row in desk.office.all(f"{found} where submission_id = '{desk.first}' order by pull_id")
    ]


def test_an_edit_leaves_an_approval_as_the_server_does(desk: Desk) -> None:
    pulled(desk.office)
    for change in (desk.approve, desk.edit, lambda: desk.server.review(desk.numbers[:1], None)):
        change()
        pulled(desk.office)

    assert history(desk) == [("received", False), ("approved", False), ("approved", False), ("edited", False)]


def test_what_is_deleted_is_buried_and_lives_again_when_it_is_sent_again(desk: Desk) -> None:
    pulled(desk.office)
    desk.delete()
    pulled(desk.office, ACCEPT)
    desk.send_again()
    pulled(desk.office)

    assert history(desk) == [("received", False), ("received", True), ("received", False)]


def test_a_deleted_file_is_written_down_as_gone(desk: Desk) -> None:
    pulled(desk.office)
    desk.server.drop(desk.first, "a.jpg")
    pulled(desk.office)

    told = desk.office.all(
        f"select name, digest is not null from raw.attachment where submission_id = '{desk.first}' order by pull_id"
    )
    assert told == [("a.jpg", True), ("a.jpg", False)]


def test_what_is_again_as_it_first_was_has_no_file_of_the_time_between(near: Desk) -> None:
    pulled(near.office)
    root = new_id()
    xml = near.xml(instance_id=root, photo="a.jpg")
    for files in ([], [("a.jpg", PHOTO)]):
        near.send(xml, *files)
        pulled(near.office)
    near.server.delete([near.number(root)])
    near.send(xml)

    pulled(near.office)

    agree(near.office, near.server)


def test_a_file_no_row_told_of_when_it_came_gives_way_to_the_one_that_takes_its_name(near: Desk) -> None:
    root = new_id()
    xml = near.xml(instance_id=root, photo="a.jpg", paper="b.pdf")
    near.send(xml, ("b.pdf", PAPER))
    near.office.rows()
    near.send(xml, ("a.jpg", PHOTO))
    near.office.files_of_the_rows_there_are()
    near.server.drop(root, "a.jpg")
    near.send(xml, ("a.jpg", OTHER))

    pulled(near.office)

    agree(near.office, near.server)


def test_many_deletions_stop_the_pull_until_a_person_says_so(desk: Desk) -> None:
    pulled(desk.office)
    everything = live(desk.office)
    desk.server.delete(desk.numbers)

    for _ in range(2):
        with pytest.raises(WarehouseError, match="WH-040"):
            pulled(desk.office)
        assert live(desk.office) == everything

    assert pulled(desk.office, ACCEPT).found_by_sweep == 2
    assert agree(desk.office, desk.server) == (1, 1)


def test_rows_are_asked_for_by_their_order_and_again_a_little_before_the_last(
    near: Desk, fake_kobo: Kobo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kobo_rows, "OVERLAP", 2)
    fake_kobo.kobo.page_limit = 3
    for _ in range(4):
        near.send(near.xml())
    pulled(near.office)
    fake_kobo.kobo.requests.clear()
    near.send(near.xml())
    pulled(near.office)

    numbers = [int(row["_id"]) for row in sorted(near.server.rows().values(), key=lambda row: row["_id"])]
    asked = [one for one in fake_kobo.kobo.requests if "/data/?" in one and "limit=1000" in one]
    assert [_after(one) for one in asked] == [numbers[4], 0, numbers[2], numbers[5]]
    assert not [one for one in asked if "start=" in one]
    agree(near.office, near.server)


def _after(asked: str) -> int:
    return int(asked.partition('"$gt":')[2].partition("}")[0])


def test_what_is_deleted_while_pages_are_read_hides_no_other_row(near: Desk, fake_kobo: Kobo) -> None:
    fake_kobo.kobo.page_limit = 2
    for _ in range(5):
        near.send(near.xml())
    (asset,) = fake_kobo.kobo.assets.values()
    times = iter([True])

    def delete(request: Request) -> Response | None:
        if '"$gt":0' not in request.url.query and "%24gt" in request.url.query and next(times, None):
            del asset.rows[near.numbers[0]]
        return None

    fake_kobo.kobo.meddle = delete
    pulled(near.office)

    assert next(times, None) is None
    assert live(near.office).keys() >= near.server.rows().keys()
    pulled(near.office, ACCEPT)
    agree(near.office, near.server)


@pytest.mark.parametrize("swept", [True, False])
def test_a_slow_post_shows_behind_rows_already_seen_and_comes(near: Desk, fake_kobo: Kobo, swept: bool) -> None:
    pulled(near.office)
    fake_kobo.kobo.slow = True
    near.send(near.xml())
    fake_kobo.kobo.slow = False
    near.send(near.xml())
    assert pulled(near.office).written == 1

    fake_kobo.kobo.arrive()
    near.send(near.xml())
    settings = near.office.settings.model_copy(update={"sweep_hours": 0.0 if swept else 24.0})
    report = pulled(Office(near.office.site, near.office.connection, settings))

    assert (report.written, report.swept) == (2, swept)
    agree(near.office, near.server)


def test_more_changes_than_fit_a_page_all_come(near: Desk, fake_kobo: Kobo) -> None:
    for _ in range(7):
        near.send(near.xml())
    pulled(near.office)
    fake_kobo.kobo.page_limit = 2
    near.server.review([int(row["_id"]) for row in near.server.rows().values()], "approved")

    assert pulled(near.office).found_by_sweep == 10
    agree(near.office, near.server)


def test_of_what_is_listed_twice_the_last_is_the_one_that_is_stored(near: Desk, fake_kobo: Kobo) -> None:
    pulled(near.office)
    (asset,) = fake_kobo.kobo.assets.values()
    ghost = asset.rows[near.numbers[0]]
    asset.rows[1] = replace(ghost, number=1, row={**ghost.row, "_id": 1})
    assert pulled(near.office).written == 0
    near.edit(paper="b.pdf")

    assert pulled(near.office).found_by_sweep == 1
    assert live(near.office) == {root: state(row) for root, row in near.server.rows().items()}
    assert pulled(near.office).written == 0


def other(desk: Desk, token: str) -> KoboServer:
    """The same project, as another account sees it; in the warehouse it is the same server."""
    server = desk.office.site.server
    assert isinstance(server, KoboServer)
    return KoboServer(server._api.url, token, server._project, TIMEOUT_S)


@pytest.mark.parametrize(("token", "said"), [("0" * 40, "SRV-060 · "), (OTHER_TOKEN, f"SRV-061 · {FORM} · ")])
def test_an_account_that_sees_nothing_takes_nothing_away(desk: Desk, token: str, said: str) -> None:
    pulled(desk.office)
    before = live(desk.office)

    with pytest.raises(ServerError, match=said) as error:
        pulled(desk.office, ACCEPT, other(desk, token))

    assert not error.value.retryable
    assert live(desk.office) == before


def test_an_account_that_may_see_a_part_buries_nothing(desk: Desk) -> None:
    pulled(desk.office)
    before, api = live(desk.office), f"{desk.server.url}/api/v2"
    part = [{"url": f"{api}/permissions/view_submissions/", "filters": [{"_submitted_by": OTHER_USER}]}]
    grant = {"user": f"{api}/users/{OTHER_USER}/", "permission": f"{api}/permissions/partial_submissions/"}
    desk.server.do("POST", "permission-assignments/", {**grant, "partial_permissions": part})

    with pytest.raises(WarehouseError, match="WH-040"):
        pulled(desk.office, PLAIN, other(desk, OTHER_TOKEN))

    assert live(desk.office) == before


def test_of_one_second_whoever_came_first_stays_first(kobo_office: Office) -> None:
    sent = [new_id() for _ in range(5)]
    kobo_office.submit(dossier(instance_id=sent[0]))
    phone = kobo_office.site.phone()
    for one in sent[1:]:
        phone.submit(dossier(instance_id=one))

    pulled(kobo_office)

    came = kobo_office.all("select submission_id from raw.current order by submitted_at")
    assert [row[0] for row in came] == sent
