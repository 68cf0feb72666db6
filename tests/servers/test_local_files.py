"""Files of the local server: those of each version, late ones too, verified by their SHA-256."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.conftest import KINDS
from tests.servers.dossiers import FORM, dossier, dossier_form
from tests.servers.site import Site
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerUnavailableError
from tpm_pipeline.records import AttachmentName, Instance, MediaFile
from tpm_pipeline.servers.local_store import Store

PHOTO = MediaFile("صورة 1#100%.jpg", b"\xff\xd8 une photo")


def spoil(path: Path) -> None:
    path.write_bytes(b"autre")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Site]:
    with KINDS["local"](tmp_path) as site:
        site.server.deploy([dossier_form()])
        yield site


def test_a_file_that_comes_late_belongs_to_its_version(local: Site) -> None:
    first = new_id()
    xml, here = dossier(instance_id=first, photo=PHOTO.name), Instance(FORM, first, first)
    local.submit(xml)
    assert local.server.attachments(here) == []
    assert local.server.attachment(here, PHOTO.name, local.folder / "file", None) is None

    local.submit(xml, files=(PHOTO,))

    assert local.server.attachments(here) == [AttachmentName(PHOTO.name, is_there=True)]
    found = local.server.attachment(here, PHOTO.name, local.folder / "file", None)
    assert found is not None
    assert (found.size, found.media_type) == (len(PHOTO.content), "image/jpeg")
    assert found.digest == hashlib.sha256((local.folder / "file").read_bytes()).hexdigest()


def test_a_file_that_is_known_is_not_copied(local: Site) -> None:
    first = new_id()
    here = Instance(FORM, first, first)
    local.submit(dossier(instance_id=first, photo=PHOTO.name), files=(PHOTO,))
    known = local.server.attachment(here, PHOTO.name, local.folder / "file", None)
    (local.folder / "file").unlink()

    assert local.server.attachment(here, PHOTO.name, local.folder / "file", known) is known
    assert list(local.folder.iterdir()) == []


@pytest.mark.parametrize("happen", [spoil, Path.unlink], ids=["changed", "lost"])
def test_a_file_that_was_changed_or_lost_on_the_disk_is_refused(
    local: Site, tmp_path: Path, happen: Callable[[Path], None]
) -> None:
    first = new_id()
    local.submit(dossier(instance_id=first, photo=PHOTO.name), files=(PHOTO,))
    happen(Store(tmp_path / "store").attachment(hashlib.sha256(PHOTO.content).hexdigest()))

    with pytest.raises(ServerUnavailableError, match="SRV-050"):
        local.server.attachment(Instance(FORM, first, first), PHOTO.name, local.folder / "file", None)
    assert list(local.folder.iterdir()) == []


def test_nobody_reviews_here(local: Site) -> None:
    assert local.server.comments(FORM, new_id()) == []
