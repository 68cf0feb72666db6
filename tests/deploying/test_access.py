"""The installation's declaration of who may fill what."""

from pathlib import Path

import pytest

from tpm_pipeline.deploying import access
from tpm_pipeline.deploying.offices import Office
from tpm_pipeline.errors import SettingsError
from tpm_pipeline.records import Access

OFFICES = {
    code: Office(code, "Bureau", "مكتب", is_open)
    for code, is_open in (("TIZ01", True), ("AGD01", True), ("INE01", False))
}
FORMS = ("tpm_suivi", "tpm_visite")
WHOLE = """
phones:
  TIZ01: [téléphone 1, ' tablette  du bureau ']
  INE01: [téléphone 1]
  AGD01: []
web_users:
  amina@example.org: manager
desk_links:
  tpm_visite: [TIZ01]
retired: [tpm_ancien]
"""


def read(folder: Path, text: str | None) -> Access:
    path = folder / ".access.yml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    return access.read(path, OFFICES, FORMS, ["dossiers", "bureaux"])


def test_without_a_declaration_each_open_office_has_one_phone(tmp_path: Path) -> None:
    one = ("téléphone 1",)
    assert read(tmp_path, None) == Access({"TIZ01": one, "AGD01": one}, own_cases=("dossiers",))
    assert read(tmp_path, "# nothing yet\n") == read(tmp_path, None)


def test_what_is_declared_takes_the_place_of_what_is_usual(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE) == Access(
        phones={"TIZ01": ("téléphone 1", "tablette du bureau"), "AGD01": (), "INE01": ("téléphone 1",)},
        web_users={"amina@example.org": "manager"},
        desk_links={"tpm_visite": ("TIZ01",)},
        retired=("tpm_ancien",),
        own_cases=("dossiers",),
    )


def test_a_list_no_form_writes_is_not_divided(tmp_path: Path) -> None:
    assert access.read(tmp_path / "none", OFFICES, FORMS, ["bureaux"]).own_cases == ()


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("phones: [", "SET-005", r"line 1 is not YAML"),
        ("- phones", "SET-005", "it holds no keys"),
        ("phone: {}", "SET-005", "a key that is none of these"),
        ("phones: [TIZ01]", "SET-005", "phones must be names, each with its list"),
        ("phones: {TIZ01: téléphone 1}", "SET-005", "phones must hold lists of names"),
        ("phones: {TIZ01: ['']}", "SET-005", "phones must hold lists of names"),
        ("retired: tpm_visite", "SET-005", "retired must hold lists of names"),
        ("web_users: [amina@example.org]", "SET-005", "web_users must be e-mails, each with its role"),
        ("phones: {TIZ09: [a]}", "SET-006", "phones: «TIZ09» is not the code of an office"),
        ("desk_links: {tpm_visite: [TIZ09]}", "SET-006", "desk_links: «TIZ09» is not the code of an office"),
        ("desk_links: {tpm_visites: [TIZ01]}", "SET-007", "«tpm_visites» is not a form people fill"),
        ("desk_links: {tpm_visite: [TIZ01]}\nretired: [tpm_visite]", "SET-007", "«tpm_visite» is not a form"),
        ("web_users: {amina@example.org: boss}", "SET-008", "the role in place 1 is unknown"),
        ("web_users: {b@example.org: viewer, amina: viewer}", "SET-009", "the address in place 2 is no e-mail"),
    ],
)
def test_a_mistake_is_named_without_quoting_an_address(tmp_path: Path, text: str, code: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"{code} · \.access\.yml: .*{said}") as error:
        read(tmp_path, text)

    assert "amina" not in str(error.value)
