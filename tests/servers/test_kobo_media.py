"""The files that come with a form on KoboToolbox. On the fake and on the real one."""

import pytest

from tests.servers.kobo_hands import ALICE, Hands
from tests.servers.site import Site
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.kobo_media import Held, differing, held, md5, replace

OLD, NEW = MediaFile("liste.csv", b"name,label\n1,Ancien\n"), MediaFile("liste.csv", b"name,label\n1,Nouveau\n")


def test_a_file_is_known_by_its_name_and_told_by_its_digest(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[OLD, MediaFile("été.png", b"\x89PNG")])])
    uid = Hands(kobo).assets()["visites"].uid

    found = held(Hands(kobo).api, uid)

    assert {name: one.md5 for name, one in found.items()} == {"liste.csv": md5(OLD.content), "été.png": md5(b"\x89PNG")}


def test_a_name_that_is_taken_is_refused_until_the_old_file_is_gone(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[OLD])])
    hands = Hands(kobo)
    uid = hands.assets()["visites"].uid

    with pytest.raises(ServerError, match=r"SRV-063 .*already exists"):
        replace(hands.api, uid, NEW, None)
    replace(hands.api, uid, NEW, held(hands.api, uid)["liste.csv"])

    assert {name: one.md5 for name, one in held(hands.api, uid).items()} == {"liste.csv": md5(NEW.content)}


def test_a_file_that_is_gone_already_is_replaced_all_the_same(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[OLD])])
    hands = Hands(kobo)
    uid = hands.assets()["visites"].uid
    old = held(hands.api, uid)["liste.csv"]
    hands.api.delete(f"/assets/{uid}/files/{old.uid}/")

    replace(hands.api, uid, NEW, old)

    assert hands.files() == ["liste.csv"]


def test_phones_get_a_file_only_once_the_form_is_deployed_again(kobo: Site) -> None:
    kobo.server.deploy([visit_form(files=[OLD])])
    hands = Hands(kobo)
    uid = hands.assets()["visites"].uid
    replace(hands.api, uid, NEW, held(hands.api, uid)["liste.csv"])
    phone = hands.view(ALICE)
    assert phone.files(uid) != {"liste.csv": NEW.content}

    hands.deploy()

    assert phone.files(uid) == {"liste.csv": NEW.content}


def test_a_file_differs_when_the_server_or_the_phones_have_another_or_none() -> None:
    digest = md5(NEW.content)
    wanted, there = {"liste.csv": NEW.content}, {"liste.csv": Held("af1", digest)}

    assert differing(wanted, there, {"liste.csv": digest}) == []
    assert differing(wanted, there, {}) == ["liste.csv"]
    assert differing(wanted, {}, {"liste.csv": digest}) == ["liste.csv"]
    assert differing(wanted, {"liste.csv": Held("af1", md5(OLD.content))}, {"liste.csv": digest}) == ["liste.csv"]
    assert differing({}, there, {}) == []
