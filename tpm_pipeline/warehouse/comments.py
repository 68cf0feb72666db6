"""What reviewers wrote beside submissions: free text of staff, which stays in raw."""

from collections.abc import Iterator, Sequence

from tpm_pipeline.records import Comment
from tpm_pipeline.warehouse.db import Connection, run, scalar, transaction, values
from tpm_pipeline.warehouse.raw import now

_TABLES = """
create schema if not exists raw;
create sequence if not exists raw.pull_number;
create table if not exists raw.comment (
    server varchar, form_id varchar, submission_id varchar, comment varchar, author varchar, created_at timestamp,
    observed_at timestamp
);
create table if not exists raw.comment_check (
    server varchar, form_id varchar, submission_id varchar, pull_id bigint, observed_at timestamp
);
"""
# Who reviews or edits says why: a submission that nobody touched is not asked for.
_WAITING = """
create or replace temp table waiting_comments as
select submission_id, pull_id, row_number() over (order by submission_id) as n
from raw.current where server = $server and form_id = $form and deleted_at is null and review_state <> 'received'
    and ($sweep or not exists (
        select 1 from raw.comment_check as done
        where done.server = $server and done.form_id = $form
            and done.submission_id = current.submission_id and done.pull_id = current.pull_id
    ))
"""
_TOGETHER = 1000


def create(connection: Connection) -> None:
    """Make the raw tables where they are missing."""
    connection.execute(_TABLES)


def waiting(connection: Connection, server: str, form_id: str, *, sweep: bool) -> Iterator[tuple[str, int]]:
    """Yield the reviewed or edited submissions not asked about since they changed; all of them at a sweep.

    Each comes with the number of the pull that brought it as it is.
    """
    run(connection, _WAITING, {"server": server, "form": form_id, "sweep": sweep})
    last, batch = 0, "select n, submission_id, pull_id from waiting_comments where n > ? order by n limit ?"
    while found := run(connection, batch, [last, _TOGETHER]).fetchall():
        for last, submission_id, pull_id in found:  # noqa: B007 - the next batch begins after the last
            yield submission_id, pull_id


def store(
    connection: Connection, server: str, form_id: str, submission: tuple[str, int], found: Sequence[Comment]
) -> int:
    """Append a submission's comments that are new, and that they were asked for; return how many were new."""
    key = {"server": server, "form": form_id, "submission": submission[0], "now": now()}
    listed = values((one.text, one.author, one.created_at) for one in found)
    new = 0
    with transaction(connection):
        if listed:
            new = int(scalar(connection, _append(listed), key))
        run(
            connection,
            "insert into raw.comment_check select $server, $form, $submission, $pull, $now where not exists ("
            " select 1 from raw.comment_check"
            " where server = $server and form_id = $form and submission_id = $submission and pull_id = $pull)",
            {**key, "pull": submission[1]},
        )
    return new


def _append(listed: str) -> str:
    return f"""
        insert into raw.comment
        select distinct $server, $form, $submission, col0, col1, utc(col2), $now::timestamp
        from ({listed}) where not exists (
            select 1 from raw.comment as known
            where known.server = $server and known.form_id = $form and known.submission_id = $submission
                and known.comment = col0 and known.created_at = utc(col2)
        )
        order by utc(col2)
    """
