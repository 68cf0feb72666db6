"""A submission's XML becomes JSON without losing an answer, and nothing in it is obeyed."""

from pathlib import Path
from typing import Any

import pytest

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.payload import answers, parse, shape

XFORM = (Path(__file__).parents[1] / "web" / "essai.xml").read_bytes()
META = "<meta><instanceID>uuid:a</instanceID></meta>"


def written(body: str) -> dict[str, Any]:
    return answers(parse(f'<data id="essai" version="1">{body}</data>'.encode()).root, shape(XFORM).repeats)


def test_groups_are_objects_and_every_answer_is_a_string() -> None:
    assert written(f"<bureau><nom>12.50</nom></bureau>{META}") == {
        "bureau": {"nom": "12.50"},
        "meta": {"instanceID": "uuid:a"},
    }


def test_an_empty_answer_and_an_empty_group_are_absent() -> None:
    assert written(f"<bureau><nom/><photo> \n </photo></bureau><statut></statut>{META}") == {
        "meta": {"instanceID": "uuid:a"}
    }


def test_a_text_is_kept_as_typed() -> None:
    assert written(f"<statut> deux\nlignes &amp; أكادير </statut>{META}")["statut"] == " deux\nlignes & أكادير "


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", None),
        ("<orientations><service>a</service></orientations>", [{"service": "a"}]),
        ("<orientations/><orientations><service>b</service></orientations>", [{}, {"service": "b"}]),
        (
            "<orientations><suites><suite>x</suite></suites></orientations>",
            [{"suites": [{"suite": "x"}]}],
        ),
    ],
    ids=["none", "one", "empty first", "nested"],
)
def test_a_repeat_is_an_array_whatever_its_length(body: str, expected: list[Any] | None) -> None:
    assert written(body + META).get("orientations") == expected


def test_nodes_the_form_does_not_know_are_kept() -> None:
    row = written(f"<ancien><a>1</a><a>2</a><b><c>3</c></b></ancien>{META}")
    assert row["ancien"] == {"a": ["1", "2"], "b": {"c": "3"}}


def test_an_answer_cannot_pose_as_the_system_part() -> None:
    assert "__system" not in written(f"<__system><submissionId>x</submissionId></__system>{META}")


def test_meta_keeps_the_entity_with_its_attributes() -> None:
    entity = '<entity dataset="dossiers" id="e" create="1" update=""><label>L</label></entity>'
    meta = f"<meta>{entity}<instanceID>i</instanceID><instanceName>N</instanceName></meta>"
    assert written(meta)["meta"] == {
        "entity": {"dataset": "dossiers", "id": "e", "create": "1", "label": "L"},
        "instanceID": "i",
        "instanceName": "N",
    }


def test_namespaces_of_meta_do_not_matter() -> None:
    sent = parse(b'<d id="f" xmlns:orx="x"><orx:meta><orx:instanceID> i </orx:instanceID></orx:meta></d>')
    assert (sent.form_id, sent.version, sent.instance_id, sent.deprecated_id) == ("f", "", "i", None)


BOMB = "<!DOCTYPE d [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {here} '{f'&{before};' * 10}'>" for before, here in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ("", "SRV-101"),
        ("pas du XML", "SRV-101"),
        ("<d id='f'><meta>", "SRV-101"),
        ("<d id='f'>\x00</d>", "SRV-101"),
        (f"{BOMB}]><d id='f'>&i;</d>", "SRV-101"),
        ("<!DOCTYPE d SYSTEM 'file:///etc/hostname'><d id='f'/>", "SRV-118"),
        ("<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/hostname'>]><d id='f'>&x;</d>", "SRV-118"),
        ("<d id='f'>" + "<g>" * 300 + "</g>" * 300 + "</d>", "SRV-101"),
        ("<d><meta><instanceID>i</instanceID></meta></d>", "SRV-102"),
        ("<d id='f'/>", "SRV-103"),
        ("<d id='f'><meta><instanceID> </instanceID></meta></d>", "SRV-103"),
    ],
)
def test_what_is_no_submission_is_refused_with_its_cause(xml: str, code: str) -> None:
    with pytest.raises(ServerError) as caught:
        parse(xml.encode())
    assert caught.value.code == code


def test_a_form_tells_its_repeats_and_what_it_saves_to_entities() -> None:
    found = shape(XFORM)
    assert found.repeats == {("orientations",), ("orientations", "suites")}
    assert found.entity_list == "dossiers"
    assert found.saved == {("bureau", "nom"): "nom", ("statut",): "statut"}
    assert found.reads == ("dossiers.csv",)
