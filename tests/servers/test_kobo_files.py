"""The files of KoboToolbox's submissions. On the fake and on the real one."""

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from tests.servers.conftest import Kobo
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.kobo_hands import Hands
from tests.servers.site import Site
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Instance, MediaFile

PHOTO, PAPER = MediaFile("photo un.jpg", b"\xff\xd8 une photo"), MediaFile("pièce.pdf", b"%PDF une piece")


def names(site: Site, instance: Instance) -> list[str] | None:
    found = site.server.attachments(instance)
    return None if found is None else sorted(one.name for one in found)


def attachments(site: Site) -> list[dict[str, Any]]:
    (row,), _ = site.pull(form_id=FORM)
    return list(row["_attachments"])


def sent(site: Site, first: str, **more: str) -> Instance:
    """A submission with a photo and a paper."""
    site.server.deploy([dossier_form()])
    site.submit(dossier(instance_id=first, photo=PHOTO.name, paper=PAPER.name, **more), files=(PHOTO, PAPER))
    return Instance(FORM, first, first)


def test_the_files_of_a_submission_are_named_and_written(kobo: Site, tmp_path: Path) -> None:
    instance = sent(kobo, new_id())

    found = kobo.server.attachments(instance)
    assert found
    assert all(one.is_there for one in found)
    for one in found:
        kept = kobo.server.attachment(instance, one.name, tmp_path / "kept", None)
        assert kept
        assert (tmp_path / "kept").read_bytes() in {PHOTO.content, PAPER.content}
        (tmp_path / "kept").unlink()
    assert len(found) == 2


def test_a_file_that_is_known_takes_no_other_place(kobo: Site, tmp_path: Path) -> None:
    instance = sent(kobo, new_id())
    name = (names(kobo, instance) or [""])[0]
    first = kobo.server.attachment(instance, name, tmp_path / "one", None)

    assert kobo.server.attachment(instance, name, tmp_path / "two", first) is first


def test_a_file_that_a_hand_deleted_is_not_there(kobo: Site, tmp_path: Path) -> None:
    instance = sent(kobo, new_id())
    gone, kept = sorted(attachments(kobo), key=lambda one: one["media_file_basename"])
    hands = Hands(kobo)
    hands.api.delete(f"{hands.assets()[FORM].path}attachments/{gone['uid']}/")

    assert names(kobo, instance) == [kept["media_file_basename"]]
    assert kobo.server.attachment(instance, gone["media_file_basename"], tmp_path / "x", None) is None
    assert sum(one["is_deleted"] for one in attachments(kobo)) == 1


def test_a_file_that_comes_late_is_found(kobo: Site, tmp_path: Path) -> None:
    kobo.server.deploy([dossier_form()])
    first = new_id()
    xml = dossier(instance_id=first, photo=PHOTO.name, paper=PAPER.name)
    kobo.submit(xml)
    instance = Instance(FORM, first, first)
    assert kobo.server.attachments(instance) == []

    kobo.submit(xml, files=(PAPER,))

    found = kobo.server.attachments(instance)
    assert found
    (paper,) = found
    assert paper.is_there
    assert kobo.server.attachment(instance, paper.name, tmp_path / paper.name, None)
    assert (tmp_path / paper.name).read_bytes() == PAPER.content


def test_a_version_that_was_edited_has_its_files_no_more(kobo: Site, tmp_path: Path) -> None:
    first, second = new_id(), new_id()
    instance = sent(kobo, first)
    kobo.submit(dossier(instance_id=second, replaces=first, paper=PAPER.name), files=(PAPER,))

    assert kobo.server.attachments(instance) is None
    assert kobo.server.attachment(instance, PAPER.name, tmp_path / "x", None) is None
    edited = Instance(FORM, first, second)
    assert names(kobo, edited) == [PAPER.name]


def test_a_submission_that_is_gone_has_no_files(kobo: Site) -> None:
    kobo.server.deploy([dossier_form()])
    unknown = new_id()

    assert kobo.server.attachments(Instance(FORM, unknown, unknown)) is None


def test_a_file_that_is_cut_leaves_nothing(fake_kobo: Kobo, tmp_path: Path) -> None:
    instance = sent(fake_kobo.site, new_id())
    (name, *_) = names(fake_kobo.site, instance) or [""]
    half = Response(b"half", headers={"Content-Length": "9"})
    fake_kobo.kobo.meddle = lambda request: half if "/attachments/" in request.url.path else None

    with pytest.raises(ServerError, match=r"SRV-00[15]") as error:
        fake_kobo.site.server.attachment(instance, name, tmp_path / "x", None)

    assert error.value.retryable
    assert list(tmp_path.glob("x*")) == []


def test_a_log_that_an_edit_dropped_stays_with_it(kobo: Site) -> None:
    kobo.server.deploy([dossier_form()])
    first, second = new_id(), new_id()
    log = MediaFile("audit.csv", b"event,node,start,end\n")
    kobo.submit(dossier(instance_id=first, log=log.name, photo=PHOTO.name), files=(log, PHOTO))
    kobo.submit(dossier(instance_id=second, replaces=first))

    assert names(kobo, Instance(FORM, first, second)) == [log.name]
