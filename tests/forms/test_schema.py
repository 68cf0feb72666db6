import time
from collections import Counter

import pytest

from tpm_pipeline.errors import FormError
from tpm_pipeline.forms import catalog, schema
from tpm_pipeline.forms.compile import compile_form
from tpm_pipeline.records import Choice, FormSchema, Question, Table

OLD = b"""<?xml version="1.0"?>
<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"
        xmlns:jr="http://openrosa.org/javarosa" xmlns:orx="http://openrosa.org/xforms">
  <h:head><h:title>Ancien</h:title><model>
    <instance><ancien id="ancien">
      <sexe/><aimes/><lieu/><trace/><age/><duree/><quand/><heure/><photo/><note/><tri/><ok/>
      <r jr:template=""><x/><s><y/></s></r><r><x/><s><y/></s></r>
      <g><total/><vide/></g>
      <orx:meta><orx:instanceID/></orx:meta>
    </ancien></instance>
    <bind nodeset="/ancien/sexe" type="select1"/>
    <bind nodeset="/ancien/aimes" type="select"/>
    <bind nodeset="/ancien/lieu" type="geopoint"/>
    <bind nodeset="/ancien/trace" type="geotrace"/>
    <bind nodeset="/ancien/age" type="xsd:int"/>
    <bind nodeset="/ancien/duree" type="decimal"/>
    <bind nodeset="/ancien/quand" type="dateTime"/>
    <bind nodeset="/ancien/heure" type="time"/>
    <bind nodeset="/ancien/photo" type="binary"/>
    <bind nodeset="/ancien/note" type="string" readonly="true()"/>
    <bind nodeset="/ancien/tri" type="odk:rank"/>
    <bind nodeset="/ancien/g/total" type="string" calculate=" /ancien/age * 2"/>
  </model></h:head>
  <h:body>
    <select1 ref="/ancien/sexe"><label>Sexe</label>
      <item><label>Femme</label><value>f</value></item><item><label>Homme</label><value>h</value></item>
    </select1>
    <select ref="/ancien/aimes"><label>Aimes-tu <output value=" /ancien/sexe "/> ?</label>
      <item><label>Oui</label><value>o</value></item>
    </select>
    <input ref="/ancien/note"><label>Merci</label></input>
    <range ref="/ancien/duree" start="0" end="1" step="0.5"><label>D</label><hint>En heures</hint></range>
    <upload ref="/ancien/photo" mediatype="image/*"><label>P</label></upload>
    <trigger ref="/ancien/ok"><label>Vu</label></trigger>
    <group ref="/ancien/r"><label>R</label><repeat nodeset="/ancien/r">
      <input ref="/ancien/r/x"><label>X</label></input>
      <repeat nodeset="/ancien/r/s"><input ref="/ancien/r/s/y"><label>Y</label></input></repeat>
    </repeat></group>
    <group ref="/ancien/g/vide"><label>Vide</label></group>
  </h:body>
</h:html>"""


def read(form_id: str) -> FormSchema:
    form, _ = compile_form(catalog.path_of(form_id), "central", validate=False)
    return schema.read(form.xform)


def questions(table: Table) -> dict[str, Question]:
    return {question.name: question for question in table.questions}


def privacy_of(table: Table) -> Counter[str | None]:
    own = Counter[str | None](question.privacy for question in table.questions)
    return sum((privacy_of(repeat) for repeat in table.repeats), own)


@pytest.mark.parametrize(
    ("form_id", "main", "repeat", "rows", "lists"),
    [
        ("tpm_visite", 60, ("orientations",), 10, 22),
        ("tpm_suivi", 38, ("issues",), 10, 11),
        ("tpm_entretien", 60, ("g_corps", "enseignements"), 5, 19),
    ],
)
def test_each_form_is_a_table_and_a_repeat(
    form_id: str, main: int, repeat: tuple[str, ...], rows: int, lists: int
) -> None:
    form = read(form_id)

    assert form.form_id == form_id
    assert (form.root.path, len(form.root.questions), len(form.lists)) == ((), main, lists)
    assert [(table.path, len(table.questions)) for table in form.root.repeats] == [(repeat, rows)]


@pytest.mark.parametrize(
    ("form_id", "classes"),
    [
        ("tpm_visite", {"public": 27, "quasi": 37, "sensitive": 4, "identifying": 1, "text": 1}),
        ("tpm_suivi", {"public": 24, "quasi": 22, "sensitive": 1, "text": 1}),
        ("tpm_entretien", {"public": 31, "quasi": 15, "identifying": 9, "text": 10}),
    ],
)
def test_every_question_of_the_forms_has_a_class(form_id: str, classes: dict[str, int]) -> None:
    assert privacy_of(read(form_id).root) == classes


def test_types_come_from_binds_and_controls() -> None:
    asked = questions(read("tpm_visite").root) | questions(read("tpm_entretien").root.repeats[0])

    assert {
        name: asked[name].type
        for name in ("start", "today", "bureau", "carte_scan", "services", "nb_enfants", "audit", "e_transferable")
    } == {
        "start": "datetime",
        "today": "date",
        "bureau": "select_one",
        "carte_scan": "string",
        "services": "select_multiple",
        "nb_enfants": "integer",
        "audit": "binary",
        "e_transferable": "integer",
    }


def test_a_calculate_is_a_string_and_says_so() -> None:
    total = questions(read("tpm_visite").root)["nb_visites"]

    assert (total.type, total.calculated, total.labels) == ("string", True, {})


def test_notes_meta_and_repeat_counts_are_no_questions() -> None:
    names = set(questions(read("tpm_visite").root))

    assert names.isdisjoint({"note_info", "note_code", "instanceID", "instanceName", "entity", "orientations_count"})


def test_labels_and_hints_are_in_both_languages_with_the_answers_they_show() -> None:
    form = read("tpm_visite")
    answer = questions(form.root.repeats[0])["o_reponse"]

    assert answer.path == ("orientations", "o_reponse")
    assert answer.labels == {
        "fr": "Réponse apportée pour : ${o_service_lib}",
        "ar": "الجواب المقدم بخصوص: ${o_service_lib}",
    }
    assert questions(form.root)["nationalite"].hints["ar"].startswith("اختياري")
    assert form.root.repeats[0].labels == {"fr": "Réponse par service", "ar": "الجواب حسب كل خدمة"}


def test_a_list_in_the_form_is_read_and_a_list_in_a_file_is_named() -> None:
    form = read("tpm_visite")
    asked = questions(form.root)

    assert asked["canal"].choices == "canal"
    assert form.lists["canal"][0] == Choice("sur_place", {"fr": "Sur place, au bureau", "ar": "حضوريا بالمكتب"})
    assert asked["commune"].choices == "communes"
    assert "communes" not in form.lists


def test_a_form_of_another_compiler_is_read_without_privacy_or_translations() -> None:
    form = schema.read(OLD)
    asked = questions(form.root)

    assert (form.form_id, form.version, form.title) == ("ancien", "", "Ancien")
    assert {name: question.type for name, question in asked.items()} == {
        "sexe": "select_one",
        "aimes": "select_multiple",
        "lieu": "geopoint",
        "trace": "string",
        "age": "integer",
        "duree": "decimal",
        "quand": "datetime",
        "heure": "time",
        "photo": "binary",
        "tri": "select_multiple",
        "ok": "string",
        "total": "string",
    }
    assert {question.privacy for question in asked.values()} == {None}
    assert asked["aimes"].labels == {"fr": "Aimes-tu ${sexe} ?"}
    assert asked["duree"].hints == {"fr": "En heures"}
    assert asked["total"].path == ("g", "total")
    assert form.lists[asked["sexe"].choices or ""] == (Choice("f", {"fr": "Femme"}), Choice("h", {"fr": "Homme"}))


def test_repeats_nest() -> None:
    (repeat,) = schema.read(OLD).root.repeats

    assert repeat == Table(
        ("r",),
        (Question(("r", "x"), "string", None, {"fr": "X"}, {}),),
        (Table(("r", "s"), (Question(("r", "s", "y"), "string", None, {"fr": "Y"}, {}),), (), {}),),
        {"fr": "R"},
    )


def test_unclassified_questions_are_found_in_repeats_too() -> None:
    assert [question.name for question in schema.unclassified(schema.read(OLD).root)][-2:] == ["x", "y"]


@pytest.mark.parametrize("text", [b"", b"nom,age", b"<a/>", OLD.replace(b' id="ancien"', b"")])
def test_what_is_no_xform_is_refused(text: bytes) -> None:
    with pytest.raises(FormError, match=r"FORM-013 · XForm: This is not an XForm"):
        schema.read(text)


def test_an_entity_in_xml_is_not_followed() -> None:
    trick = OLD.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', 1)

    form = schema.read(trick.replace(b"Ancien", b"&e;"))

    assert form.title == ""


def test_reading_a_form_takes_less_than_50_ms() -> None:
    form, _ = compile_form(catalog.path_of("tpm_visite"), "central", validate=False)
    durations = []
    for _ in range(3):
        start = time.perf_counter()
        schema.read(form.xform)
        durations.append(time.perf_counter() - start)

    assert min(durations) < 0.05
