"""The files of submissions: which version has which, told by content; each content is kept once, in a private file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tpm_pipeline.records import AttachmentName, Dialect, Instance, StoredFile
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse.db import Connection, run, values
from tpm_pipeline.warehouse.raw import now

_TABLES = """
create schema if not exists raw;
create sequence if not exists raw.pull_number;
create table if not exists raw.attachment (
    server varchar, form_id varchar, submission_id varchar, instance_id varchar, name varchar,
    digest varchar, md5 varchar, size bigint, media_type varchar, key varchar, observed_at timestamp, pull_id bigint
);
create table if not exists raw.attachment_check (
    server varchar, form_id varchar, submission_id varchar, instance_id varchar, missing integer,
    observed_at timestamp, pull_id bigint
);
"""
# Every version ever seen is asked for once: an edit does not undo what its former version showed. Only for the
# current one can files still come, or go where the rows tell of it.
_WAITING = """
create or replace temp table waiting_files as
with states as (
    select submission_id, instance_id, pull_id, coalesce(nb_files, 1) > 0 as expects, payload_hash
        is distinct from lag(payload_hash) over (partition by submission_id, instance_id order by pull_id) as is_other
    from raw.submission where server = $server and form_id = $form
),
seen as (
    select submission_id, instance_id, max(pull_id) filter (is_other) as pull_id, bool_or(expects) as expects
    from states group by all
),
live as (
    select submission_id, instance_id as current_id
    from raw.current where server = $server and form_id = $form and deleted_at is null
),
checked as (
    select submission_id, instance_id, arg_max(missing, pull_id) as missing, max(pull_id) as checked_at
    from raw.attachment_check where server = $server and form_id = $form group by all
)
select submission_id, instance_id, missing, pull_id > coalesce(checked_at, 0) as is_new,
    row_number() over (order by pull_id, submission_id) as n
from seen join live using (submission_id) left join checked using (submission_id, instance_id)
where expects and {those} and (is_new or {again})
"""
_TOGETHER = 1000


@dataclass(frozen=True)
class Waiting:
    """A version of a submission whose files are not all here; `missing` is how many, None before the first look.

    `is_new` tells whether its row said something else at the last look.
    """

    instance: Instance
    missing: int | None
    is_new: bool = True


def create(connection: Connection) -> None:
    """Make the raw tables where they are missing."""
    connection.execute(_TABLES)


def path(settings: Settings, digest: str) -> Path:
    """Where the file with this SHA-256 is."""
    return settings.private / "attachments" / digest[:2] / digest


def waiting(connection: Connection, server: str, form_id: str, dialect: Dialect, *, sweep: bool) -> Iterator[Waiting]:
    """Yield the versions not looked at yet; at a sweep also the current ones whose files may still come."""
    current = "instance_id = current_id"
    again = f"({current}{' and missing > 0' if dialect.attachments else ''})" if sweep else "false"
    sql = _WAITING.format(those="true" if dialect.keeps_files else current, again=again)
    run(connection, sql, {"server": server, "form": form_id})
    last, columns = 0, "n, submission_id, instance_id, missing, is_new"
    batch = f"select {columns} from waiting_files where n > ? order by n limit ?"
    while found := run(connection, batch, [last, _TOGETHER]).fetchall():
        for last, submission_id, instance_id, missing, is_new in found:  # noqa: B007 - the next begins after the last
            yield Waiting(Instance(form_id, submission_id, instance_id), missing, is_new)


def stored(connection: Connection, server: str, instance: Instance) -> dict[str, str]:
    """The names of a version's files that are here, and were not taken away since, with their keys."""
    sql = (
        "select name, arg_max(key, pull_id) from raw.attachment"
        " where server = ? and form_id = ? and submission_id = ? and instance_id = ?"
        " group by name having arg_max(digest is not null, pull_id)"
    )
    key = [server, instance.form_id, instance.submission_id, instance.instance_id]
    return dict(run(connection, sql, key).fetchall())


def former(connection: Connection, server: str, instance: Instance, name: str) -> tuple[StoredFile | None, str]:
    """The file that the submission has, or had, under this name, and its key: most often it is the same."""
    found = run(
        connection,
        "select digest, md5, size, media_type, key from raw.attachment where digest is not null"
        " and server = ? and form_id = ? and submission_id = ? and name = ? order by pull_id desc limit 1",
        [server, instance.form_id, instance.submission_id, name],
    ).fetchone()
    return (None, "") if found is None else (StoredFile(*found[:-1]), found[-1])


def store(
    connection: Connection, server: str, instance: Instance, name: AttachmentName, file: StoredFile | None
) -> None:
    """Append that a version has this file, or has it no more."""
    said = [file.digest, file.md5, file.size, file.media_type] if file else [None] * 4
    run(
        connection,
        "insert into raw.attachment values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nextval('raw.pull_number'))",
        [
            *(server, instance.form_id, instance.submission_id, instance.instance_id, name.name),
            *(*said, name.key, now()),
        ],
    )


def remember(connection: Connection, server: str, looked_at: Sequence[Waiting]) -> None:
    """Append how many files these versions still miss."""
    rows = [
        [server, one.instance.form_id, one.instance.submission_id, one.instance.instance_id, one.missing]
        for one in looked_at
    ]
    if rows:
        sql = f"insert into raw.attachment_check select *, ?, nextval('raw.pull_number') from ({values(rows)})"
        run(connection, sql, [now()])
