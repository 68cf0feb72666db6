"""The tables of a form's versions as one: the newest definition of a question holds, and none is lost."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tpm_pipeline.forms.renames import Place, Ways
from tpm_pipeline.records import AnswerType, Privacy, Question, Table

_STRICTNESS: tuple[Privacy | None, ...] = (None, "identifying", "sensitive", "text", "quasi", "public")


def merge(roots: Sequence[Table], ways: Ways) -> Table:
    """Unite the tables of versions, oldest first, with what the form's declared renames say of them.

    Only where a question's place became a group or a repeat, or the reverse, are older answers left to raw.
    """
    *older, newest = [_renamed(root, ways) for root in roots]
    for old in reversed(older):
        newest = _united(newest, old)
    return _settled(newest, ways, [question for root in roots for question in _questions(root)])


def _renamed(table: Table, ways: Ways, path: Place = ()) -> Table:
    """A version's table at the places of today; what would leave its rows stays where it is."""
    questions: dict[Place, Question] = {}
    for question in sorted(table.questions, key=lambda one: ways.now(one.path) != one.path):
        here = _moved(question.path, ways, path)
        former = question.former if here == question.path else (question.path, *question.former)
        if here in questions:
            questions[here] = replace(questions[here], former=(*questions[here].former, *former))
        else:
            questions[here] = replace(question, path=here, former=former)
    order = [_moved(question.path, ways, path) for question in table.questions]
    repeats: dict[Place, Table] = {}
    for repeat in table.repeats:
        here = _moved(repeat.path, ways, path)
        held = _renamed(repeat, ways, here)
        repeats[here] = _united(repeats[here], held) if here in repeats else held
    former = table.former if path == table.path else (table.path, *table.former)
    return replace(
        table,
        path=path,
        questions=tuple(questions[here] for here in dict.fromkeys(order)),
        repeats=tuple(repeats.values()),
        former=former,
    )


def _moved(path: Place, ways: Ways, table: Place) -> Place:
    here = ways.now(path)
    return here if ways.home(here) == table else path


def _united(newer: Table, older: Table) -> Table:
    leaves = {*(question.path for question in newer.questions), *(repeat.path for repeat in newer.repeats)}
    dropped = [question for question in older.questions if not _is_taken(question.path, leaves)]
    known = {question.path: question for question in older.questions}
    arrived = Counter(question.name for question in newer.questions if question.path not in known)
    moved = {question.name: question for question in dropped if arrived[question.name] == 1}
    questions = []
    for new in newer.questions:
        old = known.get(new.path) or moved.get(new.name)
        places = () if old is None else (old.path, *old.former)
        former = tuple(place for place in dict.fromkeys((*new.former, *places)) if place != new.path)
        wide = replace(new, former=former, type=_wider(new.type, old.type if old else new.type))
        questions.append(_strictest(wide, older.questions))
    olds = {repeat.path: repeat for repeat in older.repeats}
    united = tuple(_united(new, olds.pop(new.path)) if new.path in olds else new for new in newer.repeats)
    gone = tuple(repeat for repeat in olds.values() if not _is_taken(repeat.path, leaves))
    kept = tuple(question for question in dropped if question not in moved.values())
    former = tuple(dict.fromkeys((*newer.former, *older.former)))
    return replace(newer, questions=(*questions, *kept), repeats=united + gone, former=former)


def _wider(newer: AnswerType, older: AnswerType) -> AnswerType:
    """The newer type, but for numbers: one that was given with a fraction keeps it."""
    return "decimal" if (newer, older) == ("integer", "decimal") else newer


def _strictest(question: Question, others: Sequence[Question]) -> Question:
    """Keep the strictest class a question ever had: old answers were given under it."""
    classes = [question.privacy, *(other.privacy for other in others if other.name == question.name)]
    return replace(question, privacy=min(classes, key=_STRICTNESS.index))


def _is_taken(path: Place, leaves: set[Place]) -> bool:
    """Tell whether a place is one of the leaves, above one or below one."""
    return any(leaf[: len(path)] == path[: len(leaf)] for leaf in leaves)


def _settled(table: Table, ways: Ways, asked: Sequence[Question]) -> Table:
    """Keep of the former places, and of those declared that no version had, those where nothing else stands."""
    former = tuple(place for place in dict.fromkeys((*table.former, *ways.before(table.path))) if place != table.path)
    table = replace(table, former=former)
    leaves = [*(question.path for question in table.questions), *(repeat.path for repeat in table.repeats)]
    owners = {below(path, table): path for path in leaves}
    questions = [replace(question, former=_free(question, table, ways, owners)) for question in table.questions]
    questions = [_as_private(question, table, asked) for question in questions]
    repeats = []
    for repeat in table.repeats:
        held = _settled(repeat, ways, asked)
        repeats.append(replace(held, former=_free(held, table, ways, owners)))
    return replace(table, questions=tuple(questions), repeats=tuple(repeats))


def _as_private(question: Question, table: Table, asked: Sequence[Question]) -> Question:
    """Give a question the strictest class of all that any row of its table may hold at its places."""
    inside = {below(path, table) for path in (question.path, *question.former)}
    places = [(*rows, *path) for rows in (table.path, *table.former) for path in inside]
    there = [one.privacy for one in asked if any(one.path[: len(place)] == place for place in places)]
    return replace(question, privacy=min((question.privacy, *there), key=_STRICTNESS.index))


def _free(one: Question | Table, table: Table, ways: Ways, owners: dict[Place, Place]) -> tuple[Place, ...]:
    """The former places of a question or a repeat at which nothing else is; they are its own from now on."""
    kept = []
    rows = (table.path, *table.former)
    for place in dict.fromkeys((*one.former, *ways.before(one.path))):
        if not any(place[: len(held)] == held for held in rows):
            continue
        here = below(place, table)
        others = [other for other in owners if _is_taken(here, {other})]
        if place != one.path and all(other == here and owners[other] == one.path for other in others):
            owners[here] = one.path
            kept.append(place)
    return tuple(kept)


def below(path: Place, table: Table) -> Place:
    """The place of an answer inside a row of its table, whatever the table was called then."""
    held = [place for place in (table.path, *table.former) if path[: len(place)] == place]
    return path[max(map(len, held), default=0) :]


def _questions(table: Table) -> Iterator[Question]:
    yield from table.questions
    for repeat in table.repeats:
        yield from _questions(repeat)
