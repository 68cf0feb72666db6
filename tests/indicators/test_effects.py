"""What a change of a form reaches, in the project's own marts and indicators."""

import re

from tests.warehouse.real import forms
from tpm_pipeline.indicators import effects
from tpm_pipeline.indicators.effects import Comparison

HERE = {form.form_id: form.xform for form in forms()}


def changed(form_id: str, old: str, new: str) -> Comparison:
    """Compare the project's forms with themselves, words of one form's XForm replaced."""
    xform = re.sub(old, new, HERE[form_id].decode()).encode()
    return effects.diff(HERE, {**HERE, form_id: xform}, HERE, [*HERE])


def test_the_same_forms_differ_in_nothing() -> None:
    assert [*effects.lines(effects.diff(HERE, HERE, HERE, [*HERE]))] == ["0 changes, 0 of them breaking"]


def test_a_renamed_question_reaches_marts_and_indicators() -> None:
    found = changed("tpm_suivi", r"\bsat_bureau\b", "satisfaction_bureau")

    (suivi,) = found.forms
    (renamed,) = suivi.effects
    assert (suivi.form_id, renamed.difference.kind, found.breaking) == ("tpm_suivi", "question renamed", 1)
    assert renamed.marts == ("fct_suivi.sat_bureau",)
    assert "OC1-2" in renamed.indicators
    assert "R1-4" not in renamed.indicators


def test_a_removed_choice_names_the_files_that_name_it() -> None:
    found = changed("tpm_visite", r"<name>femme</name>", "<name>dame</name>")

    (lost,) = (one for form in found.forms for one in form.effects)
    assert (lost.difference.kind, lost.difference.codes) == ("choice renamed", ("femme",))
    assert "warehouse/indicators/R1-4.sql" in lost.files
    assert "fct_visite.sexe" in lost.marts


def test_a_form_that_goes_reaches_all_it_held() -> None:
    without = {form_id: xform for form_id, xform in HERE.items() if form_id != "tpm_visite"}

    gone = effects.diff(HERE, without, without, [*HERE])

    (lost,) = gone.forms[0].effects
    assert (gone.forms[0].form_id, gone.forms[0].new, lost.difference.kind) == ("tpm_visite", "", "form removed")
    assert {"fct_visite.sexe", "fct_orientation.reponse"} <= {*lost.marts}
    assert {"R1-2", "R1-5", "OC1-1"} <= {*lost.indicators}


def test_a_choice_that_comes_reaches_the_parts_it_adds_and_new_words_reach_nothing() -> None:
    end = r"(<name>femme</name>\s*</item>)"
    more = changed("tpm_entretien", end, r"\1<item><name>autre</name></item>")
    words = changed("tpm_entretien", "Date de l.entretien", "Jour de l’entretien")

    assert [line.strip() for line in effects.lines(more)][1:3] == [
        "info choice added: sexe: autre «»",
        "marts: fct_entretien.sexe",
    ]
    assert [*effects.lines(words)][1:] == [
        "  info label: date_entretien «Date de l’entretien» → «Jour de l’entretien»",
        "1 changes, 0 of them breaking",
    ]
