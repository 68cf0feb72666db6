"""What Collect logs while a form is filled: each event in raw, and in staging those parts that identify nobody."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import orjson

from tpm_pipeline.records import Instance
from tpm_pipeline.warehouse.db import Connection, literal, quoted, run, scalar, values
from tpm_pipeline.warehouse.raw import now

NAME = "audit.csv"
"""The name Collect gives the file."""

# As in the file, and as in raw.
_KNOWN = (
    *("event", "node", "start", "end", "latitude", "longitude", "accuracy"),
    *("old-value", "new-value", "user", "change-reason"),
)
_TABLES = f"""
create schema if not exists raw;
create table if not exists raw.client_audit (
    server varchar, form_id varchar, submission_id varchar, instance_id varchar, position integer,
    {", ".join(f"{quoted(name.replace('-', '_'))} varchar" for name in _KNOWN)},
    more varchar, observed_at timestamp
);
"""
# Epoch milliseconds of a phone: what is no moment between 1970 and 2100 is a broken clock or another text.
_MOMENT = (
    "make_timestamp(if(try_cast({0} as bigint) between 0 and 4102444800000, try_cast({0} as bigint), null) * 1000)"
)
_STAGING = rf"""
create or replace table staging.client_audit as
select form_id, submission_id, instance_id, position, event,
    nullif(regexp_extract(node, '([^/\[\]]+)(\[\d+\])?$', 1), '') as question,
    {_MOMENT.format('"start"')} as start_at, {_MOMENT.format('"end"')} as end_at,
    date_diff('millisecond', start_at, end_at) / 1000 as duration_s
from raw.client_audit join raw.current using (server, form_id, submission_id, instance_id)
where deleted_at is null
order by form_id, submission_id, position
"""
_COMMENTS = {
    "form_id": "Formulaire.",
    "submission_id": "Identifiant stable de la soumission (premier instanceID).",
    "instance_id": "Identifiant de cette version de la soumission.",
    "position": "Rang de l’événement dans le journal, à partir de 1.",
    "event": "Ce qui s’est passé dans Collect : question, group questions, form save, form exit…",
    "question": "Question ou groupe concerné, sans la position dans une répétition ; vide si aucun.",
    "start_at": "Début de l’événement (UTC, selon l’horloge du téléphone).",
    "end_at": "Fin de l’événement (UTC, selon l’horloge du téléphone) ; vide pour un instant.",
    "duration_s": "Durée de l’événement, en secondes.",
}
_TITLE = "Une ligne par événement du journal de saisie de Collect, version actuelle des soumissions non supprimées."
_TOGETHER = 1000


def create(connection: Connection) -> None:
    """Make the raw table where it is missing."""
    connection.execute(_TABLES)


def store(connection: Connection, server: str, instance: Instance, path: Path) -> int:
    """Append the events of a version's log, in their order; return how many there were."""
    key = [server, instance.form_id, instance.submission_id, instance.instance_id]
    events = [[*key, position, *event] for position, event in enumerate(read(path.read_bytes()), 1)]
    for start in range(0, len(events), _TOGETHER):
        listed = values(events[start : start + _TOGETHER])
        run(connection, f"insert into raw.client_audit select *, ? from ({listed})", [now()])
    return len(events)


def state(connection: Connection) -> str:
    """A text that changes whenever raw holds another log."""
    create(connection)
    return str(scalar(connection, "select count(*) from raw.client_audit"))


def read(content: bytes) -> Iterator[list[str | None]]:
    """Yield the known columns of each event and, as JSON, the others; a cell without a heading is named by its rank."""
    # DuckDB takes no NUL in a text.
    text = content.decode("utf-8-sig", errors="replace").replace("\0", "�")
    rows = csv.reader(io.StringIO(text, newline=""))
    heading = [name.strip() for name in next(rows, [])]
    for row in rows:
        if not any(row):
            continue
        names = [*heading, *map(str, range(len(heading) + 1, len(row) + 1))]
        event = dict(zip(names, row, strict=False))
        more = {name: event[name] for name in event if name not in _KNOWN}
        yield [*(event.get(name) for name in _KNOWN), orjson.dumps(more).decode() if more else None]


def build(connection: Connection) -> None:
    """Rebuild the staging table: no place, no answer and no person of the log is in it."""
    create(connection)
    connection.execute(_STAGING)
    described = [f"comment on table staging.client_audit is {literal(_TITLE)}"]
    described += [
        f"comment on column staging.client_audit.{name} is {literal(text)}" for name, text in _COMMENTS.items()
    ]
    connection.execute("; ".join(described))
