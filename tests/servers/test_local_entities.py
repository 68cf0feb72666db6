"""A case opened by one form is read by another, in a file the server writes."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from tpm_pipeline.records import CompiledForm, MediaFile
from tpm_pipeline.servers import local_entities as entities
from tpm_pipeline.servers import local_forms
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.local_submissions import accept

XFORM = (Path(__file__).parents[1] / "web" / "essai.xml").read_bytes()
VISITE = CompiledForm("essai", "1", "Visite", XFORM, (), ("dossiers",))
SUIVI = CompiledForm(
    "suivi",
    "1",
    "Suivi",
    XFORM.replace(b'id="essai"', b'id="suivi"'),
    (MediaFile("dossiers.csv", b"name,label,statut,code_bureau\n"),),
    ("dossiers",),
)
OPEN = '<entity dataset="dossiers" id="e1" create="1" update=""><label>Cas 1</label></entity>'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    local_forms.deploy(opened, [VISITE, SUIVI])
    yield opened
    opened.close()


def send(store: Store, instance: str, entity: str, body: str, *, form: str = "essai", corrects: str = "") -> None:
    deprecated = f"<deprecatedID>{corrects}</deprecatedID>" if corrects else ""
    meta = f"<meta>{entity}<instanceID>{instance}</instanceID>{deprecated}</meta>"
    accept(store, f'<data id="{form}" version="1">{body}{meta}</data>'.encode(), [])


def cases(store: Store) -> list[dict[str, str]]:
    (file,) = local_forms.files(store, "suivi")
    assert (file.name, file.is_list) == ("dossiers.csv", True)
    return list(csv.DictReader(io.StringIO(file.content.decode())))


def test_the_file_has_the_deployed_columns_first_then_the_declared_ones(store: Store) -> None:
    (file,) = local_forms.files(store, "suivi")
    assert file.content == b"name,label,__version,statut,code_bureau,nom\n"


def test_a_case_opened_by_one_form_is_in_the_file_of_the_other(store: Store) -> None:
    send(store, "a", OPEN, '<bureau><nom>Ali, dit "Bo"</nom></bureau><statut>ouvert</statut>')
    assert cases(store) == [
        {
            "name": "e1",
            "label": "Cas 1",
            "__version": "1",
            "statut": "ouvert",
            "code_bureau": "",
            "nom": 'Ali, dit "Bo"',
        }
    ]


def test_an_update_changes_what_was_sent_and_leaves_irrelevant_questions(store: Store) -> None:
    send(store, "a", OPEN, "<bureau><nom>Ali</nom></bureau><statut>ouvert</statut>")
    update = '<entity dataset="dossiers" id="e1" create="" update="true"><label>Cas 1 b</label></entity>'
    send(store, "b", update, "<statut>clos</statut>", form="suivi")
    (case,) = cases(store)
    assert (case["nom"], case["statut"], case["label"], case["__version"]) == ("Ali", "clos", "Cas 1 b", "2")


def test_an_empty_answer_that_was_sent_empties_the_property(store: Store) -> None:
    send(store, "a", OPEN, "<statut>ouvert</statut>")
    send(store, "b", '<entity dataset="dossiers" id="e1" update="1"/>', "<statut/>", form="suivi")
    (case,) = cases(store)
    assert (case["statut"], case["label"]) == ("", "Cas 1")


@pytest.mark.parametrize(
    "entity",
    [
        '<entity dataset="dossiers" id="e9" create="" update="1"/>',
        '<entity dataset="dossiers" id="e9" create="0" update="false"/>',
        '<entity dataset="dossiers" id="" create="1"/>',
        "",
    ],
    ids=["update of an unknown case", "neither", "no id", "no entity"],
)
def test_nothing_is_opened_unless_the_form_says_so(store: Store, entity: str) -> None:
    send(store, "a", entity, "<statut>ouvert</statut>")
    assert cases(store) == []


def test_a_resend_applies_once(store: Store) -> None:
    send(store, "a", OPEN, "<statut>ouvert</statut>")
    send(store, "b", '<entity dataset="dossiers" id="e1" update="1"/>', "<statut>clos</statut>", form="suivi")
    send(store, "a", OPEN, "<statut>ouvert</statut>")
    (case,) = cases(store)
    assert (case["statut"], case["__version"]) == ("clos", "2")


def test_an_edit_of_a_visit_does_not_undo_what_happened_to_the_case_since(store: Store) -> None:
    send(store, "a", OPEN, "<statut>ouvert</statut>")
    send(store, "b", '<entity dataset="dossiers" id="e1" update="1"/>', "<statut>clos</statut>", form="suivi")
    send(store, "a2", OPEN, "<bureau><nom>Ali</nom></bureau><statut>ouvert</statut>", corrects="a")
    (case,) = cases(store)
    assert (case["statut"], case["__version"]) == ("clos", "2")


def test_an_edit_may_open_the_case_its_first_version_did_not(store: Store) -> None:
    send(store, "a", "", "<statut>ouvert</statut>")
    send(store, "a2", OPEN, "<statut>ouvert</statut>", corrects="a")
    assert [case["name"] for case in cases(store)] == ["e1"]


def test_a_list_is_filled_once_with_the_rows_that_come_with_its_form(store: Store) -> None:
    """And what a submission wrote since is not undone by the next deployment."""
    seeded = MediaFile("dossiers.csv", b"name,label,statut,code_bureau\ne1,Cas 1,ouvert,TIZ01\ne2,Cas 2,ouvert,\n")
    with_rows = replace(VISITE, version="2", xform=XFORM.replace(b'version="1"', b'version="2"'), media=(seeded,))
    local_forms.deploy(store, [with_rows])
    assert [(case["name"], case["label"], case["statut"]) for case in cases(store)] == [
        ("e1", "Cas 1", "ouvert"),
        ("e2", "Cas 2", "ouvert"),
    ]

    send(store, "i1", '<entity dataset="dossiers" id="e1" update="1"><label>Cas 1 bis</label></entity>', "")
    again = replace(with_rows, version="3", xform=XFORM.replace(b'version="1"', b'version="3"'))
    local_forms.deploy(store, [again])

    assert [case["label"] for case in cases(store)] == ["Cas 1 bis", "Cas 2"]


def test_the_pipeline_reads_each_case_as_it_is_and_what_wrote_it_last(store: Store, tmp_path: Path) -> None:
    assert entities.lists(store) == []
    assert entities.states(store, "dossiers", tmp_path / "page") == 0
    assert orjson.loads((tmp_path / "page").read_bytes()) == []

    send(store, "a", OPEN, "<statut>ouvert</statut>")
    send(store, "b", '<entity dataset="dossiers" id="e1" update="1"/>', "<statut>clos</statut>", form="suivi")

    assert entities.lists(store) == ["dossiers"]
    assert entities.states(store, "dossiers", tmp_path / "page") == 1
    (state,) = orjson.loads((tmp_path / "page").read_bytes())
    assert (state["__id"], state["__system"]["version"]) == ("e1", 2)
    (version,) = entities.versions(store, "dossiers", "e1")
    assert (version.version, version.label, version.source, version.data["statut"]) == (2, "Cas 1", "b", "clos")
    assert version.created_at
    assert entities.versions(store, "dossiers", "e9") == []


def test_a_case_that_came_with_its_form_says_so(store: Store) -> None:
    seeded = MediaFile("dossiers.csv", b"name,label\ne1,Cas 1\n")
    with_rows = replace(VISITE, version="2", xform=XFORM.replace(b'version="1"', b'version="2"'), media=(seeded,))
    local_forms.deploy(store, [with_rows])

    (version,) = entities.versions(store, "dossiers", "e1")
    assert (version.source, version.created_at) == ("dossiers.csv", None)
