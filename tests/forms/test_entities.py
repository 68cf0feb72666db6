"""What the entities sheets and the save_to columns say."""

import pytest

from tests.forms.conftest import Write
from tpm_pipeline.forms import entities
from tpm_pipeline.forms.entities import Declaration

SURVEY = """
survey
| type | name | save_to  |
| today | today |      |
| text | code | le_code  |
| date | vu_le |         |
| date | rdv   | echeance |
"""


def declared(write: Write, entities_sheet: str) -> list[Declaration]:
    return entities.read_all(write(SURVEY + entities_sheet).parents[1])


def test_the_forms_write_three_lists_and_tell_of_the_day_they_ask_for_first() -> None:
    found = {one.form_id: one for one in entities.read_all()}

    assert {form_id: (one.list_name, one.day) for form_id, one in found.items()} == {
        "tpm_bureau": ("bureaux", "date_controle"),
        "tpm_osc": ("osc", "date_suivi"),
        "tpm_suivi": ("dossiers", "date_suivi"),
        "tpm_visite": ("dossiers", "date_visite"),
    }
    assert found["tpm_suivi"].saved == {
        "prochaine_echeance": "echeance",
        "statut_dossier": "statut_dossier",
        "code_bureau": "code_bureau_ent",
        "date_dernier_contact": "date_dernier_contact",
        "nb_suivis": "nb_suivis",
    }
    assert (found["tpm_suivi"].create_if, found["tpm_suivi"].update_if) == ("", "true()")


def test_a_form_says_when_it_creates_and_when_it_updates(write: Write) -> None:
    sheet = """
        entities
        | list_name | label   | entity_id | create_if       | update_if        |
        | cas       | ${code} | ${code}   | ${code} = 'neuf' | ${code} != 'neuf' |
    """

    (one,) = declared(write, sheet)

    assert (one.form_id, one.list_name, one.entity_id, one.label) == ("essai", "cas", "${code}", "${code}")
    assert (one.create_if, one.update_if) == ("${code} = 'neuf'", "${code} != 'neuf'")
    assert (one.saved, one.day) == ({"le_code": "code", "echeance": "rdv"}, "vu_le")


@pytest.mark.parametrize(
    ("columns", "cells", "said"),
    [
        ("entity_id", "${code}", ("", "true()")),
        ("create_if", "${code} = 'neuf'", ("${code} = 'neuf'", "")),
    ],
    ids=["an entity that is there", "a new one alone"],
)
def test_what_is_not_said_follows_from_the_rest(write: Write, columns: str, cells: str, said: tuple[str, str]) -> None:
    (one,) = declared(write, f"entities\n| list_name | {columns} |\n| cas | {cells} |\n")

    assert (one.create_if, one.update_if) == said


def test_a_form_without_the_sheet_declares_nothing(write: Write) -> None:
    assert declared(write, "") == []
