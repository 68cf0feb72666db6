"""Staging: one typed table per form and per repeat, generated from the form's deployed versions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tpm_pipeline.forms.renames import Rename, Ways
from tpm_pipeline.records import Choice, FormSchema, Question, Table
from tpm_pipeline.warehouse import merging, raw
from tpm_pipeline.warehouse.addresses import Addresses
from tpm_pipeline.warehouse.columns import (
    GEOPOINT_MACRO,
    PSEUDONYM_MACRO,
    Codes,
    answered,
    comment,
    is_hidden,
    misfit,
    typed,
)
from tpm_pipeline.warehouse.db import Connection, literal, quoted, scalar, written

SYSTEM_COLUMNS = {
    "submission_id": ("varchar", "Identifiant stable de la soumission (premier instanceID)."),
    "instance_id": ("varchar", "Identifiant de cette version de la soumission."),
    "server": ("varchar", "Serveur d’où vient la soumission."),
    "form_version": ("varchar", "Version du formulaire déclarée par le serveur."),
    "submitted_at": ("timestamp", "Première réception par le serveur (UTC)."),
    "updated_at": ("timestamp", "Dernière modification connue du serveur (UTC), vide si aucune."),
    "review_state": ("varchar", "État de revue : received, edited, has_issues, rejected ou approved."),
}


_FLAG = "a_reponse_illisible"


@dataclass(frozen=True)
class StagingTable:
    """A staging table to build: where its rows are in the answers, and its columns by name.

    `within` names the staging table whose rows hold those of a repeat.
    """

    name: str
    table: Table
    ancestors: tuple[Table, ...]
    columns: Mapping[str, Question]
    within: str


def create(connection: Connection) -> None:
    """Make the staging schema and its register of findings."""
    connection.execute("""
        create schema if not exists staging;
        create table if not exists staging.misfit (
            form_id varchar, staging_table varchar, submission_id varchar, position integer, question varchar);
    """)
    connection.execute(GEOPOINT_MACRO)
    connection.execute(PSEUDONYM_MACRO)


def merge(versions: Sequence[FormSchema], renames: Sequence[Rename] = ()) -> FormSchema:
    """Unite a form's versions, oldest first, and the names declared to be old ones of its questions."""
    root = merging.merge([version.root for version in versions], Ways(renames, versions))
    return replace(versions[-1], root=root, lists=_known_choices(versions))


def _known_choices(versions: Sequence[FormSchema]) -> dict[str, tuple[Choice, ...]]:
    """Every choice that any version offered, in its newest words: old answers keep their meaning."""
    known: dict[str, dict[str, Choice]] = {}
    for version in versions:
        for name, choices in version.lists.items():
            known.setdefault(name, {}).update((choice.name, choice) for choice in choices)
    return {name: tuple(choices.values()) for name, choices in known.items()}


def tables(schema: FormSchema) -> list[StagingTable]:
    """The staging tables of a form: itself, then its repeats, outermost first."""
    levels = list(_levels(schema.root, ()))
    repeats = [table.path for table, _ in levels[1:]]
    names: dict[tuple[str, ...], str] = {(): schema.form_id}
    names |= {path: f"{schema.form_id}__{name}" for path, name in zip(repeats, _distinct(repeats, {""}), strict=True)}
    return [
        StagingTable(
            names[table.path],
            table,
            ancestors,
            _column_names(table, ancestors),
            names[ancestors[-1].path] if ancestors else "",
        )
        for table, ancestors in levels
    ]


def _levels(table: Table, ancestors: tuple[Table, ...]) -> Iterator[tuple[Table, tuple[Table, ...]]]:
    yield table, ancestors
    for repeat in table.repeats:
        yield from _levels(repeat, (*ancestors, table))


def _column_names(table: Table, ancestors: tuple[Table, ...]) -> dict[str, Question]:
    paths = [
        (*path[:-1], f"{path[-1]}_pseudo") if is_hidden(question) else path
        for question in table.questions
        for path in [question.path]
    ]
    taken = {*SYSTEM_COLUMNS, *position_columns(table, ancestors)}
    return dict(zip(_distinct(paths, taken), table.questions, strict=True))


def _distinct(paths: Sequence[tuple[str, ...]], taken: set[str]) -> list[str]:
    """Name each path by its last part, by all of them where that is not enough; DuckDB ignores case."""
    last_parts = Counter(path[-1].lower() for path in paths)
    names: list[str] = []
    for path in paths:
        name = path[-1]
        if last_parts[name.lower()] > 1 or name.lower() in taken:
            name = "__".join(path)
        while name.lower() in taken:
            name += "_"
        taken = taken | {name.lower()}
        names.append(name)
    return names


def position_columns(table: Table, ancestors: tuple[Table, ...]) -> list[str]:
    """The columns that say which row of which repeat: none for the form itself."""
    if not table.path:
        return []
    outer = [f"position_{repeat.path[-1]}" for repeat in ancestors if repeat.path]
    return [*outer, "position"]


@dataclass(frozen=True)
class _Reading:
    """A form being read: which addresses its answers have, and whether the rows without an answer are left out."""

    schema: FormSchema
    addresses: Addresses
    sifted: bool = False


def build(connection: Connection, schema: FormSchema, pads: tuple[bytes, bytes]) -> int:
    """Rebuild a form's staging tables from raw, and return how many rows the form has.

    `pads` are the pseudonym key's inner and outer pads.
    """
    for name, pad in zip(("inner_pad", "outer_pad"), pads, strict=True):
        connection.execute(f"set variable {name} = {written(pad)}")
    connection.execute(f"delete from staging.misfit where form_id = {literal(schema.form_id)}")
    found = tables(schema)
    reading = _Reading(schema, Addresses(flat=raw.holds_flat(connection, schema.form_id)))
    for staged in found:
        _build_table(connection, reading, staged)
    for staged in found:
        _drop(connection, staged, [_as_rows(repeat) for repeat in staged.table.repeats])
    connection.execute("reset variable inner_pad; reset variable outer_pad")
    return int(scalar(connection, f"select count(*) from staging.{quoted(schema.form_id)}"))


def _build_table(connection: Connection, reading: _Reading, staged: StagingTable) -> None:
    name = f"staging.{quoted(staged.name)}"
    misfits = _misfits(reading.schema, staged)
    _fill(connection, reading, staged, misfits)
    if staged.ancestors and scalar(connection, f"select count(*) from {name} where {_seems_empty(staged)}"):
        # Few forms have rows without an answer: the others need not look into each answer for it.
        reading = replace(reading, sifted=True)
        _fill(connection, reading, staged, misfits)
    if scalar(connection, f"select count(*) from {name} where {_FLAG}"):
        _record_misfits(connection, reading, staged, misfits)
    _drop(connection, staged, [_FLAG])
    _comment(connection, reading.schema, staged)


def _fill(connection: Connection, reading: _Reading, staged: StagingTable, misfits: Mapping[str, str]) -> None:
    flag = f"({' or '.join(misfits.values()) or 'false'}) as {_FLAG}"
    # A repeat's rows wait as text beside the row that holds them, so that no answer is parsed twice.
    rows = map(_as_rows, staged.table.repeats)
    columns = ", ".join([*_keys(staged), *map(quoted, staged.columns), *rows, flag])
    table = f"staging.{quoted(staged.name)}"
    connection.execute(f"create or replace table {table} as select {columns} from {_read(reading, staged)}")


def _seems_empty(staged: StagingTable) -> str:
    """The SQL that is true of every row in which nothing was answered, and of few others."""
    return " and ".join(f"{quoted(column)} is null" for column in staged.columns) or "true"


def _drop(connection: Connection, staged: StagingTable, columns: Iterable[str]) -> None:
    for column in columns:
        connection.execute(f"alter table staging.{quoted(staged.name)} drop column {column}")


def _keys(staged: StagingTable) -> list[str]:
    return [*SYSTEM_COLUMNS, *map(quoted, position_columns(staged.table, staged.ancestors))]


def _codes(schema: FormSchema) -> Codes:
    return {name: [choice.name for choice in choices] for name, choices in schema.lists.items()}


def _as_text(column: str) -> str:
    """What a column was before it was typed; no question's name has a space."""
    return quoted(f"{column} as text")


def _as_rows(repeat: Table) -> str:
    """What holds the rows of a repeat until they are a table."""
    return quoted(f"{'/'.join(repeat.path)} as rows")


def _misfits(schema: FormSchema, staged: StagingTable) -> dict[str, str]:
    """For each column that some answers may not fit, the test for one that does not."""
    codes = _codes(schema)
    tests = {
        column: misfit(question, _as_text(column), quoted(column), codes) for column, question in staged.columns.items()
    }
    return {column: test for column, test in tests.items() if test is not None}


def _read(reading: _Reading, staged: StagingTable, among: str = "true") -> str:
    """The rows of a table with every answer as text and typed, each step once; `among` narrows the submissions."""
    table, addresses = staged.table, reading.addresses
    texts = [f"{addresses.answer(question, table)} as {_as_text(name)}" for name, question in staged.columns.items()]
    texts += [f"{addresses.rows(repeat, table)} as {_as_rows(repeat)}" for repeat in table.repeats]
    codes = _codes(reading.schema)
    answers = [
        f"{typed(question, _as_text(name), codes)} as {quoted(name)}" for name, question in staged.columns.items()
    ]
    rows = f"select {', '.join([*_keys(staged), *texts])} from {_rows(reading, staged, among)}"
    return f"(select {', '.join(['*', *answers])} from ({rows}))"


def _rows(reading: _Reading, staged: StagingTable, among: str) -> str:
    """The rows of a table, each with its answers as `item`; `among` narrows the submissions."""
    if not staged.ancestors:
        structure = literal(reading.addresses.structure(staged.table))
        there = f"form_id = {literal(reading.schema.form_id)} and deleted_at is null and not is_sealed"
        return f"""(
            select {", ".join(SYSTEM_COLUMNS)}, from_json(payload, {structure}) as item
            from raw.current where {there} and {among}
        )"""
    *outer, position = map(quoted, position_columns(staged.table, staged.ancestors))
    held = position_columns(staged.ancestors[-1], staged.ancestors[:-1])
    renamed = [f"{quoted(theirs)} as {ours}" for theirs, ours in zip(held, outer, strict=True)]
    rows = _as_rows(staged.table)
    if reading.sifted:
        rows = reading.addresses.answered_rows(staged.table, rows)
    return f"""(
        select * exclude (pair), pair.p as {position}, pair.i as item from (
            select {", ".join([*SYSTEM_COLUMNS, *renamed])}, unnest(list_transform(
                {rows}, lambda i, p: struct_pack(i := i, p := p::integer))) as pair
            from staging.{quoted(staged.within)} where {among})
    )"""


def _record_misfits(
    connection: Connection, reading: _Reading, staged: StagingTable, misfits: Mapping[str, str]
) -> None:
    flags = ", ".join(
        f"if(({test}) and {answered(_as_text(column))} is not null, {literal(column)}, null)"
        for column, test in misfits.items()
    )
    position = "position" if staged.table.path else "null"
    flagged = f"submission_id in (select submission_id from staging.{quoted(staged.name)} where {_FLAG})"
    connection.execute(f"""
        insert into staging.misfit
        select {literal(reading.schema.form_id)}, {literal(staged.name)}, submission_id, position, question
        from (
            select submission_id, {position} as position, unnest([{flags}]) as question
            from {_read(reading, staged, flagged)})
        where question is not null
    """)


def _comment(connection: Connection, schema: FormSchema, staged: StagingTable) -> None:
    name = f"staging.{quoted(staged.name)}"
    labels = staged.table.labels or {}
    title = f"{schema.title} · {labels.get('fr', staged.name)}" if staged.table.path else schema.title
    statements = [f"comment on table {name} is {literal(title)}"]
    described = {column: text for column, (_, text) in SYSTEM_COLUMNS.items()}
    positions = position_columns(staged.table, staged.ancestors)
    described |= dict.fromkeys(positions, "Rang de la ligne dans la répétition, à partir de 1.")
    described |= {column: comment(question) for column, question in staged.columns.items()}
    statements += [
        f"comment on column {name}.{quoted(column)} is {literal(text)}" for column, text in described.items()
    ]
    connection.execute("; ".join(statements))
