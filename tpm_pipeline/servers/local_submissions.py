"""Submissions of the local server: accepted once, never overwritten, read back in the order of their commits."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import BinaryIO

import orjson

from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers import local_entities as entities
from tpm_pipeline.servers import local_forms as forms
from tpm_pipeline.servers.local_store import Incoming, Store
from tpm_pipeline.servers.payload import SYSTEM, Sent, Shape, answers, parse

_ROWS = """
select last.seq, last.payload, json_object(
    'submissionId', last.submission_id, 'instanceId', last.instance_id, 'formVersion', last.version,
    'submittedAt', first.accepted_at, 'updatedAt', iif(last.seq = first.seq, null, last.accepted_at),
    'reviewState', iif(last.seq = first.seq, 'received', 'edited'), 'deletedAt', null, 'seq', last.seq,
    'attachments', json((
        select json_group_array(name) from (
            select name from attachment
            where attachment.form_id = last.form_id and attachment.instance_id = last.instance_id order by name
        )
    ))
)
from submission last
join submission first on first.form_id = last.form_id and first.instance_id = last.submission_id
where last.form_id = ? and last.seq > ? and not exists (
    select 1 from submission later
    where later.form_id = last.form_id and later.submission_id = last.submission_id and later.seq > last.seq
)
order by last.seq
"""


def accept(store: Store, xml: bytes, attachments: Iterable[tuple[str, BinaryIO]]) -> bool:
    """Store a submission and its named attachments durably; False when it was there already.

    The same bytes sent again are accepted and add only the attachments that were missing. What is refused leaves
    nothing.
    """
    sent = parse(xml)
    shape = forms.shape_of(store, sent.form_id, sent.version)
    payload = _payload(sent, shape)
    with store.receiving(attachments) as incoming, store.writing() as db:
        known = _find(db, sent.form_id, sent.instance_id)
        if known is None:
            _add(db, sent, shape, payload)
        elif known["xml"] != xml:
            cause = "A submission with this instanceID and other answers was accepted before."
            raise ServerError("SRV-106", sent.form_id, cause, "Send it as an edit, or with another instanceID.")
        _attach(db, sent, incoming)
        store.keep(incoming)
    return known is None


def rows(store: Store, form_id: str, after: int) -> Iterator[tuple[int, bytes]]:
    """Every submission whose last change has a greater `seq`, as it is now: its seq and its JSON."""
    with store.streaming() as db:
        for seq, payload, system in db.execute(_ROWS, (form_id, after)):
            # A payload is never an empty object: it has at least meta.instanceID.
            yield seq, b'%b,"%b":%b}' % (payload[:-1], SYSTEM.encode(), system.encode())


def newest(store: Store, form_id: str, submission_id: str) -> bytes:
    """The XML of a submission as it was last corrected."""
    with store.reading() as db:
        found = db.execute(
            "select xml from submission where form_id = ? and submission_id = ? order by seq desc limit 1",
            (form_id, submission_id),
        ).fetchone()
    if found is None:
        raise ServerError("SRV-122", form_id, "There is no such submission.", "Check its identifier.")
    return bytes(found[0])


def last_seq(store: Store) -> int:
    """The `seq` of the last change of any form; 0 before the first."""
    with store.reading() as db:
        return int(db.execute("select coalesce(max(seq), 0) from submission").fetchone()[0])


def _payload(sent: Sent, shape: Shape) -> bytes:
    try:
        return orjson.dumps(answers(sent.root, shape.repeats))
    except orjson.JSONEncodeError:
        raise ServerError("SRV-120", sent.form_id, "The XML is nested too deeply.", "Send it from a form.") from None


def _find(db: sqlite3.Connection, form_id: str, instance_id: str) -> dict[str, str | bytes] | None:
    found = db.execute(
        "select submission_id, xml from submission where form_id = ? and instance_id = ?", (form_id, instance_id)
    ).fetchone()
    return None if found is None else {"submission_id": found[0], "xml": found[1]}


def _add(db: sqlite3.Connection, sent: Sent, shape: Shape, payload: bytes) -> None:
    submission_id = sent.instance_id if sent.deprecated_id is None else _edited(db, sent.form_id, sent.deprecated_id)
    # An edit corrects the answers, not the case: by then others may have written to it.
    applied = db.execute(
        "select 1 from submission where form_id = ? and submission_id = ? and entity_id is not null",
        (sent.form_id, submission_id),
    ).fetchone()
    entity_id = None if applied else entities.apply(db, shape, sent)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    db.execute(
        "insert into submission (form_id, version, submission_id, instance_id, accepted_at, entity_id, xml, payload)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (sent.form_id, sent.version, submission_id, sent.instance_id, now, entity_id, sent.xml, payload),
    )


def _edited(db: sqlite3.Connection, form_id: str, deprecated_id: str) -> str:
    known = _find(db, form_id, deprecated_id)
    if known is None:
        cause = "The submission this edit corrects is not here."
        raise ServerError("SRV-107", form_id, cause, "Send the first version before its edit.")
    root = str(known["submission_id"])
    last = db.execute(
        "select instance_id from submission where form_id = ? and submission_id = ? order by seq desc limit 1",
        (form_id, root),
    ).fetchone()[0]
    if last != deprecated_id:
        raise ServerError("SRV-108", form_id, "The copy that was edited is out of date.", "Edit the newest version.")
    return root


def _attach(db: sqlite3.Connection, sent: Sent, incoming: Sequence[Incoming]) -> None:
    there = dict(
        db.execute(
            "select name, digest from attachment where form_id = ? and instance_id = ?",
            (sent.form_id, sent.instance_id),
        ).fetchall()
    )
    for file in incoming:
        if there.setdefault(file.name, file.digest) != file.digest:
            cause = "Two attachments of one name have different contents."
            raise ServerError("SRV-109", sent.form_id, cause, "Send each under its own name.")
        row = (sent.form_id, sent.instance_id, file.name, file.digest)
        db.execute("insert or ignore into attachment values (?, ?, ?, ?)", row)
