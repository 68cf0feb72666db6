import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from lxml import etree

from tpm_pipeline.demo import instances
from tpm_pipeline.demo.instances import Submission
from tpm_pipeline.records import CompiledForm, FormVersion

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def texts(submission: Submission) -> Iterator[tuple[str, str]]:
    for node in etree.fromstring(submission.xml).iter():
        if node.text:
            yield etree.QName(node).localname, node.text


def one(submission: Submission, name: str) -> str:
    return dict(texts(submission)).get(name, "")


def test_the_same_seed_gives_the_same_bytes(deployed: Mapping[str, FormVersion]) -> None:
    first, again = (list(instances.generate(7, 60, deployed)) for _ in range(2))
    assert first == again
    assert first != list(instances.generate(8, 60, deployed))


def test_visits_come_in_the_number_asked_for(submissions: list[Submission]) -> None:
    counts = Counter(submission.form_id for submission in submissions)
    assert counts["tpm_visite"] == 2000
    assert counts["tpm_entretien"] == 56
    assert 1200 < counts["tpm_suivi"] < 2000


def test_submissions_come_in_chronological_order(submissions: list[Submission]) -> None:
    starts = [datetime.fromisoformat(one(submission, "start")) for submission in submissions]
    assert starts == sorted(starts)


def test_no_identity_comes_twice(submissions: list[Submission]) -> None:
    for name in ("instanceID", "dossier_uuid_neuf", "code_neuf"):
        found = [value for submission in submissions if (value := one(submission, name))]
        assert len(found) == len(set(found)) > 0


def test_every_date_is_inside_the_project(submissions: list[Submission]) -> None:
    days = {day for submission in submissions for _, text in texts(submission) for day in DATE.findall(text)}
    assert min(days) >= "2020-10-01"
    assert max(days) <= "2023-12-31"


def test_every_submission_says_that_it_is_synthetic(submissions: list[Submission]) -> None:
    for submission in submissions:
        assert one(submission, "deviceid").startswith("demo:")
        assert one(submission, "username") == "demo"
    population = [each for each in submissions if each.form_id in {"tpm_visite", "tpm_suivi", "tpm_entretien"}]
    for submission in population:
        refused = one(submission, "consent") == "non"
        assert refused or one(submission, "observations").startswith("Données synthétiques")


def test_no_telephone_number_can_ring(submissions: list[Submission]) -> None:
    numbers = {one(submission, "telephone") for submission in submissions} - {""}
    assert numbers
    assert all(number.startswith("0000000") for number in numbers)


def test_the_nodes_are_the_forms_own_in_its_order(
    submissions: list[Submission], compiled: Mapping[str, CompiledForm]
) -> None:
    empty = {form_id: instances.template(form.xform) for form_id, form in compiled.items()}
    for submission in submissions:
        root = etree.fromstring(submission.xml)
        assert root.get("id") == submission.form_id
        assert root.get("version") == compiled[submission.form_id].version
        follows(root, empty[submission.form_id])


def follows(sent: etree._Element, form: etree._Element) -> None:
    names = [etree.QName(node).localname for node in form]
    places = [names.index(etree.QName(node).localname) for node in sent]
    assert places == sorted(places)
    repeats = {names[place] for place, times in Counter(places).items() if times > 1}
    assert repeats <= {"orientations", "issues", "enseignements", "participants", "decisions", "suivi_decisions"}
    for node in sent:
        follows(node, form[names.index(etree.QName(node).localname)])


def test_only_what_was_not_asked_is_left_out(deployed: Mapping[str, FormVersion]) -> None:
    visits = [each for each in instances.generate(3, 40, deployed) if each.form_id == "tpm_visite"]
    anonymous = next(each for each in visits if one(each, "consent_dossier") == "non")
    assert b"<g_dossier>" not in anonymous.xml
    assert b"<code_dossier>" not in anonymous.xml
    assert b"<note_info/>" in anonymous.xml


def test_a_question_added_to_the_form_is_sent_empty(deployed: Mapping[str, FormVersion]) -> None:
    visit = deployed["tpm_visite"]
    xform = visit.xform.replace(b"<satisfaction/>", b"<satisfaction/><avis_libre/>")
    later = {**deployed, "tpm_visite": FormVersion("tpm_visite", visit.version, xform)}
    first = next(each for each in instances.generate(3, 5, later) if each.form_id == "tpm_visite")
    assert b"<avis_libre/>" in first.xml


def test_what_is_written_is_escaped(deployed: Mapping[str, FormVersion]) -> None:
    visit = deployed["tpm_visite"]
    label = "Retraite, pension, portabilité des droits".encode()
    xform = visit.xform.replace(label, b"Retraite &lt;&amp;&gt;")
    later = {**deployed, "tpm_visite": FormVersion("tpm_visite", visit.version, xform)}
    labels = {one(each, "o_service_lib") for each in instances.generate(3, 100, later)}
    assert "Retraite <&>" in labels


def test_a_recording_is_attached_only_with_consent_and_is_silence(submissions: list[Submission]) -> None:
    recorded = [each for each in submissions if each.attachments]
    assert recorded
    for submission in recorded:
        assert one(submission, "consent_audio") == "oui"
        named = {value for name, value in texts(submission) if name.endswith("_audio") and "." in value}
        assert {file.name for file in submission.attachments} == named
        assert all(Path(name).stem.startswith("demo-synthetique-") for name in named)
        assert all(len(file.content) == 444 for file in submission.attachments)


def test_what_is_filled_in_a_form_nobody_deployed_is_left_out(deployed: Mapping[str, FormVersion]) -> None:
    some = ("tpm_visite", "tpm_suivi", "tpm_com")
    every = [each for each in instances.generate(3, 20, deployed) if each.form_id in some]

    assert list(instances.generate(3, 20, {form_id: deployed[form_id] for form_id in some})) == every
    alone = instances.generate(3, 20, {"tpm_com": deployed["tpm_com"]})
    assert {each.form_id for each in alone} == {"tpm_com"}


def test_an_entity_without_a_label_is_written_without_one(submissions: list[Submission]) -> None:
    office = next(each for each in submissions if each.form_id == "tpm_bureau")
    assert b"<entity " in office.xml
    assert b"<label" not in office.xml
