from pyxform.xls2xform import convert

from tpm_pipeline.forms import rules

FORM = """
| survey |            |         |         |                |            |          |             |                 |
|   | type            | name    | label   | relevant       | constraint | required | calculation | choice_filter   |
|   | begin group     | g       | Groupe  |                |            |          |             |                 |
|   | integer         | age     | Âge     |                | . < 120    | yes      |             |                 |
|   | select_one pays | pays    | Pays    | ${age} > 17    |            |          |             | zone = ${autre} |
|   | end group       |         |         |                |            |          |             |                 |
|   | text            | autre   | Autre   |                |            |          |             |                 |
|   | calculate       | double  |         |                |            |          | ${age} * 2  |                 |
| choices |
|   | list_name       | name    | label   | zone           |
|   | pays            | ma      | Maroc   | a              |
"""


def test_rules_are_written_as_in_the_spreadsheet() -> None:
    found = rules.read(convert(FORM, validate=False, form_name="essai").xform.encode())

    assert found["g", "age"] == {"constraint": ". < 120", "required": "true()"}
    assert found["g", "pays"] == {"relevance": "${age} > 17", "choice filter": "zone = ${autre}"}
    assert found["double",] == {"calculation": "${age} * 2"}
    assert ("autre",) not in found
