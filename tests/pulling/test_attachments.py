"""Files come once, whole and to the end: late ones, carried over ones, and whatever breaks on the way."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.pulling.conftest import opened
from tests.pulling.office import Office
from tests.servers.conftest import KINDS, Fake
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.pulling import attachments

JPG, PDF = b"\xff\xd8 une photo", b"%PDF une carte"
LOG = b"event,node,start,end\nform start,,1609840800000,\nquestion,/data/nom,1609840800500,1609840803000\n"


def test_files_come_with_their_names_and_the_same_content_is_kept_once(office: Office) -> None:
    first, second = new_id(), new_id()
    office.submit(dossier(instance_id=first, photo="a.jpg", paper="b.pdf"), ("a.jpg", JPG), ("b.pdf", PDF))
    office.submit(dossier(instance_id=second, photo="a.jpg", paper="c.pdf"), ("a.jpg", PDF), ("c.pdf", JPG))

    assert office.files() == 4

    assert office.held() == {
        (first, "a.jpg"): JPG,
        (first, "b.pdf"): PDF,
        (second, "a.jpg"): PDF,
        (second, "c.pdf"): JPG,
    }
    assert office.on_disk() == sorted([JPG, PDF])
    assert office.files() == 0
    assert office.files(sweep=True) == 0


@pytest.mark.parametrize("name", ["un fichier #1 (100%).jpg", "صورة 📷.jpg"])
@pytest.mark.parametrize("content", [b"", b"\0\xff" * 400_000])
def test_any_name_and_any_content_comes(office: Office, name: str, content: bytes) -> None:
    first = new_id()
    office.submit(dossier(instance_id=first, photo=name), (name, content))

    assert office.files() == 1
    assert office.held() == {(first, name): content}


def test_whoever_waits_is_told(office: Office) -> None:
    office.submit(dossier(photo="a.jpg", paper="b.pdf"), ("a.jpg", JPG), ("b.pdf", PDF))
    office.submit(dossier(photo="a.jpg"), ("a.jpg", PDF))
    office.rows()
    told = list[str]()

    attachments.bring(office.site.server, office.connection, office.settings, FORM, told.append)

    assert max(told) == f"{FORM}: 3 files"
    assert len(told) == 2


def test_files_are_nobody_elses_to_read(office: Office) -> None:
    office.submit(dossier(photo="a.jpg"), ("a.jpg", JPG))
    office.files()

    (file,) = office.settings.private.glob("attachments/*/*")
    assert [path.stat().st_mode & 0o777 for path in (file, file.parent, file.parents[1])] == [0o600, 0o700, 0o700]
    assert list(office.settings.private.glob("pull-*")) == []


def test_a_late_file_is_found_by_a_sweep(office: Office) -> None:
    first = new_id()
    xml = dossier(instance_id=first, photo="a.jpg", paper="b.pdf")
    office.submit(xml, ("a.jpg", JPG))
    assert office.files() == 1

    office.submit(xml, ("b.pdf", PDF))

    assert office.files() + office.files(sweep=True) == 1
    assert office.held() == {(first, "a.jpg"): JPG, (first, "b.pdf"): PDF}


def test_a_late_file_uploaded_by_hand_is_found_by_a_sweep(central_office: Office) -> None:
    first = new_id()
    central_office.submit(dossier(instance_id=first, photo="a.jpg"))
    assert central_office.files() == 0

    api, project = api_of(central_office.site)
    api.upload(f"{project}/forms/{FORM}/submissions/{first}/attachments/a.jpg", JPG, "image/jpeg")

    assert central_office.files(sweep=True) == 1
    assert central_office.held() == {(first, "a.jpg"): JPG}


def test_an_edit_brings_what_is_new_and_knows_what_was_carried_over(central_office: Office) -> None:
    first, second = new_id(), new_id()
    central_office.submit(dossier(instance_id=first, photo="a.jpg", paper="b.pdf"), ("a.jpg", JPG), ("b.pdf", PDF))
    central_office.files()

    edit = dossier(instance_id=second, replaces=first, photo="a.jpg", paper="c.pdf")
    central_office.submit(edit, ("c.pdf", PDF))

    assert central_office.files() == 2
    assert central_office.held() == {
        (first, "a.jpg"): JPG,
        (first, "b.pdf"): PDF,
        (second, "a.jpg"): JPG,
        (second, "c.pdf"): PDF,
    }


def test_what_was_carried_over_is_not_sent_again(fake: Fake, fake_office: Office) -> None:
    first = new_id()
    fake_office.submit(dossier(instance_id=first, photo="a.jpg"), ("a.jpg", JPG))
    fake_office.files()
    fake_office.submit(dossier(replaces=first, photo="a.jpg"))
    fake.central.requests.clear()
    fake.central.headers.clear()

    assert fake_office.files() == 1

    seen = zip(fake.central.requests, fake.central.headers, strict=True)
    assert ["if-none-match" in headers for asked, headers in seen if asked.endswith("a.jpg")] == [True]


def test_what_an_edit_took_away_before_it_was_brought_is_not_lost(central_office: Office) -> None:
    first = new_id()
    central_office.submit(dossier(instance_id=first, photo="a.jpg"), ("a.jpg", JPG))
    central_office.rows()
    central_office.submit(dossier(replaces=first))

    assert central_office.files() == 1
    assert central_office.held() == {(first, "a.jpg"): JPG}


def test_the_files_of_a_deleted_submission_come_when_it_is_restored(central_office: Office) -> None:
    first = new_id()
    central_office.submit(dossier(instance_id=first, photo="a.jpg"), ("a.jpg", JPG))
    central_office.rows()
    api, project = api_of(central_office.site)
    api.delete(f"{project}/forms/{FORM}/submissions/{first}")
    assert central_office.files() == 0

    api.post(f"{project}/forms/{FORM}/submissions/{first}/restore")
    api.patch(f"{project}/forms/{FORM}/submissions/{first}", {"reviewState": "approved"})

    assert central_office.files() == 1
    assert central_office.held() == {(first, "a.jpg"): JPG}


def test_a_submission_deleted_between_two_requests_waits(fake: Fake, fake_office: Office) -> None:
    fake_office.submit(dossier(photo="a.jpg"), ("a.jpg", JPG))
    fake_office.rows()
    fake.central.meddle = missing
    assert fake_office.files() == 0

    fake.central.meddle = lambda _: None
    assert fake_office.files() == 1


def test_a_damaged_file_keeps_no_other_from_coming(fake: Fake, fake_office: Office) -> None:
    first, second = new_id(), new_id()
    fake_office.submit(dossier(instance_id=first, photo="a.jpg"), ("a.jpg", JPG))
    fake_office.submit(dossier(instance_id=second, photo="b.jpg"), ("b.jpg", PDF))

    fake.central.meddle = damaged
    with pytest.raises(ServerUnavailableError, match="SRV-050"):
        fake_office.files()
    assert fake_office.held() == {(second, "b.jpg"): PDF}
    assert fake_office.on_disk() == [PDF]

    fake.central.meddle = lambda _: None
    assert fake_office.files() == 1
    assert fake_office.held() == {(first, "a.jpg"): JPG, (second, "b.jpg"): PDF}


@pytest.mark.parametrize("step", range(7))
@pytest.mark.parametrize("lost", ["request", "answer"])
def test_interrupted_at_any_request_a_second_run_finishes(
    fake: Fake, fake_office: Office, lost: str, step: int
) -> None:
    first, second = new_id(), new_id()
    fake_office.submit(dossier(instance_id=first, photo="a.jpg", paper="b.pdf"), ("a.jpg", JPG), ("b.pdf", PDF))
    fake_office.submit(dossier(instance_id=second, photo="c.jpg", log="audit.csv"), ("c.jpg", JPG), ("audit.csv", LOG))
    fake_office.rows()
    well, asked = iter(range(step)), list[str]()

    def fail(request: Request) -> Response | None:
        if "attachments" not in request.url.path:
            return None
        if next(well, None) is None:
            return JSONResponse({"message": "Internal Server Error"}, 500)
        asked.append(request.url.path)
        return None

    setattr(fake.central, "meddle" if lost == "request" else "lose", fail)
    if step < 6:
        with pytest.raises(ServerError, match="SRV-007"):
            fake_office.files()
    else:
        fake_office.files()
    fake.central.meddle, fake.central.lose = lambda _: None, None
    fake.central.requests.clear()

    fake_office.files()

    assert fake_office.held() == {
        (first, "a.jpg"): JPG,
        (first, "b.pdf"): PDF,
        (second, "c.jpg"): JPG,
        (second, "audit.csv"): LOG,
    }
    stored = {path for path in asked if not path.endswith("attachments")}
    assert not stored & {request.partition(" ")[2] for request in fake.central.requests}
    assert fake_office.all("select position, event from raw.client_audit order by 1") == [
        (1, "form start"),
        (2, "question"),
    ]


def test_what_a_killed_run_left_on_the_disk_does_no_harm(fake_office: Office) -> None:
    first = new_id()
    fake_office.submit(dossier(instance_id=first, photo="a.jpg"), ("a.jpg", JPG))
    fake_office.files()
    # The file had its place, and its row was not written.
    fake_office.connection.execute("delete from raw.attachment; delete from raw.attachment_check")

    assert fake_office.files() == 1
    assert fake_office.held() == {(first, "a.jpg"): JPG}


def test_the_log_of_each_version_is_read_with_its_file(office: Office) -> None:
    first = new_id()
    office.submit(dossier(instance_id=first, log="audit.csv"), ("audit.csv", LOG))

    office.files()
    office.files(sweep=True)

    found = office.all('select instance_id, position, event, node, "end" from raw.client_audit order by position')
    assert found == [(first, 1, "form start", "", ""), (first, 2, "question", "/data/nom", "1609840803000")]


def missing(request: Request) -> Response | None:
    gone = JSONResponse({"message": "Could not find the resource you were looking for.", "code": 404.1}, 404)
    return gone if "attachments" in request.url.path else None


def damaged(request: Request) -> Response | None:
    bad = Response(b"x", headers={"ETag": f'"{"0" * 32}"'})
    return bad if request.url.path.endswith("a.jpg") else None


STEPS = st.lists(
    st.sampled_from(["send", "send late", "edit", "late", "delete", "restore", "files", "files", "sweep"]), max_size=14
)


class Story:
    """What happens to submissions of the fake, and what must have been brought of it."""

    def __init__(self, fake: Site, office: Office) -> None:
        self.site, self.office = fake, office
        self.api, self.project = api_of(fake)
        self.last: tuple[str, bytes] | None = None
        self.root = ""
        self.number = 0

    def tell(self, step: str) -> None:
        """Let one thing happen; what cannot, as to a deleted submission, the server refuses."""
        if step in {"files", "sweep"}:
            self.office.files(sweep=step == "sweep")
            self.office.held()
        else:
            with suppress(ServerError):
                self.happen(step)

    def happen(self, step: str) -> None:
        here = f"{self.project}/forms/{FORM}/submissions/{self.root}"
        if step in {"send", "send late", "edit"}:
            self.send(step)
        elif step == "late" and self.last:
            self.office.submit(self.last[1], ("late.jpg", JPG))
        elif step == "delete":
            self.api.delete(here)
        elif step == "restore":
            self.api.post(here + "/restore")
            # Else only a sweep of the rows would know.
            self.api.patch(here, {"reviewState": "approved"})

    def send(self, step: str) -> None:
        if step == "edit" and not self.last:
            return
        self.number += 1
        instance, content = new_id(), b"%d" % (self.number % 3)
        replaces = self.last[0] if step == "edit" and self.last else ""
        xml = dossier(instance_id=instance, replaces=replaces, photo="a.jpg", paper="late.jpg")
        files = [] if step == "send late" else [("a.jpg", content)]
        self.office.submit(xml, *files)
        self.last, self.root = (instance, xml), self.root if replaces else instance


@given(steps=STEPS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_the_files_end_like_the_servers(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("story")
    with KINDS["fake central"](folder) as site, opened(site, folder / "data") as office:
        site.server.deploy([dossier_form()])
        story = Story(site, office)
        for step in [*steps, "sweep"]:
            story.tell(step)
        assert {*office.held()} >= there(site)
        before = office.held()
        assert office.files(sweep=True) == 0
        assert office.files() == 0
        assert office.held() == before


def there(site: Site) -> set[tuple[str, str]]:
    """The files of the current version of each live submission, as the server lists them."""
    rows, _ = site.pull(form_id=FORM)
    live = [row for row in rows if not row["__system"]["deletedAt"]]
    api, project = api_of(site)
    found = set()
    for row in live:
        instance = row["meta"]["instanceID"]
        listed = api.get(f"{project}/forms/{FORM}/submissions/{row['__id']}/versions/{instance}/attachments")
        found |= {(instance, file["name"]) for file in listed if file["exists"]}
    return found
