"""What OData cannot say of a form's rows, known from the shapes of its versions."""

import pytest

from tests.servers.visits import visit_form
from tpm_pipeline.servers.central_versions import Rendering, shape


def rendering(**versions: str) -> Rendering:
    """Versions by name, each with questions of its own; the last is the current one."""
    forms = {name: visit_form(name, extra=extra).xform for name, extra in versions.items()}
    return Rendering([*versions][-1], {name: shape(xform) for name, xform in forms.items()})


def test_a_shape_has_the_answers_and_the_repeats() -> None:
    found = shape(visit_form(extra="langue").xform)

    assert ("langue",) in found.answers
    assert ("orientations", "service") in found.answers
    assert found.repeats == {("orientations",)}


def test_a_shape_has_the_key_that_phones_encrypt_with() -> None:
    xform = visit_form().xform
    assert shape(xform).public_key == ""
    key = b'<submission base64RsaPublicKey="MIIB\nAQ=="/><instance>'
    assert shape(xform.replace(b"<instance>", key, 1)).public_key == "MIIBAQ=="


def test_one_version_comes_whole_edited_or_not() -> None:
    assert rendering(a="langue").is_faithful("a", edited=False)
    assert rendering(a="langue").is_faithful("a", edited=True)


def test_a_question_that_was_added_takes_nothing_from_older_rows() -> None:
    assert rendering(a="", b="langue").is_faithful("a", edited=False)


def test_a_question_that_was_dropped_is_missing_from_older_rows_only() -> None:
    two = rendering(a="langue", b="")

    assert not two.is_faithful("a", edited=False)
    assert two.is_faithful("b", edited=False)


def test_after_an_edit_only_the_xml_says_which_version_it_was() -> None:
    assert not rendering(a="", b="langue").is_faithful("b", edited=True)


def test_a_version_nobody_knows_is_not_believed() -> None:
    assert not rendering(a="").is_faithful("z", edited=False)


def test_a_repeat_that_became_a_group_is_not_believed() -> None:
    repeated = visit_form("a").xform
    grouped = repeated.replace(b'<repeat nodeset="/data/orientations">', b"<group>").replace(b"</repeat>", b"</group>")
    grouped = grouped.replace(b'<orientations jr:template=""><service/><delai/></orientations>', b"")

    found = Rendering("b", {"a": shape(repeated), "b": shape(grouped)})

    assert not found.is_faithful("a", edited=False)
    assert found.is_faithful("b", edited=False)


@pytest.mark.parametrize("name", ["dot.name", "dot-name", "prénom"])
def test_a_name_that_odata_rewrites_is_not_believed(name: str) -> None:
    assert not rendering(a=name).is_faithful("a", edited=False)
