"""The installation's declaration of who may fill what."""

from pathlib import Path

import pytest

from tpm_pipeline import jobs
from tpm_pipeline.deploying import access, offices
from tpm_pipeline.deploying.offices import Office
from tpm_pipeline.errors import SettingsError
from tpm_pipeline.records import Access, Share

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
accounts:
  TIZ01: [baom_tiznit, baom_tiznit_2]
anonymous: [tpm_suivi]
servers:
  kobo: {forms: [tpm_suivi], offices: [TIZ01]}
  central: {offices: [AGD01]}
"""
README = Path(__file__).parents[2] / "README.md"


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
        accounts={"TIZ01": ("baom_tiznit", "baom_tiznit_2")},
        anonymous=("tpm_suivi",),
        servers={"kobo": Share(("tpm_suivi",), ("TIZ01",)), "central": Share((), ("AGD01",))},
    )


def test_the_example_of_the_readme_can_be_used(tmp_path: Path) -> None:
    example = README.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "access.yml").write_text(example, encoding="utf-8")

    said = access.read(tmp_path / "access.yml", offices.read(), jobs.form_ids(), ["dossiers"])

    assert all((said.web_users, said.desk_links, said.retired, said.accounts, said.anonymous, said.servers))


def test_accounts_are_printed_nowhere(tmp_path: Path) -> None:
    assert "baom_tiznit" not in repr(read(tmp_path, WHOLE))


def test_a_list_no_form_has_is_not_divided(tmp_path: Path) -> None:
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
        ("accounts: {TIZ09: [baom]}", "SET-006", "accounts: «TIZ09» is not the code of an office"),
        ("accounts: [amina]", "SET-005", "accounts must be names, each with its list"),
        *(
            (f"accounts: {{TIZ01: [baom, '{name}']}}", "SET-013", "the name in place 2 of TIZ01 is no KoboToolbox")
            for name in ("Amina", "2amina", "amina-b", "amina@example.org", "a", "amina b", "amîna")
        ),
        ("anonymous: [tpm_visites]", "SET-007", "anonymous: «tpm_visites» is not a form people fill"),
        ("anonymous: [tpm_visite]\nretired: [tpm_visite]", "SET-007", "«tpm_visite» is not a form"),
        ("servers: {ona: {forms: [tpm_visite]}}", "SET-014", "«ona» is no kind of server"),
        ("servers: {kobo: {forms: [tpm_visites]}}", "SET-007", "servers: «tpm_visites» is not a form"),
        ("servers: {kobo: {offices: [TIZ09]}}", "SET-006", "servers: «TIZ09» is not the code of an office"),
        ("servers: [kobo]", "SET-005", "servers must be kinds of server"),
        ("servers: {kobo: [tpm_visite]}", "SET-005", "servers must be kinds of server"),
        ("servers: {kobo: {}}", "SET-005", "servers must name forms, offices or both"),
        ("servers: {kobo: {phones: [TIZ01]}}", "SET-005", "servers must name forms, offices or both"),
        ("servers: {kobo: {forms: []}}", "SET-005", "servers must name forms, offices or both"),
        ("servers: {kobo: {forms: tpm_visite}}", "SET-005", "servers must hold lists of names"),
        ("web_users: {b@example.org: viewer, amina: viewer}", "SET-009", "the address in place 2 is no e-mail"),
    ],
)
def test_a_mistake_is_named_without_quoting_an_address(tmp_path: Path, text: str, code: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"{code} · \.access\.yml: .*{said}") as error:
        read(tmp_path, text)

    assert "amina" not in str(error.value).casefold()
