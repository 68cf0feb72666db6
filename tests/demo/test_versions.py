from collections.abc import Mapping

import pytest
from lxml import etree

from tpm_pipeline.demo import versions
from tpm_pipeline.forms import schema
from tpm_pipeline.records import CompiledForm, FormSchema


@pytest.fixture
def present(compiled: Mapping[str, CompiledForm]) -> FormSchema:
    return schema.read(compiled[versions.FORM].xform)


@pytest.fixture
def before(former: CompiledForm) -> FormSchema:
    return schema.read(former.xform)


def names(form: FormSchema) -> list[str]:
    return [question.name for question in form.root.questions]


def test_the_earlier_version_asks_one_question_fewer(before: FormSchema, present: FormSchema) -> None:
    assert [name for name in names(present) if name != versions.ADDED] == names(before)
    assert versions.ADDED not in before.lists
    assert set(present.lists) - set(before.lists) == {versions.ADDED}


def test_nothing_is_left_of_the_question(former: CompiledForm) -> None:
    assert versions.ADDED.encode() not in former.xform


def test_one_choice_had_other_words(before: FormSchema, present: FormSchema) -> None:
    name, code = versions.RELABELLED
    labels = [{choice.name: choice.labels for choice in form.lists[name]} for form in (before, present)]
    assert [code for code in labels[0] if labels[0][code] != labels[1][code]] == [code]
    assert labels[0][code] == {"fr": "WhatsApp", "ar": "واتساب"}


def test_it_is_a_version_of_its_own_made_from_the_present_one(
    former: CompiledForm, compiled: Mapping[str, CompiledForm]
) -> None:
    form = compiled[versions.FORM]
    assert versions.former(form) == former
    assert former.version < form.version
    assert schema.read(former.xform).version == former.version
    assert former.media == form.media


def test_the_other_forms_did_not_change(former: CompiledForm, compiled: Mapping[str, CompiledForm]) -> None:
    earlier = versions.earlier(list(compiled.values()))
    changed = [form.form_id for form, now in zip(earlier, compiled.values(), strict=True) if form != now]
    assert changed == [versions.FORM]
    assert former in earlier


def test_every_text_it_uses_exists(former: CompiledForm) -> None:
    root = etree.fromstring(former.xform)
    known = {str(text.get("id")) for text in root.iter("{*}text")}
    used = {
        str(node.get("ref")).split("'")[1] for node in root.iter() if str(node.get("ref", "")).startswith("jr:itext('")
    }
    assert used
    assert used <= known
