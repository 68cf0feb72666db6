"""What a step showed against what its line says; and which rules that exercised."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tests.forms.logic import Form, Kind
from tests.forms.player import Shown
from tests.forms.scenario import ENTITY, TITLE, Result, Step

Evidence = tuple[Kind, str, str, str]
_WORDS: Final = {"constraint": "constraint_message", "required": "required_message"}
_WORTH: Final[tuple[Kind, ...]] = ("calculation", "default")
_FRENCH, _ARABIC = "::Français (fr)", "::العربية (ar)"
_ENTITY: Final[Mapping[Result, tuple[bool, bool]]] = {
    "created": (True, False),
    "updated": (False, True),
    "no entity": (False, False),
}


def problem(form: Form, step: Step, shown: Shown) -> str | None:
    """Say where a form does something else than the line says, or nothing."""
    if "error" in shown or "missing" in shown:
        return f"{step.question}: {shown.get('error', 'there is no such question now')}"
    if "skipper" in shown and step.result != "skipped":
        return f"{step.question}: not asked, because of {shown['skipper']}"
    found = _CHECKS[step.result](form, step, shown)
    return f"{step.question}: {found}" if found else None


def evidence(form: Form, step: Step, shown: Shown) -> Iterator[Evidence]:
    """Yield the rules a step that went as its line says has exercised, and how."""
    if step.name in (ENTITY, TITLE):
        yield from _of_payload(step)
    elif step.result == "skipped":
        yield "relevant", shown["skipper"], "skipped", ""
    elif step.result not in ("sent", "unsent"):
        yield from (("relevant", name, "asked", "") for name in form.within[step.name])
        yield from _of_answer(step, shown)


def _of_answer(step: Step, shown: Shown) -> Iterator[Evidence]:
    if shown.get("blank"):
        yield "required", step.name, "refused", ""
    if step.result == "accepted" and step.answer:
        yield "constraint", step.name, "accepted", step.answer
        yield "choice_filter", step.name, "offered", step.answer
    elif step.result == "refused" and step.answer:
        yield "constraint", step.name, "refused", step.answer
    elif step.result == "not offered":
        yield "choice_filter", step.name, "not offered", step.answer
    elif step.result == "worth":
        yield from ((kind, step.name, "worth", step.words[0]) for kind in _WORTH)
    elif step.result == "times":
        yield "repeat_count", step.name, "times", step.words[0]


def _of_payload(step: Step) -> Iterator[Evidence]:
    if step.result == "worth":
        part = {"id": "entity_id"}.get(step.question.rpartition(".")[2], step.question.rpartition(".")[2])
        yield "calculation", f"{ENTITY}.{part}" if step.name == ENTITY else TITLE, "worth", step.words[0]
    elif step.result in _ENTITY:
        for name, done in zip(("create_if", "update_if"), _ENTITY[step.result], strict=True):
            yield "relevant", f"{ENTITY}.{name}", "asked" if done else "skipped", ""


def _accepted(form: Form, step: Step, shown: Shown) -> str | None:
    if shown["readonly"]:
        return "cannot be answered"
    if not shown["offered"]:
        return f"«{step.answer}» is not offered"
    if shown["refusal"]:
        return f"«{step.answer}» is refused: {shown['refusal']['fr']}"
    return _misworded(form, step, shown["blank"]) if shown["blank"] else None


def _refused(form: Form, step: Step, shown: Shown) -> str | None:
    refusal = shown["refusal"]
    if not shown["offered"] or not refusal:
        return f"«{step.answer}» is {'accepted' if shown['offered'] else 'not offered'}"
    if refusal["condition"] != ("constraint" if step.answer else "required"):
        return f"«{step.answer}» is refused as {refusal['condition']}"
    said = tuple(refusal[language] for language in ("fr", "ar"))[: len(step.words)]
    return f"says {said}, not {step.words}" if said != step.words else _misworded(form, step, refusal)


def _misworded(form: Form, step: Step, refusal: Mapping[str, str]) -> str | None:
    """A refusal says in each language what the sheet says in it."""
    word, cells = _WORDS[refusal["condition"]], form.cells[step.name]
    said, written = (refusal["fr"], refusal["ar"]), (cells[word + _FRENCH], cells[word + _ARABIC])
    return f"says {said}, but the sheet {written}" if said != written else None


def _not_offered(_: Form, step: Step, shown: Shown) -> str | None:
    return f"«{step.answer}» is offered" if shown["offered"] else None


def _skipped(_: Form, __: Step, shown: Shown) -> str | None:
    return None if "skipper" in shown else "is asked"


def _worth(_: Form, step: Step, shown: Shown) -> str | None:
    entity: Mapping[str, Any] = shown.get("entity") or {}
    part = step.question.rpartition(".")[2]
    value = {ENTITY: entity.get(part), TITLE: str(shown.get("instanceName")).strip()}.get(step.name, shown.get("value"))
    return None if value == step.words[0] else f"is worth «{value}», not «{step.words[0]}»"


def _shows(_: Form, step: Step, shown: Shown) -> str | None:
    return None if (shown["label"],) == step.words else f"shows «{shown['label']}»"


def _times(_: Form, step: Step, shown: Shown) -> str | None:
    return None if shown["times"] == int(step.words[0]) else f"is asked {shown['times']} times"


def _sent(_: Form, step: Step, shown: Shown) -> str | None:
    return None if list(step.words) == shown["violations"] else f"lacks {', '.join(shown['violations']) or 'nothing'}"


def _entity(_: Form, step: Step, shown: Shown) -> str | None:
    entity = shown.get("entity") or {}
    done = tuple(entity.get(action) in ("true", "1") for action in ("create", "update"))
    return None if done == _ENTITY[step.result] else f"create and update are {done}"


_CHECKS: Final[Mapping[Result, Callable[[Form, Step, Shown], str | None]]] = {
    "accepted": _accepted,
    "refused": _refused,
    "not offered": _not_offered,
    "asked": lambda *_: None,
    "skipped": _skipped,
    "worth": _worth,
    "shows": _shows,
    "times": _times,
    "sent": _sent,
    "unsent": _sent,
    "created": _entity,
    "updated": _entity,
    "no entity": _entity,
}
