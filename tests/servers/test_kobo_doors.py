"""How phones and desks enter KoboToolbox."""

from dataclasses import replace

import pytest

from tests.servers.conftest import Kobo
from tests.servers.kobo_hands import BOB, CAROL, Hands
from tests.servers.site import Site
from tests.servers.test_kobo_forms import TWO, follow_up
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access

ENKETO = "https://enketo.example.org"
DESKS = Access(accounts={"AGA01": (BOB,)}, desk_links={"visites": ("AGA01", "TIZ01"), "suivis": ("AGA01",)})


def test_phones_enter_by_one_address_each_with_its_offices_account(kobo: Site) -> None:
    kobo.server.deploy([visit_form(), follow_up()], TWO)

    doors = kobo.server.phones(Access(accounts={"AGA01": (BOB, "autre"), "TIZ01": (CAROL,)}))

    url = Hands(kobo).api.url
    assert [(door.office, door.name, door.url, door.username) for door in doors] == [
        ("AGA01", BOB, url, BOB),
        ("AGA01", "autre", url, "autre"),
        ("TIZ01", CAROL, url, CAROL),
    ]


def test_nobodys_phone_needs_no_address(kobo: Site) -> None:
    assert kobo.server.phones(Access(phones={"AGA01": ("téléphone 1",)})) == []
    assert kobo.server.desks(Access()) == []


def test_before_anything_is_deployed_phones_have_no_address(kobo: Site) -> None:
    with pytest.raises(ServerError, match=r"SRV-071 .*tpm deploy"):
        kobo.server.phones(TWO)


def test_a_desk_opens_everybodys_form_or_the_one_of_its_office(fake_kobo: Kobo) -> None:
    fake_kobo.kobo.enketo = ENKETO
    fake_kobo.site.server.deploy([visit_form(), follow_up()], TWO)

    doors = fake_kobo.site.server.desks(DESKS)

    assets = Hands(fake_kobo.site).assets()
    places = ("visites", "visites", "suivis · AGA01")
    assert [(door.office, door.name) for door in doors] == [
        ("AGA01", "visites"),
        ("TIZ01", "visites"),
        ("AGA01", "suivis"),
    ]
    assert [door.url for door in doors] == [f"{ENKETO}/{assets[place].uid[-8:]}" for place in places]


def test_a_desk_opens_its_offices_form_and_not_the_one_that_is_retired(fake_kobo: Kobo) -> None:
    fake_kobo.kobo.enketo = ENKETO
    fake_kobo.site.server.deploy([follow_up()], replace(TWO, accounts={}))
    fake_kobo.site.server.deploy([follow_up()], TWO)

    (door,) = fake_kobo.site.server.desks(Access(desk_links={"suivis": ("AGA01",)}))

    assert door.url.endswith(Hands(fake_kobo.site).assets()["suivis · AGA01"].uid[-8:])


def test_a_desk_of_an_office_without_an_account_is_told_to_name_one(kobo: Site) -> None:
    kobo.server.deploy([follow_up()], TWO)

    with pytest.raises(ServerError, match=r"SRV-076 · suivis: CHT01 has no form of its own.*accounts in TPM_ACCESS"):
        kobo.server.desks(Access(desk_links={"suivis": ("CHT01",)}))


def test_a_desk_without_its_page_is_told_what_is_missing(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])

    for desk in ("visites", "inconnu"):
        with pytest.raises(ServerError, match=f"SRV-072 · {desk}: .*Enketo"):
            kobo.server.desks(Access(desk_links={desk: ("AGA01",)}))


def test_an_address_does_not_show_when_it_is_printed(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy([visit_form()])

    (door,) = fake_kobo.site.server.phones(Access(accounts={"AGA01": (BOB,)}))

    assert BOB not in repr(door).replace(f"name='{BOB}'", "")
    assert door.url not in repr(door)
