"""Files of encrypted submissions: opened, verified, under their own names. On the fake and on the real Central."""

from collections.abc import Mapping

import pytest

from tests.servers.confidences import (
    FORM,
    OWN,
    PASSPHRASE,
    attach,
    confidence,
    confidence_form,
    manage,
    send,
    unlock,
)
from tests.servers.conftest import Fake
from tests.servers.encryptor import encrypt, key_pair
from tests.servers.site import Site
from tests.servers.test_central_files import content, names, save
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Instance, MediaFile
from tpm_pipeline.warehouse import client_audit

JPG, PDF = b"\xff\xd8" + bytes(range(256)) * 9, b"%PDF"
LOG = b"event,node,start,end\nform start,,1,\nquestion,/data/nom,2,3\n"
MEDIA = {"photo é 1.jpg": JPG, "b.pdf": PDF, "audit.csv": LOG}


def sent(site: Site, public: str = OWN.public, version: str = "1", media: Mapping[str, bytes] = MEDIA) -> Instance:
    first = new_id()
    xml = confidence(first, version, photo="photo é 1.jpg", paper="b.pdf", log="audit.csv")
    send(site, xml, public, media=media)
    return Instance(FORM, first, first)


def opened(site: Site, instance: Instance) -> dict[str, bytes | None]:
    """What comes of the files that are there."""
    listed = [one.name for one in site.server.attachments(instance) or () if one.is_there]
    return {name: content(site) if save(site, instance, name) else None for name in listed}


def test_a_private_key_opens_the_files_under_their_own_names(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    assert opened(central, sent(central)) == MEDIA


def test_a_passphrase_opens_the_files_of_each_submission_apart(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    unlock(central, passphrase=PASSPHRASE)
    one = sent(central, public, version)
    other = sent(central, public, version, {"photo é 1.jpg": PDF, "a:b?.jpg": JPG})

    found = opened(central, one)

    log = found.pop("audit.csv")
    assert found == {"photo é 1.jpg": JPG, "b.pdf": PDF}
    assert log is not None
    assert [event[:4] for event in client_audit.read(log)] == [
        event[:4] for event in map(blank, client_audit.read(LOG))
    ]
    assert opened(central, other) == {"photo é 1.jpg": PDF, "a:b?.jpg": JPG}


def blank(event: list[str | None]) -> list[str | None]:
    return [text or "" for text in event]


@pytest.mark.parametrize("key", [None, key_pair(1)])
def test_without_its_key_nothing_is_there(central: Site, key: object) -> None:
    central.server.deploy([confidence_form()])
    if key:
        unlock(central, key_pair(1))
    instance = sent(central)

    assert sorted(central.server.attachments(instance) or (), key=lambda one: one.name) == names(late=tuple(MEDIA))
    assert save(central, instance, "b.pdf") is None
    assert list(central.folder.iterdir()) == []


def test_the_answers_are_no_file(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    first = new_id()
    send(central, confidence(first))
    assert central.server.attachments(Instance(FORM, first, first)) == []


def test_nothing_is_there_before_all_of_it_has_come(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    first = new_id()
    instance = Instance(FORM, first, first)
    files = send(central, confidence(first), media={"a.jpg": JPG, "b.pdf": PDF}, late=["b.pdf.enc"])
    assert opened(central, instance) == {}

    attach(central, first, "b.pdf.enc", files["b.pdf.enc"])
    assert opened(central, instance) == {"a.jpg": JPG, "b.pdf": PDF}


def test_an_edit_has_its_own_files_and_the_first_version_keeps_its(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    one = sent(central)
    second = new_id()
    send(central, confidence(second), media={"photo é 1.jpg": JPG, "b.pdf": JPG}, replaces=one.submission_id)
    other = Instance(FORM, one.submission_id, second)

    assert opened(central, one) == MEDIA
    known = save(central, one, "photo é 1.jpg")
    content(central)
    assert opened(central, other) == {"photo é 1.jpg": JPG, "b.pdf": JPG}
    assert save(central, other, "photo é 1.jpg", known) is known


def test_files_of_an_edit_that_central_would_open_are_left_alone(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    unlock(central, passphrase=PASSPHRASE)
    one = sent(central, public, version)
    second = new_id()
    send(central, confidence(second, version), public, media=MEDIA, replaces=one.submission_id)

    assert set(opened(central, one).values()) <= {None}
    assert set(opened(central, Instance(FORM, one.submission_id, second)).values()) <= {None}


@pytest.mark.parametrize("damaged", ["a.jpg.enc", "submission.xml.enc"])
def test_a_damaged_file_is_told_and_none_is_kept(central: Site, damaged: str) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    first = new_id()
    send(central, confidence(first), media={"a.jpg": JPG, "b.pdf": PDF}, damaged=[damaged])
    instance = Instance(FORM, first, first)
    central.server.attachments(instance)

    for name in ("a.jpg", "b.pdf"):
        with pytest.raises(ServerError, match=r"SRV-03[24]"):
            save(central, instance, name)
    assert list(central.folder.iterdir()) == []


def test_a_file_of_another_submission_is_told(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    first = new_id()
    key = b"k" * 32
    mine, other = (encrypt(OWN.public, confidence(first), {"a.jpg": media}, key) for media in (JPG, JPG[::-1]))
    files = {**mine.files, "a.jpg.enc": other.files["a.jpg.enc"]}
    central.submit(mine.envelope, files=tuple(MediaFile(name, file) for name, file in files.items()))
    instance = Instance(FORM, first, first)
    central.server.attachments(instance)

    with pytest.raises(ServerError, match="SRV-034"):
        save(central, instance, "a.jpg")


def test_a_damaged_file_that_central_would_open_is_told(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    unlock(central, passphrase=PASSPHRASE)
    first = new_id()
    send(central, confidence(first, version), public, media={"a.jpg": JPG}, damaged=["a.jpg.enc"])
    instance = Instance(FORM, first, first)
    central.server.attachments(instance)

    with pytest.raises(ServerError, match="SRV-038"):
        save(central, instance, "a.jpg")


def test_a_plain_file_that_only_looks_encrypted_comes_as_it_is(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    first = new_id()
    central.submit(confidence(first, photo="a.jpg.enc"), files=(MediaFile("a.jpg.enc", JPG),))
    assert opened(central, Instance(FORM, first, first)) == {"a.jpg.enc": JPG}


def test_each_file_is_asked_for_once(fake: Fake) -> None:
    fake.site.server.deploy([confidence_form()])
    unlock(fake.site, OWN)
    instance = sent(fake.site)
    fake.central.requests.clear()

    opened(fake.site, instance)

    asked = [request for request in fake.central.requests if request.endswith(".enc")]
    assert len(asked) == len(set(asked)) == 4
