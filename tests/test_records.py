from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from tpm_pipeline import records
from tpm_pipeline.records import PullReport, Question, RefreshReport


def test_what_crosses_a_border_cannot_be_changed_on_the_way() -> None:
    kinds = [kind for kind in vars(records).values() if is_dataclass(kind) and isinstance(kind, type)]
    report = PullReport("tpm_visite", 3, 2)

    assert len(kinds) > 10
    assert all(fields(kind) for kind in kinds)
    with pytest.raises(FrozenInstanceError):
        report.seen = 4  # type: ignore[misc]


def test_a_question_is_called_by_the_end_of_its_path() -> None:
    question = Question(("g_bureau", "bureau_code"), "string", "public", {}, {})

    assert question.name == "bureau_code"


def test_a_refresh_counts_what_changed_in_all_forms() -> None:
    report = RefreshReport(
        (PullReport("tpm_visite", 10, 2), PullReport("tpm_suivi", 5, 5)), published=True, findings={}
    )

    assert report.written == 7
