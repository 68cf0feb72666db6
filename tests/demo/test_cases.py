from datetime import date

from tpm_pipeline.demo.cases import Case


def opened() -> Case:
    case = Case("uuid-1", {"sexe": "femme"})
    case.save(
        "TIZ01-2101-123456 · 2021-01-04",
        code_bureau="TIZ01",
        statut_dossier="ouvert",
        date_ouverture="2021-01-04",
        date_dernier_contact="2021-01-04",
    )
    return case


def test_a_case_is_opened_by_a_visit_and_known_to_phones() -> None:
    case = opened()

    assert case.is_open
    assert case.office == "TIZ01"
    assert case.opened == case.last_contact == date(2021, 1, 4)
    assert case.row == {
        "name": "uuid-1",
        "label": "TIZ01-2101-123456 · 2021-01-04",
        "__version": "1",
        **case.properties,
    }


def test_a_question_that_was_not_asked_leaves_the_property_as_it_was() -> None:
    case = opened()

    case.save("other", statut_dossier="clos_resolu", code_bureau=None)

    assert (case.office, case.is_open, case.version, case.label) == ("TIZ01", False, 2, "other")
