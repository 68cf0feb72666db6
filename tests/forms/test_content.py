"""A form sent to KoboToolbox and read back from what it makes of it; `tests/servers` tries the same on a real one."""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.kobo_content import content_of, sheets_from_xlsx
from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import catalog, content, schema
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.forms.workbook import as_xlsx
from tpm_pipeline.records import CompiledForm

Json = dict[str, Any]

SHEETS = ("survey", "choices")


def compiled(form_id: str = "tpm_visite") -> CompiledForm:
    return compile_form(catalog.path_of(form_id), "kobo", validate=False)[0]


def imported(form: CompiledForm) -> Json:
    """What the server holds once the form, sealed, was imported."""
    return content_of(sheets_from_xlsx(as_xlsx(content.sealed(form.sheets))))


@pytest.fixture(scope="module")
def visite() -> Json:
    return imported(compiled())


def row_of(held: Json, name: str) -> Json:
    found: Json = next(row for row in held["survey"] if row.get("name") == name)
    return found


@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_a_form_comes_back_as_it_went(form_id: str) -> None:
    form = compiled(form_id)
    held = imported(form)

    assert content.is_ours(held)
    assert content.canonical(content.sheets_of(held)) == content.canonical(form.sheets)
    assert schema.read(content.xform_of(held, form_title=form.title)) == schema.read(form.xform)


def test_the_form_says_its_name_and_version_unless_others_are_given(visite: Json) -> None:
    own = schema.read(content.xform_of(visite))
    other = schema.read(content.xform_of(visite, version="vAbc", form_id="autre", form_title="Titre d’ailleurs"))

    assert (own.form_id, own.version) == ("tpm_visite", compiled().version)
    assert (other.form_id, other.version, other.title) == ("autre", "vAbc", "Titre d’ailleurs")
    assert other.root == own.root


def test_the_class_of_an_answer_travels(visite: Json) -> None:
    assert row_of(visite, "telephone")["bind::tpm:privacy"] == "identifying"
    assert not [*schema.unclassified(schema.read(content.xform_of(visite)).root)]


def relabelled(held: Json) -> None:
    row_of(held, "telephone")["label"][1] = "هاتف"


def requoted(held: Json) -> None:
    held["survey"] = [
        {**row, "label": [text.replace("’", "'") for text in row["label"]]} if "label" in row else row
        for row in held["survey"]
    ]


def renamed(held: Json) -> None:
    row_of(held, "telephone").update({"name": "tel", "$autoname": "tel"})


def reclassified(held: Json) -> None:
    row_of(held, "telephone")["bind::tpm:privacy"] = "public"


def removed(held: Json) -> None:
    held["survey"].remove(row_of(held, "telephone"))


def added(held: Json) -> None:
    held["survey"].append({"type": "text", "label": ["Autre", None], "$autoname": "Autre", "$kuid": "k"})


def moved(held: Json) -> None:
    row = row_of(held, "telephone")
    held["survey"].remove(row)
    held["survey"].append(row)


def made_optional(held: Json) -> None:
    next(row for row in held["survey"] if row.get("required"))["required"] = False


def choice_relabelled(held: Json) -> None:
    held["choices"][0]["label"][0] += " !"


def choice_added(held: Json) -> None:
    held["choices"].append({**held["choices"][0], "name": "neuf", "$autovalue": "neuf"})


def language_renamed(held: Json) -> None:
    held["translations"][1] = "Amazigh (zgh)"


def default_language_changed(held: Json) -> None:
    held["settings"]["default_language"] = "العربية (ar)"


def setting_added(held: Json) -> None:
    held["settings"]["style"] = "pages"


def version_changed(held: Json) -> None:
    held["settings"]["version"] = "2"


BY_HAND = [
    *(relabelled, requoted, renamed, reclassified, removed, added, moved, made_optional, choice_relabelled),
    *(choice_added, language_renamed, default_language_changed, setting_added, version_changed),
]


@pytest.mark.parametrize("change", BY_HAND)
def test_a_change_by_a_hand_is_told(change: Callable[[Json], None], visite: Json) -> None:
    held = copy.deepcopy(visite)

    change(held)

    assert content.seal_of(held) != content.seal_of(visite)
    assert not content.is_ours(held)


def test_what_a_form_of_nobodys_sealing_holds_is_not_ours() -> None:
    assert not content.is_ours(content_of(compiled().sheets))


def server_keys(held: Json) -> None:
    for row in held["survey"] + held["choices"]:
        row.update({"$kuid": "autre", "$given_name": "x", "$xpath": "y"})


def schema_number(held: Json) -> None:
    held["schema"] = "2"


def builder_default(held: Json) -> None:
    for row in held["survey"]:
        row.setdefault("required", False)
        row.setdefault("hint", [None, None])
        row.setdefault("appearance", "")


def builder_languages(held: Json) -> None:
    held["translated"] = ["label"]


@pytest.mark.parametrize("change", [server_keys, schema_number, builder_default, builder_languages])
def test_what_changes_without_a_hand_is_no_change(change: Callable[[Json], None], visite: Json) -> None:
    held = copy.deepcopy(visite)

    change(held)

    assert content.seal_of(held) == content.seal_of(visite)
    assert content.is_ours(held)


def test_importing_again_seals_the_same(visite: Json) -> None:
    again = imported(compiled())

    assert again != visite
    assert content.seal_of(again) == content.seal_of(visite)


@settings(max_examples=20, deadline=None)
@given(random=st.randoms(use_true_random=False))
def test_the_order_of_columns_is_nothing(random: Random, visite: Json) -> None:
    rows = {name: [dict(random.sample([*row.items()], len(row))) for row in visite[name]] for name in SHEETS}

    assert content.seal_of({**visite, **rows}) == content.seal_of(visite)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": "begin group", "name": "g"}, {"type": "begin_group", "name": "g"}),
        ({"type": "select one  oui", "name": "a"}, {"type": "select_one oui", "name": "a"}),
        ({"type": "dateTime", "name": "a"}, {"type": "datetime", "name": "a"}),
        ({"type": "text", "required": "TRUE"}, {"type": "text", "required": "yes"}),
        ({"type": "text", "required": "no"}, {"type": "text"}),
        ({"type": "calculate", "calculate": "1"}, {"type": "calculate", "calculation": "1"}),
        ({"type": "note", "label: fr": "A"}, {"type": "note", "label::fr": "A"}),
        ({"type": "note", "image::fr": "a.png"}, {"type": "note", "media::image::fr": "a.png"}),
        ({"type": "note", "label": " A "}, {"type": "note", "label": "A"}),
    ],
)
def test_two_spellings_of_one_thing_are_alike(ours: dict[str, str], theirs: dict[str, str]) -> None:
    assert content.canonical({"survey": (ours,)}) == content.canonical({"survey": (theirs,)})


def test_an_expression_keeps_its_colons() -> None:
    row = {"type": "text", "bind::tpm:privacy": "text", "media::image": "a.png"}

    assert content.canonical({"survey": (row,)}) == {"survey": (row,)}


def test_what_the_web_form_builder_writes_is_read() -> None:
    held = {
        "survey": [
            {"type": "select_one", "select_from_list_name": "l", "$autoname": "Q", "label": ["Q ?"], "required": True},
            {"type": "select_multiple", "select_from_list_name": "l", "name": "m", "_or_other": True, "label": ["M"]},
            {"type": "integer", "name": "n", "label": ["N"], "hint": [None], "required": False, "tags": ["hxl:#adm1"]},
        ],
        "choices": [
            {"list_name": "l", "$autovalue": "a", "label": ["A"]},
            {"list_name": "l", "$autovalue": "a", "label": ["B"]},
        ],
        "settings": {},
        "translations": [None],
        "translated": ["label"],
    }

    form = schema.read(content.xform_of(held, form_id="main", version="v1"))

    assert [(question.name, question.type) for question in form.root.questions] == [
        ("Q", "select_one"),
        ("m", "select_multiple"),
        ("m_other", "string"),
        ("n", "integer"),
    ]
    assert [choice.labels for choice in form.lists["l"]][:2] == [{"fr": "A"}, {"fr": "B"}]
    assert content.sheets_of(held)["survey"][2]["tags"] == "hxl:#adm1"


def test_a_question_only_the_server_knows_is_refused(visite: Json) -> None:
    held = copy.deepcopy(visite)
    held["survey"].append({"type": "score__row", "name": "s", "label": ["S", "S"]})

    with pytest.raises(FormError, match=r"FORM-029 · tpm_visite: .*score__row"):
        content.xform_of(held)
