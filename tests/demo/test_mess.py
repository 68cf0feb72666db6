"""What is declared of the mess is what is found in what was sent."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from tests.demo.rows import rows
from tpm_pipeline.demo import mess, versions
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.instances import Mail, mailed
from tpm_pipeline.demo.mess import Mess, Sending
from tpm_pipeline.demo.weights import OFFICES
from tpm_pipeline.records import CompiledForm

SEED, VISITS = 2020, 300


@pytest.fixture(scope="module")
def forms(compiled: dict[str, CompiledForm]) -> list[CompiledForm]:
    return list(compiled.values())


@pytest.fixture(scope="module")
def mails(forms: list[CompiledForm]) -> list[Mail]:
    return list(mailed(SEED, VISITS, forms, versions.earlier(forms)))


@pytest.fixture(scope="module")
def declared(sendings: list[Sending]) -> Mess:
    found = Mess()
    for sending in sendings:
        found = found.plus(sending.counts)
    return found


def originals(sendings: list[Sending]) -> list[Sending]:
    return [sending for sending in sendings if not sending.again and not sending.event.replaces]


def test_every_kind_of_mess_happens_and_remains_an_exception(declared: Mess) -> None:
    for count in (declared.late, declared.corrections, declared.typed_twice, declared.sent_twice):
        assert 10 < count < declared.sent / 10
    assert declared.missing > 500
    assert declared.refused > 100
    assert declared.closed_offices == 1


def test_the_same_seed_makes_the_same_mess(forms: list[CompiledForm], mails: list[Mail]) -> None:
    again = list(mailed(SEED, VISITS, forms, versions.earlier(forms)))
    assert again == mails
    assert list(mailed(SEED + 1, 5, forms, forms))[:50] != mails[:50]


def test_nothing_is_lost_on_the_way(sendings: list[Sending], events: list[Event]) -> None:
    sent = {sending.event.instance_id for sending in sendings}
    assert {event.instance_id for event in events} <= sent


def test_late_forms_were_overtaken_by_forms_filled_after_them(sendings: list[Sending], declared: Mess) -> None:
    late, newest = 0, None
    for sending in originals(sendings):
        began = sending.event.began
        late += newest is not None and began < newest - timedelta(hours=1)
        newest = max(began, newest or began)
    assert late == pytest.approx(declared.late, abs=2)
    delays = [sending.at - sending.event.ended for sending in sendings if sending.counts.get("late")]
    assert max(delays) > timedelta(days=30)


def test_a_phone_keeps_the_order_of_a_case_and_of_a_series(sendings: list[Sending]) -> None:
    newest: dict[str, Event] = {}
    for sending in originals(sendings):
        key = mess.series(sending.event)
        assert newest.setdefault(key, sending.event).began <= sending.event.began
        newest[key] = sending.event


def test_a_correction_follows_what_it_corrects_and_changes_one_answer(sendings: list[Sending], declared: Mess) -> None:
    known: dict[str, Event] = {}
    corrections = 0
    for sending in (sending for sending in sendings if not sending.again):
        event = sending.event
        if event.replaces:
            corrections += 1
            first = known[event.replaces]
            changed = [name for name, value in event.answers.items() if first.answers[name] != value]
            assert changed == [mess.MISTAKES[event.form_id][0]]
            assert (event.began, event.form_id, event.entity) == (first.began, first.form_id, first.entity)
        known[event.instance_id] = event
    assert corrections == declared.corrections


def test_a_form_typed_twice_says_the_same_under_another_identity(sendings: list[Sending], declared: Mess) -> None:
    said: Counter[str] = Counter()
    for event in (sending.event for sending in originals(sendings)):
        said[f"{event.form_id} {event.began.date()} {event.device} {event.answers}"] += 1
    assert sum(count - 1 for count in said.values()) == declared.typed_twice


def test_the_same_bytes_sent_again_are_the_same_submission(mails: list[Mail]) -> None:
    first: dict[str, bytes] = {}
    again = 0
    for mail in mails:
        again += mail.submission.instance_id in first
        assert first.setdefault(mail.submission.instance_id, mail.submission.xml) == mail.submission.xml
    assert again == sum(mail.counts.get("sent_twice", 0) for mail in mails) > 0


def test_an_edit_names_the_instance_it_replaces(mails: list[Mail]) -> None:
    edits = [mail for mail in mails if mail.counts.get("corrections")]
    sent = {mail.submission.instance_id for mail in mails}
    assert edits
    for mail in edits:
        meta = etree.fromstring(mail.submission.xml).find("meta")
        assert meta is not None
        assert meta.findtext("instanceID") == mail.submission.instance_id
        assert meta.findtext("deprecatedID") in sent - {mail.submission.instance_id}


def test_forms_filled_before_the_change_are_of_the_earlier_version(mails: list[Mail], former: CompiledForm) -> None:
    early = [mail for mail in mails if f'version="{former.version}"'.encode() in mail.submission.xml]
    started = re.compile(rb"<start>(\d{4}-\d\d-\d\d)")
    days = [found[1].decode() for mail in early if (found := started.search(mail.submission.xml))]
    assert max(days) < versions.CHANGED.isoformat()
    assert len(early) - sum(mail.counts.get("sent_twice", 0) for mail in early) == sum(
        mail.counts.get("former_version", 0) for mail in mails
    )


def test_blank_and_refused_answers_are_counted(sendings: list[Sending], declared: Mess) -> None:
    first = [sending.event for sending in originals(sendings) if not sending.counts.get("typed_twice")]
    blank = sum(
        not value
        for event in first
        for name, value in every(event.answers)
        if name in mess.BLANK.get(event.form_id, {})
    )
    assert blank == declared.missing
    assert sum(value == "nr" for event in first for _, value in every(event.answers)) == declared.refused


def test_only_what_is_declared_optional_is_blanked(sendings: list[Sending], events: list[Event]) -> None:
    clean = {event.instance_id: event for event in events}
    for event in (sending.event for sending in originals(sendings) if sending.event.instance_id in clean):
        for (name, value), (_, before) in zip(
            every(event.answers), every(clean[event.instance_id].answers), strict=True
        ):
            mistaken = name == mess.MISTAKES.get(event.form_id, ("",))[0]
            assert value == before or mistaken or (not value and name in mess.BLANK[event.form_id])


def test_the_closed_office_sends_nothing_it_filled_after_closing(sendings: list[Sending]) -> None:
    for office in (office for office in OFFICES if office.ends):
        days = [each.event.began.date() for each in sendings if each.event.device == f"demo:{office.code}"]
        assert office.ends
        assert days
        assert max(days) < office.ends
        assert max(days) > office.ends - timedelta(days=60)


def test_a_series_is_a_case_a_code_or_the_form_alone(events: list[Event]) -> None:
    visit = next(event for event in events if event.entity)
    bare = replace(visit, entity=None, answers={})
    assert visit.entity
    assert mess.series(visit) == visit.entity.id
    assert mess.series(replace(bare, answers={"ref_tdr": "TDR-2101"})) == "tpm_visite TDR-2101"
    assert mess.series(bare) == f"tpm_visite {bare.instance_id}"


def every(answers: Answers) -> Iterator[tuple[str, str]]:
    for name, value in answers.items():
        if isinstance(value, str):
            yield name, value
        for row in rows(answers, name):
            yield from every(row)
