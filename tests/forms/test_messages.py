from collections.abc import Callable
from pathlib import Path

import pytest

from tpm_pipeline.forms import messages, sheets

Write = Callable[..., Path]


@pytest.mark.parametrize(
    ("message", "place"),
    [
        ("[row : 3] On the 'choices' sheet, the 'name' value is invalid.", "choices row 3"),
        ("[row : 3] Question with no type.", "survey row 3"),
        ("Unknown question type 'texte'.", "survey row 2"),
        ("The survey element named 'b' has no label or hint.", "survey row 4"),
        ('Invalid calculate for the bind attached to "${b}" : in expression if( ${a} = 1', "survey row 4"),
        ("Error evaluating field 'b' (${r}[1]/b[1]): Calculate expression for ${b}", "survey row 4"),
        ('Invalid calculate for the bind attached to "${r_count}" : in expression count(', "survey row 3"),
        ("Unsupported nodeset expression: instance('q')/root/item[zz =  current()/../a = 1]]", "survey row 4"),
        (
            'Invalid calculate for the bind attached to "${entity}/@create" : in expression ${b}  = = 1',
            "entities row 2",
        ),
        ('Invalid calculate for the bind attached to "${instanceName}" : in expression concat(', "settings row 2"),
        ("Nobody knows.", "essai.xlsx"),
    ],
)
def test_a_message_leads_to_its_row(write: Write, message: str, place: str) -> None:
    path = write("""
        survey
        | type         | name | repeat_count | choice_filter |
        | texte        | a    |              |               |
        | begin_repeat | r    | 2            |               |
        | select_one q | b    |              | zz = ${a} = 1  |
        entities
        | list_name | create_if  |
        | dossiers  | ${b} = = 1 |
    """)

    assert messages.where(path, sheets.read(path), message).endswith(place)


def test_a_message_keeps_only_what_a_person_needs() -> None:
    message = (
        "ODK Validate Errors:\n>> XForm is invalid.\n: Encountered a problem with display condition for node [${a}] "
        "at line:  ${b}  = = 1, Bad node: org.javarosa.xpath.parser.ast.ASTNodeAbstractExpr@6fd02e5\n\n"
        "The following files failed validation:\n${tmpeplik4y7}\n\nResult: Invalid"
    )

    assert messages.tidy(message) == (
        "Encountered a problem with display condition for node [${a}] at line:  ${b}  = = 1."
    )


def test_a_note_of_java_is_no_warning(write: Write) -> None:
    path = write("survey\n| type | name |")

    assert (
        messages.findings(path, sheets.read(path), ["ODK Validate Warnings:\nPicked up JAVA_TOOL_OPTIONS: -Xmx256m\n"])
        == ()
    )
