"""The forms speak French and Arabic, wholly, and say one thing in one way."""

import csv
import re
from collections.abc import Iterator

import pytest

from tpm_pipeline.forms import catalog, sheets
from tpm_pipeline.forms.sheets import Row
from tpm_pipeline.paths import FORMS

FRENCH, ARABIC = "::Français (fr)", "::العربية (ar)"
KINDS = ("label", "hint", "constraint_message", "required_message")
SILENT = ("start", "end", "today", "username", "deviceid", "audit", "calculate")
BILINGUAL = re.compile(r"\S / .*[\u0600-\u06FF]")
# Where one French word rightly has several Arabic ones: a reason for each.
SEVERAL = {
    "Commune": "a question names the commune, definite; a list names a kind of partner, indefinite",
    "OSC": "the public is all organisations, the question is about one, and a list names a kind",
    "Formation professionnelle": "a level of education is indefinite, as others of its list; a service is definite",
}


def rows() -> Iterator[tuple[str, Row]]:
    """Every question and every choice, with its place."""
    for form_id in catalog.form_ids():
        book = sheets.read(catalog.path_of(form_id))
        for name in ("survey", "choices"):
            yield from ((f"{form_id} {name}", row) for row in (book[name].rows if name in book else ()))
    yield from (("choix.csv", row) for row in sheets.shared(FORMS / "lists").rows)


def said() -> dict[str, dict[str, list[str]]]:
    """The Arabic of every French text, with the places that say it so."""
    found: dict[str, dict[str, list[str]]] = {}
    for place, row in rows():
        for kind in (kind for kind in KINDS if kind + FRENCH in row.cells):
            arabic = found.setdefault(row.cells[kind + FRENCH], {})
            arabic.setdefault(row.cells[kind + ARABIC], []).append(f"{place} row {row.number}")
    return found


def lacking(row: Row) -> list[str]:
    """The words a row should have and has not."""
    kinds = [kind for kind in KINDS if kind + FRENCH in row.cells or kind + ARABIC in row.cells]
    if not row.cells.get("type", "").startswith(SILENT):
        kinds.append("label")
    kinds += [f"{rule}_message" for rule in ("constraint", "required") if rule in row.cells]
    return [kind + language for kind in kinds for language in (FRENCH, ARABIC) if kind + language not in row.cells]


def test_every_question_choice_and_refusal_has_its_words_in_both_languages() -> None:
    assert [(place, row.number, missing) for place, row in rows() if (missing := lacking(row))] == []


@pytest.mark.parametrize(
    ("cells", "missing"),
    [
        ({"type": "text", "name": "a"}, ["label" + FRENCH, "label" + ARABIC]),
        ({"type": "end_group"}, []),
        ({"type": "calculate", "name": "a", "calculation": "1"}, []),
        ({"name": "a", "label" + FRENCH: "A"}, ["label" + ARABIC, "label" + ARABIC]),
        ({"type": "audit", "constraint": "1"}, ["constraint_message" + FRENCH, "constraint_message" + ARABIC]),
        ({"type": "start", "hint" + ARABIC: "ا"}, ["hint" + FRENCH]),
    ],
)
def test_a_missing_word_is_found(cells: dict[str, str], missing: list[str]) -> None:
    assert lacking(Row(2, cells)) == missing


def test_one_french_text_has_one_arabic_text_in_all_forms() -> None:
    several = {french: dict(arabic) for french, arabic in said().items() if len(arabic) > 1}

    assert {french: arabic for french, arabic in several.items() if french not in SEVERAL} == {}
    assert sorted(several) == sorted(SEVERAL), "an exception is one no more"


@pytest.mark.parametrize("name", ["activites", "bureaux", "communes", "pays"])
def test_a_list_in_a_file_has_both_languages_in_one_label(name: str) -> None:
    with (FORMS / "lists" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        labels = [line["label"] for line in csv.DictReader(file)]

    assert labels
    assert [label for label in labels if not BILINGUAL.search(label)] == []
