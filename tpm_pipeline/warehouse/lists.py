"""Entity lists as their server would hold them, rebuilt from the answers for a server that keeps none."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms.entities import Declaration
from tpm_pipeline.records import AnswerType, FormSchema
from tpm_pipeline.warehouse import build, staging
from tpm_pipeline.warehouse.db import Connection, QueryError, quoted, rows, scalar
from tpm_pipeline.warehouse.raw import of

Entity = Mapping[str, str]
"""An entity's `name`, `label` and properties; what was never said of it is not there."""

# Only what staging still has as the form wrote it.
_WRITTEN: Final[Mapping[AnswerType, str]] = {
    "string": "{}",
    "select_one": "{}",
    "select_multiple": "array_to_string({}, ' ')",
    "integer": "{}::varchar",
    "date": "{}::varchar",
}
# What XPath and SQL write alike, over texts of which none is null.
_ALIKE: Final = re.compile(r"'[^']*'|!?=|\b(?:and|or|not|concat)\b|[(),]|\s+")
_WORD: Final = re.compile(rf"\$\{{(\w+)\}}|true\(\)|{_ALIKE.pattern}")

# A rejected form did not happen, for phones as for the marts: the case stays as it was before it.
_WRITES: Final = """
select {name} as name, {creates} as creates, {label} as label, {saved}
    ({day} is not null, {day}, submitted_at, submission_id) as moment
from staging.{form} where review_state <> 'rejected' and ({creates} or {updates})
"""
# What happened last holds, and of one day what arrived last. Order of arrival alone, as a server applies it, would let
# a phone that was long without network reopen a case which was closed since; and nobody would be told of the conflict.
_LATEST: Final = "arg_max({0}, moment) filter (where {0} <> '') as {0}"
_ENTITIES: Final = "select name, bool_or(creates) as created, {latest} from ({writes}) where name <> '' group by name"


def rebuild(connection: Connection, declared: Sequence[Declaration], seed: Iterable[Entity] = ()) -> list[Entity]:
    """The entities of one list: those it begins with and those that were created, as submissions left them.

    `declared` is what forms do to this list. What only updates an entity that is not there does nothing. A property
    keeps its last value that was not blank: not every server tells a blank from a question that was not asked.
    """
    found = {entity["name"]: dict(entity) for entity in seed}
    for row in _written(connection, declared):
        if row.pop("created") or row["name"] in found:
            said = {column: text for column, text in row.items() if text is not None}
            found[row["name"]] = {**found.get(row["name"], {}), **said}
    return [*found.values()]


def refuse_unread(connection: Connection, server: str, form_id: str) -> None:
    """Refuse to tell phones what is known before all submissions of a form were read once: they would lose cases."""
    try:
        is_read = scalar(connection, f"select 1 from raw.sweep where {of(server, form_id)} limit 1") is not None
    except QueryError:
        is_read = False  # nothing was ever pulled
    if not is_read:
        cause = f"All its submissions never came from {server} yet: a list made without them would miss some."
        raise WarehouseError("WH-053", form_id, cause, "Run `tpm refresh`; phones keep the lists they have till then.")


def _written(connection: Connection, declared: Sequence[Declaration]) -> list[dict[str, Any]]:
    """What the answers say of each entity: whether they created it, and the last of each property."""
    columns = dict.fromkeys(["label", *(name for one in declared for name in one.saved)])
    latest = ", ".join(_LATEST.format(quoted(column)) for column in columns)
    try:
        forms = build.schemas(connection, [one.form_id for one in declared])
        writes = " union all by name ".join(map(_writes, forms, declared))
        return rows(connection, _ENTITIES.format(latest=latest, writes=writes))
    except QueryError:
        raise _older("warehouse", "Its tables are not there, or older than the forms.") from None


def _writes(form: FormSchema, declared: Declaration) -> str:
    texts = _texts(form)
    asked = {question.name for table in staging.tables(form) for question in table.columns.values()}
    if not {*declared.saved.values()} <= asked:
        raise _older(declared.form_id, f"What it saves to {declared.list_name} no deployed version asks yet.")
    unknown = [question for question in declared.saved.values() if question not in texts]
    if unknown:
        cause = f"{', '.join(unknown)}: in a repeat, or of a class no phone may show, or not kept as it was written."
        remedy = "Save an answer that is public or quasi, outside repeats: a text, a choice, a whole number or a date."
        raise WarehouseError("WH-051", f"{declared.form_id}, list {declared.list_name}", cause, remedy)
    return _WRITES.format(
        form=quoted(form.form_id),
        name=_sql(declared, declared.entity_id, texts),
        creates=_sql(declared, declared.create_if or "not(true())", texts),
        updates=_sql(declared, declared.update_if or "not(true())", texts),
        label=_sql(declared, declared.label or "''", texts),
        saved="".join(f"{texts[question]} as {quoted(name)}, " for name, question in declared.saved.items()),
        day=quoted(declared.day) if declared.day else "null::date",
    )


def _older(where: str, cause: str) -> WarehouseError:
    return WarehouseError("WH-050", where, cause, "Run `tpm deploy` if the forms changed, then `tpm refresh`.")


def _texts(form: FormSchema) -> dict[str, str]:
    """The SQL of each answer as the form wrote it, by question: none that may not be shown on a phone."""
    return {
        question.name: _WRITTEN[question.type].format(quoted(column))
        for column, question in staging.tables(form)[0].columns.items()
        if question.privacy in ("public", "quasi") and question.type in _WRITTEN
    }


def _sql(declared: Declaration, expression: str, texts: Mapping[str, str]) -> str:
    """Read an expression of the `entities` sheet as SQL."""
    words = [*_WORD.finditer(expression)]
    named = [word[1] for word in words if word[1]]
    if "".join(word[0] for word in words) != expression or not expression or not {*named} <= texts.keys():
        cause = f"«{expression}» is more than can be asked of the answers."
        remedy = "Compare answers with =, !=, and, or, not; join them with concat; or calculate it in the survey."
        raise WarehouseError("WH-052", f"{declared.form_id}, list {declared.list_name}", cause, remedy)
    return "".join("true" if word[0] == "true()" else _answer(word, texts) for word in words)


def _answer(word: re.Match[str], texts: Mapping[str, str]) -> str:
    return f"coalesce({texts[word[1]]}, '')" if word[1] else word[0]
