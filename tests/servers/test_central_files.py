"""Files and comments of Central's submissions: those of each version, verified. On the fake and on the real one."""

import hashlib
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.servers.conftest import Fake
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.site import Site
from tests.servers.test_central_forms import api_of
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import AttachmentName, Comment, Instance, MediaFile, StoredFile
from tpm_pipeline.servers.central_api import address

ODD = ["photo.jpg", "photo 1.jpg", "100%#1.jpg", "صورة.jpg", "📷.jpg", "a+b&c=d.jpg", "é'(1).jpg"]
PHOTO = MediaFile("photo.jpg", b"\xff\xd8 une photo")


def sent(site: Site, xml: bytes, instance_id: str, *files: MediaFile, root: str = "") -> Instance:
    site.submit(xml, files=files)
    return Instance(FORM, root or instance_id, instance_id)


def save(site: Site, instance: Instance, name: str, known: StoredFile | None = None) -> StoredFile | None:
    return site.server.attachment(instance, name, site.folder / "file", known)


def content(site: Site) -> bytes:
    """What was written, taken away."""
    path = site.folder / "file"
    found = path.read_bytes()
    path.unlink()
    return found


def names(*there: str, late: tuple[str, ...] = ()) -> list[AttachmentName]:
    return sorted(
        [*(AttachmentName(name, is_there=True) for name in there), *(AttachmentName(n, is_there=False) for n in late)],
        key=lambda file: file.name,
    )


def test_a_version_tells_which_files_are_there_and_which_are_still_to_come(central: Site) -> None:
    central.server.deploy([dossier_form()])
    first = new_id()
    xml = dossier(instance_id=first, photo="photo.jpg", paper="papier.pdf")
    here = sent(central, xml, first, PHOTO)

    assert central.server.attachments(here) == names("photo.jpg", late=("papier.pdf",))
    assert save(central, here, "papier.pdf") is None
    assert list(central.folder.iterdir()) == []

    central.submit(xml, files=(MediaFile("papier.pdf", b"%PDF"),))
    assert central.server.attachments(here) == names("papier.pdf", "photo.jpg")
    assert save(central, here, "papier.pdf") is not None
    assert content(central) == b"%PDF"


@pytest.mark.parametrize("name", ODD)
def test_a_file_comes_whole_whatever_its_name(central: Site, name: str) -> None:
    central.server.deploy([dossier_form()])
    first = new_id()
    here = sent(central, dossier(instance_id=first, photo=name), first, MediaFile(name, PHOTO.content))

    found = save(central, here, name)

    assert content(central) == PHOTO.content
    assert found is not None
    assert (found.digest, found.size) == (hashlib.sha256(PHOTO.content).hexdigest(), len(PHOTO.content))
    assert found.media_type == "application/octet-stream"


def test_an_empty_file_is_a_file(central: Site) -> None:
    central.server.deploy([dossier_form()])
    first = new_id()
    here = sent(central, dossier(instance_id=first, photo="vide.jpg"), first, MediaFile("vide.jpg", b""))

    found = save(central, here, "vide.jpg")

    assert found is not None
    assert (found.size, content(central)) == (0, b"")


def test_a_file_larger_than_a_piece_comes_whole(central: Site) -> None:
    central.server.deploy([dossier_form()])
    first, large = new_id(), bytes(range(256)) * 5000
    here = sent(central, dossier(instance_id=first, photo="grande.jpg"), first, MediaFile("grande.jpg", large))

    assert save(central, here, "grande.jpg") is not None
    assert content(central) == large


def test_a_log_is_compared_as_it_was_written(central: Site) -> None:
    """It is text that a server likes to compress on the way, with another ETag."""
    central.server.deploy([dossier_form()])
    first, log = new_id(), b"event,node\n" * 500
    here = sent(central, dossier(instance_id=first, log="audit.csv"), first, MediaFile("audit.csv", log))

    assert save(central, here, "audit.csv") is not None
    assert content(central) == log


def test_a_file_that_is_known_is_not_sent_again(central: Site) -> None:
    central.server.deploy([dossier_form()])
    first = new_id()
    here = sent(central, dossier(instance_id=first, photo="photo.jpg"), first, PHOTO)
    known = save(central, here, "photo.jpg")
    content(central)

    assert save(central, here, "photo.jpg", known) is known
    assert list(central.folder.iterdir()) == []
    assert known is not None
    other = StoredFile("0" * 64, "0" * 32, 1, "")
    assert save(central, here, "photo.jpg", other) == known


def test_each_version_has_the_files_of_its_own(central: Site) -> None:
    central.server.deploy([dossier_form()])
    first, second = new_id(), new_id()
    old = sent(central, dossier(instance_id=first, photo="photo.jpg", paper="avant.pdf"), first, PHOTO)
    edit = dossier(instance_id=second, replaces=first, photo="photo.jpg", paper="après.pdf")
    new = sent(central, edit, second, MediaFile("après.pdf", b"%PDF"), root=first)

    assert central.server.attachments(old) == names("photo.jpg", late=("avant.pdf",))
    assert central.server.attachments(new) == names("après.pdf", "photo.jpg")
    known = save(central, old, "photo.jpg")
    assert save(central, new, "photo.jpg", known) is known
    assert save(central, old, "après.pdf") is None


def test_a_deleted_submission_has_nothing(central: Site) -> None:
    central.server.deploy([dossier_form()])
    first = new_id()
    here = sent(central, dossier(instance_id=first, photo="photo.jpg"), first, PHOTO)
    api, project = api_of(central)
    api.delete(f"{project}/forms/{FORM}/submissions/{first}")

    assert central.server.attachments(here) is None
    assert save(central, here, "photo.jpg") is None
    assert central.server.comments(FORM, first) == []


def test_comments_come_oldest_first_with_who_wrote_them(central: Site) -> None:
    central.server.deploy([dossier_form()])
    first = new_id()
    central.submit(dossier(instance_id=first))
    assert central.server.comments(FORM, first) == []

    api, project = api_of(central)
    for text in ("L’âge ?\nÀ vérifier", "Vérifié"):
        api.post(project + address("forms", FORM, "submissions", first, "comments"), {"body": text})

    found = central.server.comments(FORM, first)
    assert [comment.text for comment in found] == ["L’âge ?\nÀ vérifier", "Vérifié"]
    assert all(comment.author for comment in found)
    assert found == sorted(found, key=lambda comment: comment.created_at)
    assert isinstance(found[0], Comment)


MD5 = hashlib.md5(PHOTO.content, usedforsecurity=False).hexdigest()
BAD = {
    "damaged": (Response(b"\xff\xd8 une phot0", headers={"ETag": f'"{MD5}"'}), "SRV-050", True),
    "cut": (Response(b"\xff\xd8", headers={"ETag": f'"{MD5}"', "Content-Length": "99"}), "SRV-005", True),
    "cut without a sign": (Response(b"\xff\xd8", headers={"ETag": f'"{MD5}"'}), "SRV-050", True),
    "without its hash": (Response(PHOTO.content), "SRV-051", False),
    "compressed by a proxy": (Response(PHOTO.content, headers={"ETag": f'W/"{MD5}"'}), "SRV-051", False),
}


@pytest.mark.parametrize("bad", list(BAD))
def test_a_file_that_cannot_be_believed_leaves_nothing(fake: Fake, bad: str) -> None:
    fake.site.server.deploy([dossier_form()])
    first = new_id()
    here = sent(fake.site, dossier(instance_id=first, photo="photo.jpg"), first, PHOTO)
    answer, code, may_help = BAD[bad]

    def meddle(request: Request) -> Response | None:
        return answer if request.url.path.endswith("photo.jpg") else None

    fake.central.meddle = meddle
    with pytest.raises(ServerError, match=code) as error:
        save(fake.site, here, "photo.jpg")

    assert error.value.retryable == may_help
    assert "photo.jpg" not in str(error.value)
    assert list(fake.site.folder.iterdir()) == []


def test_a_file_is_nobody_elses_to_read(fake: Fake, tmp_path: Path) -> None:
    fake.site.server.deploy([dossier_form()])
    first = new_id()
    here = sent(fake.site, dossier(instance_id=first, photo="photo.jpg"), first, PHOTO)

    fake.site.server.attachment(here, "photo.jpg", tmp_path / "file", None)

    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
