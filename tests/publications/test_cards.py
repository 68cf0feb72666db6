"""An indicator in words."""

from dataclasses import replace

import pytest

from tpm_pipeline.publications import words
from tpm_pipeline.publications.cards import Card, card
from tpm_pipeline.publications.figures import Figure
from tpm_pipeline.publications.words import Language

SPOKEN = words.read()
Found = dict[str, Figure]


def written(figure: Figure, language: Language = "fr") -> Card:
    return card(figure, SPOKEN[language], language, "", 5)


def test_a_percentage_says_its_value_its_size_and_its_progress(found: Found) -> None:
    shown = written(found["OC1-1"])
    assert (shown.value, shown.unit, shown.status_word) == ("60,9\u202f%", "", "Cible non atteinte")
    assert dict(shown.facts) == {
        "Cible de l’année": "65\u202f%",
        "Effectif": "100 ou plus",
        "Bureaux ayant saisi": "8 sur 8 attendus",
    }
    assert (shown.progress, shown.progress_text) == (93, "93\u202f% · Référence 0\u202f%")


def test_a_running_total_says_since_when_and_the_years_own_count(found: Found) -> None:
    shown = written(found["R1-3"])
    assert (shown.value, shown.unit) == ("1\u202f916", "personnes")
    assert shown.when == "Depuis le début du projet · Année 3 (oct. 2022 – déc. 2023)"
    assert "Dans l’année" not in dict(shown.facts)  # it would tell how many came back
    assert "Dans l’année" in dict(written(found["R1-2"]).facts)
    assert dict(shown.facts)["Lignes sans identifiant, hors compte"] == "6"


def test_without_a_baseline_no_progress_is_claimed(found: Found) -> None:
    shown = written(found["OC1-2"])
    assert (shown.value, shown.unit, shown.progress) == ("4,31", "sur une échelle de 1–5", None)
    assert "Pas de valeur de référence" in shown.progress_text


def test_missing_is_said_and_is_not_zero(found: Found) -> None:
    shown = written(found["R1-5"])
    assert (shown.value, shown.known, shown.progress) == ("n.d.", False, None)
    assert dict(shown.facts)["Bureaux ayant saisi"] == "0 sur 8 attendus"


def test_small_cells_say_why_they_are_not_shown(found: Found) -> None:
    assert written(found["R1-2"]).lines[0].value == "< 5"
    assert [line.value for line in written(found["R1-4"]).lines[:3]] == [
        "n.d. (effectif < 5)",
        "n.d. (secret statistique)",
        "34\u202f%",
    ]
    assert [line.size for line in written(found["R1-4"]).lines[:3]] == ["", "", "20–99"]


@pytest.mark.parametrize(
    ("denominator", "threshold", "french"),
    [
        *[(5, 5, "5–19"), (19, 5, "5–19"), (20, 5, "20–99"), (99, 5, "20–99"), (100, 5, "100 ou plus")],
        *[(9999, 5, "100 ou plus"), (40, 30, "30–99"), (100, 100, "100 ou plus"), (2000, 1500, "1\u202f500 ou plus")],
    ],
)
def test_a_size_is_said_by_class_from_the_threshold_on(
    denominator: int, threshold: int, french: str, found: Found
) -> None:
    figure = replace(found["R1-4"], years=(replace(found["R1-4"].year, denominator=denominator),))
    assert dict(card(figure, SPOKEN["fr"], "fr", "", threshold).facts)["Effectif"] == french


def test_few_rows_without_identifier_are_not_counted_out_loud(found: Found) -> None:
    few = replace(found["R1-3"], years=(replace(found["R1-3"].year, without_id=2),))
    assert dict(written(few).facts)["Lignes sans identifiant, hors compte"] == "< 5"


def test_what_is_not_about_people_is_said_exactly(found: Found) -> None:
    shown = written(found["R5-1"])
    assert dict(shown.facts)["Effectif"] == "14"
    assert dict(shown.facts)["Équipe du projet"] == "a saisi"


def test_yes_or_no_is_a_word_and_not_a_number(found: Found) -> None:
    assert (written(found["OC3-2"]).value, written(found["OC3-2"]).target) == ("Oui", "Oui")
    assert written(found["OC3-2"], "en").value == "Yes"
    assert dict(written(found["OC3-2"]).facts)["Cible de l’année"] == "Oui"


def test_a_year_under_way_says_what_was_expected_by_now(found: Found) -> None:
    figure = replace(found["R1-2"], years=(replace(found["R1-2"].year, due=2061.6),))
    assert dict(written(figure).facts)["Attendu à ce jour"] == "2\u202f062"


def test_progress_is_never_rounded_up_to_the_target(found: Found) -> None:
    almost = replace(found["R1-2"], years=(replace(found["R1-2"].year, value=3499, progress=3499 / 3500),))
    assert written(almost).progress == 99


def test_arabic_says_the_same(found: Found) -> None:
    shown = written(found["R1-4"], "ar")
    assert shown.name == "نسبة النساء من بين الأشخاص المستقبَلين"
    assert shown.value == "\u206642,9\u202f%\u2069"
    assert dict(shown.facts)["العدد"] == "\u2066100\u2069 أو أكثر"
    assert shown.lines[2].size == "\u2066\u206620\u2069–\u206699\u2069\u2069"
    assert shown.lines[0].value == "غير متوفر (العدد أقل من 5)"
