"""Numbers, dates and periods as they are written in Morocco, in each language."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tpm_pipeline.publications import words
from tpm_pipeline.publications.figures import Figure

SPOKEN = words.read()


def keys(tree: Any, above: str = "") -> Iterator[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from keys(value, f"{above}.{key}")
    else:
        yield f"{above}:{len(tree) if isinstance(tree, list) else ''}"


def test_every_language_has_the_same_words() -> None:
    assert list(keys(SPOKEN["fr"])) == list(keys(SPOKEN["ar"])) == list(keys(SPOKEN["en"]))


def test_numbers_have_a_decimal_comma_and_narrow_spaces() -> None:
    assert words.number(1234567.891, 2, "fr") == "1\u202f234\u202f567,89"
    assert words.number(-3, 0, "fr") == "\u22123"
    assert words.quantity(61.27, 1, "%", "fr") == "61,3\u202f%"


def test_english_numbers_have_a_point_and_commas() -> None:
    assert words.number(1234567.891, 2, "en") == "1,234,567.89"
    assert words.quantity(61.27, 1, "%", "en") == "61.3%"


def test_numbers_keep_their_direction_and_digits_in_arabic() -> None:
    assert words.number(1234, 0, "ar") == "\u20661\u202f234\u2069"
    assert words.quantity(61.27, 1, "%", "ar") == "\u206661,3\u202f%\u2069"


def test_the_unit_follows_only_when_it_reads_as_one_with_the_number() -> None:
    assert words.quantity(12, 0, "visites", "fr") == "12"


def test_dates_use_moroccan_months() -> None:
    assert words.day(date(2021, 1, 1), SPOKEN["fr"]) == "1er janvier 2021"
    assert words.day(date(2026, 7, 23), SPOKEN["ar"]) == "23 يوليوز 2026"


def test_a_half_open_span_ends_in_its_last_month() -> None:
    assert words.span(date(2022, 10, 1), date(2024, 1, 1), SPOKEN["fr"]) == "oct. 2022 – déc. 2023"


@pytest.mark.parametrize(
    ("period", "french", "arabic"),
    [
        ("2021-T1", "T1 2021", "الفصل الأول 2021"),
        ("A3", "Année 3", "السنة 3"),
        ("2022-10", "oct. 2022", "أكتوبر 2022"),
    ],
)
def test_periods_are_said_as_people_do(period: str, french: str, arabic: str, found: dict[str, Figure]) -> None:
    cell = replace(found["R1-2"].year, period=period)
    assert (words.period(cell, SPOKEN["fr"]), words.period(cell, SPOKEN["ar"])) == (french, arabic)


def test_targets_share_their_decimals(found: dict[str, Figure]) -> None:
    assert words.quantity_of_target(found["OC1-2"], 4.0, SPOKEN["fr"], "fr") == "4,0"
    assert words.quantity_of_target(found["R1-2"], 3500, SPOKEN["fr"], "fr") == "3\u202f500"
    assert words.quantity_of_target(found["OC3-2"], 1, SPOKEN["ar"], "ar") == "نعم"


def test_french_punctuation_keeps_to_its_word(found: dict[str, Figure]) -> None:
    assert "«\u202fobtenu\u202f»" in words.spoken(found["OC1-1"].indicator.definition, "fr")
