"""What holds for every form alike."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tests.demo.rows import rows
from tpm_pipeline.demo import places, project
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.forms import schema
from tpm_pipeline.records import CompiledForm, FormSchema, Question, Table


def test_all_twelve_forms_are_filled(events: list[Event]) -> None:
    counts = Counter(event.form_id for event in events)
    assert len(counts) == 12
    assert min(counts.values()) >= 20
    assert counts.total() < 5500


def test_events_come_in_the_order_phones_were_opened(events: list[Event]) -> None:
    began = [event.began for event in events]
    assert began == sorted(began)


def test_forms_are_filled_on_working_days_of_the_project(events: list[Event]) -> None:
    assert {event.began.date() for event in events} <= set(places.WORKDAYS)


def test_the_team_works_the_same_whoever_comes_to_the_offices() -> None:
    few, many = (
        [event for event in project.events(5, visits, Labels()) if event.device == "demo:MD"] for visits in (3, 30)
    )
    assert [event for event in few if event.form_id != "tpm_entretien"] == project.team_events(5)
    assert len(many) >= len(few)


def test_every_chosen_code_is_one_the_form_offers(events: list[Event], compiled: Mapping[str, CompiledForm]) -> None:
    schemas = {form_id: schema.read(form.xform) for form_id, form in compiled.items()}
    wrong = {
        (event.form_id, question.name, code)
        for event in events
        for question, code in chosen(schemas[event.form_id].root, event.answers)
        if code not in offered(schemas[event.form_id], question)
    }
    assert not wrong


def test_several_answers_come_in_the_forms_order(events: list[Event], compiled: Mapping[str, CompiledForm]) -> None:
    schemas = {form_id: schema.read(form.xform) for form_id, form in compiled.items()}
    for event in events:
        form = schemas[event.form_id]
        for question in (each for each in form.root.questions if each.type == "select_multiple"):
            codes = str(event.answers.get(question.name) or "").split()
            assert codes == [choice.name for choice in form.lists[question.choices or ""] if choice.name in codes]


def test_no_working_day_is_after_the_form_that_tells_of_it(events: list[Event]) -> None:
    for event in events:
        for name in PAST:
            assert str(event.answers.get(name) or "") <= event.began.date().isoformat(), (event.form_id, name)


GROWING = ("dossiers", "osc")  # lists that submissions lengthen
PAST = (
    *("date_visite", "date_suivi", "date_entretien", "date_seance", "date_debut", "date_tenue", "date_com"),
    *("date_controle", "date_rel", "periode", "date_fin_reelle", "date_remise", "liv_recu"),
)


class Labels(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key


def chosen(table: Table, answers: Answers) -> Iterator[tuple[Question, str]]:
    for question in table.questions:
        value = answers.get(question.name)
        if question.choices not in {None, *GROWING} and isinstance(value, str):
            yield from ((question, code) for code in value.split())
    for repeat in table.repeats:
        for row in rows(answers, repeat.path[-1]):
            yield from chosen(repeat, row)


def offered(form: FormSchema, question: Question) -> set[str]:
    choices = form.lists.get(question.choices or "")
    if choices:
        return {choice.name for choice in choices}
    return {row["name"] for row in places.rows(question.choices or "")}
