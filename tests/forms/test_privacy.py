from collections.abc import Callable
from pathlib import Path

import pytest

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import privacy, sheets

Write = Callable[..., Path]

SURVEY = """
    survey
    | type        | name      | label | privacy |
    | begin_group | g         | G     |         |
    | text        | nom       | Nom   |         |
    | text        | age       | Âge   | secret  |
    | text        | ville     | Ville | quasi   |
    | end_group   |           |       |         |
    | begin repeat | r        | R     |         |
    | note        | merci     | Merci |         |
    | end repeat  |           |       |         |
"""


def test_every_question_without_a_known_class_is_listed_with_its_row(write: Write) -> None:
    path = write(SURVEY)

    found = privacy.findings(path, sheets.read(path))

    assert [(finding.code, finding.where.rpartition(", ")[2], finding.what) for finding in found] == [
        ("FORM-006", "survey row 3", "«nom» has no privacy class."),
        ("FORM-006", "survey row 4", "«secret» is no privacy class («age»)."),
        ("FORM-006", "survey row 8", "«merci» has no privacy class."),
    ]


def test_one_refusal_names_them_all(write: Write) -> None:
    path = write(SURVEY)

    with pytest.raises(FormError, match=r"FORM-006 .*survey rows 3, 4, 8: .*«nom».*«age».*«merci».*public, quasi"):
        privacy.refuse_unclassified(path, sheets.read(path))
