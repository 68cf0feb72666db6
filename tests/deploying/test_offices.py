"""The offices phones belong to."""

from pathlib import Path

from tpm_pipeline.deploying import offices
from tpm_pipeline.deploying.offices import Office


def test_the_projects_offices_are_open_and_named_in_both_languages() -> None:
    found = offices.read()

    assert found["TIZ01"] == Office("TIZ01", "Bureau Tiznit", "مكتب تيزنيت", is_open=True)
    assert all(office.fr and office.ar and office.is_open for office in found.values())


def test_an_office_of_one_name_has_it_in_both(tmp_path: Path) -> None:
    (tmp_path / "bureaux.csv").write_text("name,label,code_bureau,statut_bureau\nx,Agadir,AGD01,ferme\n")

    assert offices.read(tmp_path) == {"AGD01": Office("AGD01", "Agadir", "Agadir", is_open=False)}
