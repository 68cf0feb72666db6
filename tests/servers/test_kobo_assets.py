"""Which of an account's assets are a project's forms, and in which versions. On the fake and on the real one."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.servers.conftest import TIMEOUT_S, Kobo
from tests.servers.fake_kobo import TOKEN
from tests.servers.kobo_hands import Hands
from tests.servers.site import Site
from tests.servers.test_kobo_forms import TWO, follow_up, lines
from tests.servers.visits import visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.forms import schema
from tpm_pipeline.servers.kobo import KoboServer
from tpm_pipeline.servers.kobo_assets import MARK


@contextmanager
def beside(site: Site, name: str) -> Iterator[KoboServer]:
    """Another project of the same account, whose name begins like the first one's."""
    hands = Hands(site)
    server = KoboServer(hands.api.url, TOKEN, f"{hands.server._project}{name}", TIMEOUT_S)
    try:
        yield server
    finally:
        for asset in server._assets.all():
            hands.api.delete(asset.path)


@pytest.mark.parametrize("name", [" 2", " (BAOM) AND l'été", " OR \\ %_*", ":x"])
def test_projects_of_one_account_are_apart_whatever_their_names(kobo: Site, name: str) -> None:
    with beside(kobo, name) as other:
        kobo.server.deploy([visit_form()])
        assert other.versions("visites") == []

        other.deploy([visit_form()])

        assert lines(other.plan([visit_form()])) == ["none: visites 1"]
        assert lines(kobo.server.plan([visit_form()])) == ["none: visites 1"]
        (one,), (another,) = Hands(kobo).assets().values(), other._assets.all()
        assert one.uid != another.uid


def test_a_project_copied_by_a_hand_is_not_taken_for_the_form(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    (asset,) = hands.assets().values()
    copy = hands.api.post("/assets/", {"clone_from": asset.uid, "name": "Copie"})["uid"]

    with pytest.raises(ServerError, match=r"SRV-064 .*«visites»") as error:
        kobo.server.plan([visit_form()])
    with pytest.raises(ServerError, match="SRV-064"):
        kobo.server.deploy([visit_form()], force=True)

    assert all(uid in error.value.cause for uid in (asset.uid, copy))
    hands.api.delete(f"/assets/{copy}/")
    assert lines(kobo.server.plan([visit_form()])) == ["none: visites 1"]


def test_a_copied_form_is_not_pulled_as_if_it_were_the_form(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy([visit_form()])
    hands = Hands(fake_kobo.site)
    (asset,) = hands.assets().values()
    hands.api.post("/assets/", {"clone_from": asset.uid})

    with pytest.raises(ServerError, match="SRV-064"):
        fake_kobo.site.pull()


def test_what_people_write_in_the_settings_leaves_our_mark_where_it_is(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    (asset,) = hands.assets().values()

    hands.api.patch(asset.path, {"settings": {"description": "Accueil des personnes", "sector": {}}})

    assert hands.shown()["settings"]["description"] == "Accueil des personnes"
    assert hands.shown()["settings"][MARK] == asset.mark
    assert lines(kobo.server.plan([visit_form()])) == ["none: visites 1"]


def test_a_draft_is_no_version_until_phones_get_it(kobo: Site) -> None:
    kobo.server.deploy([visit_form()])
    hands = Hands(kobo)
    hands.edit()

    assert [schema.read(version.xform).version for version in kobo.server.versions("visites")] == ["1"]
    hands.deploy()

    before, after = kobo.server.versions("visites")
    assert ("ajoutee" in str(before.xform), "ajoutee" in str(after.xform)) == (False, True)
    assert kobo.server.current() == {"visites": (after.version,)}


def test_going_back_to_a_former_form_is_a_version_of_its_own(kobo: Site) -> None:
    for form in (visit_form("1"), visit_form("2", extra="langue"), visit_form("1")):
        kobo.server.deploy([form])

    versions = kobo.server.versions("visites")

    assert [schema.read(version.xform).version for version in versions] == ["1", "2", "1"]
    assert len({version.version for version in versions}) == 3
    assert "".join(map(str, versions)).count("langue") > 0


def test_the_versions_of_all_offices_come_oldest_first(kobo: Site) -> None:
    kobo.server.deploy([follow_up("1")], TWO)
    kobo.server.deploy([follow_up("2")], TWO)

    versions = kobo.server.versions("suivis")

    assert [schema.read(version.xform).version for version in versions] == ["1", "1", "2", "2"]
    assert {schema.read(version.xform).title for version in versions} == {"Visites"}
    assert {*kobo.server.current()["suivis"]} == {version.version for version in versions[2:]}


def test_a_version_is_read_and_compiled_once(fake_kobo: Kobo) -> None:
    fake_kobo.site.server.deploy([visit_form("1")])
    fake_kobo.site.server.deploy([visit_form("2")])
    first = fake_kobo.site.server.versions("visites")
    fake_kobo.kobo.requests.clear()

    again = fake_kobo.site.server.versions("visites")

    assert [one.xform is two.xform for one, two in zip(first, again, strict=True)] == [True, True]
    assert [request for request in fake_kobo.kobo.requests if "/versions/v" in request] == []
