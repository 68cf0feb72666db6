"""Every version deployed is kept; the last one published is the one phones get."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Change, CompiledForm, MediaFile
from tpm_pipeline.servers import local_forms
from tpm_pipeline.servers.local_store import Store

XFORM = (Path(__file__).parents[1] / "web" / "essai.xml").read_bytes()
PLAIN = XFORM.replace(b"dossiers.csv", b"bureaux.csv")
FIRST = CompiledForm("essai", "1", "Essai", PLAIN, (MediaFile("bureaux.csv", b"name,label\n1,Agadir\n"),), ())
SECOND = replace(FIRST, version="2", xform=PLAIN.replace(b'version="1"', b'version="2"'))
OTHER = replace(FIRST, form_id="autre", xform=PLAIN.replace(b'id="essai"', b'id="autre"'))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def actions(store: Store, *forms: CompiledForm) -> list[str]:
    return [change.action for change in local_forms.deploy(store, forms)]


def published(store: Store) -> dict[str, str]:
    return {form.form_id: form.version for form in local_forms.published(store)}


def test_a_new_version_is_an_update_and_the_old_one_stays(store: Store) -> None:
    assert actions(store, FIRST, OTHER) == ["create", "create"]
    assert actions(store, SECOND) == ["update"]
    assert published(store) == {"autre": "1", "essai": "2"}
    assert [version.version for version in local_forms.versions(store, "essai")] == ["1", "2"]
    assert local_forms.xform(store, "essai", "1") == PLAIN


def test_going_back_to_a_former_version_publishes_it_again(store: Store) -> None:
    assert [*actions(store, FIRST), *actions(store, SECOND), *actions(store, FIRST)] == ["create", "update", "update"]
    assert published(store) == {"essai": "1"}
    assert actions(store, FIRST) == ["none"]
    assert [version.version for version in local_forms.versions(store, "essai")] == ["1", "2"]


@pytest.mark.parametrize(
    "changed",
    [
        replace(FIRST, xform=PLAIN.replace(b"Statut", b"Etat")),
        replace(FIRST, media=(MediaFile("bureaux.csv", b"name,label\n1,Tiznit\n"),)),
        replace(FIRST, media=()),
    ],
    ids=["xform", "media", "no media"],
)
def test_one_version_has_one_content_and_a_refusal_deploys_nothing(store: Store, changed: CompiledForm) -> None:
    actions(store, FIRST)
    with pytest.raises(ServerError, match="SRV-110"):
        actions(store, OTHER, changed)
    assert published(store) == {"essai": "1"}


def test_the_files_of_a_form_are_those_of_its_published_version(store: Store) -> None:
    actions(store, FIRST)
    actions(store, replace(SECOND, media=(MediaFile("bureaux.csv", b"name,label\n2,Tiznit\n"),)))
    (file,) = local_forms.files(store, "essai")
    assert (file.name, file.content, file.is_list) == ("bureaux.csv", b"name,label\n2,Tiznit\n", False)


def test_unknown_forms_and_versions_are_named(store: Store) -> None:
    with pytest.raises(ServerError, match="SRV-104 · inconnu"):
        local_forms.files(store, "inconnu")
    actions(store, FIRST)
    with pytest.raises(ServerError, match="SRV-105 · essai"):
        local_forms.xform(store, "essai", "9")


def test_a_retired_form_is_offered_no_more_until_it_is_active_again(store: Store) -> None:
    actions(store, FIRST, OTHER)
    line = "essai is retired: phones get it no more, what they hold can still be sent"

    planned = local_forms.plan(store, [SECOND, OTHER], ["essai"])
    assert planned == [Change("none", "autre 1"), Change("update", line)]
    assert [form.form_id for form in local_forms.offered(store)] == ["autre", "essai"]
    assert local_forms.deploy(store, [SECOND, OTHER], ["essai"]) == planned

    assert [form.form_id for form in local_forms.offered(store)] == ["autre"]
    assert published(store) == {"autre": "1", "essai": "1"}
    assert local_forms.deploy(store, [SECOND], ["essai"]) == [Change("none", "essai is retired")]
    assert actions(store, FIRST) == ["update"]
    assert [form.form_id for form in local_forms.offered(store)] == ["autre", "essai"]
