"""Reading what was filled, form by form."""

from collections.abc import Iterable

from tpm_pipeline.demo.cases import Answers, Event


def rows(answers: Answers, name: str) -> list[Answers]:
    found = answers.get(name)
    return [] if found is None or isinstance(found, str) else list(found)


def of(events: Iterable[Event], form_id: str, **expected: str) -> list[Answers]:
    """The answers of one form, those that say what is expected."""
    return [
        event.answers
        for event in events
        if event.form_id == form_id and all(event.answers.get(name) == value for name, value in expected.items())
    ]
