"""From the job profile to the indicators."""

from tpm_pipeline.forms import catalog
from tpm_pipeline.indicators import logframe
from tpm_pipeline.indicators.trace import trace

FRAMEWORK = logframe.read()


def test_every_line_of_the_job_profile_has_its_forms_and_indicators() -> None:
    lines = trace(FRAMEWORK, catalog.form_ids())

    assert len(lines) == 20
    assert [line.code for line in lines if not line.is_complete] == []
    assert {form_id for line in lines for form_id in line.forms} == set(catalog.form_ids())
    assert {code for line in lines for code in line.indicators} == {one.code for one in FRAMEWORK.indicators}


def test_a_line_whose_form_is_gone_is_incomplete() -> None:
    lines = {line.code: line for line in trace(FRAMEWORK, [one for one in catalog.form_ids() if one != "tpm_tdr"])}

    assert lines["B5"].forms == ()
    assert not lines["B5"].is_complete


def test_a_line_that_no_indicator_measures_is_incomplete() -> None:
    without = [one for one in FRAMEWORK.indicators if one.code != "R5-5"]
    lines = {
        line.code: line for line in trace(FRAMEWORK.model_copy(update={"indicators": tuple(without)}), ["tpm_tdr"])
    }

    assert (lines["B5"].forms, lines["B5"].indicators) == (("tpm_tdr",), ())
    assert not lines["B5"].is_complete
