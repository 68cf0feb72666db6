"""Sweeps: what a server lists, compared with what raw knows of it; what vanished becomes a tombstone."""

from collections.abc import Sequence
from dataclasses import dataclass

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.records import Dialect, Page, Sweep
from tpm_pipeline.warehouse.db import Connection, insert, literal, scalar, transaction, written
from tpm_pipeline.warehouse.raw import content_hash, now, of, readings, review_state, rows_of

_NAMED = 50


@dataclass(frozen=True)
class Difference:
    """Submissions that the listing shows otherwise than raw, and live ones of raw that it does not show at all."""

    differing: tuple[str, ...]
    missing: tuple[str, ...]


def cursor(connection: Connection, server: str, form_id: str) -> str | None:
    """What the last sweep of a form saw; None before the first."""
    last = f"select cursor from raw.sweep where {of(server, form_id)} order by swept_at desc limit 1"
    found = scalar(connection, last)
    return None if found is None else str(found)


def compare(connection: Connection, server: str, form_id: str, listing: Dialect, sweep: Sweep) -> Difference:
    """What the listing and raw do not say alike; its files are deleted."""
    try:
        found = connection.execute(_difference(server, form_id, listing, sweep)).fetchall()
    finally:
        for path in sweep.paths:
            path.unlink(missing_ok=True)
    return Difference(
        tuple(submission_id for submission_id, is_listed in found if is_listed),
        tuple(submission_id for submission_id, is_listed in found if not is_listed),
    )


def identifiers(connection: Connection, dialect: Dialect, page: Page) -> set[str]:
    """The submissions of a page."""
    sql = f"select json_extract_string(json, {literal(dialect.submission_id)}) from {rows_of(page.path)}"
    return {row[0] for row in connection.execute(sql).fetchall()}


def sealed(connection: Connection, server: str, form_id: str) -> list[str]:
    """The submissions whose answers were still encrypted when they came."""
    sql = f"select submission_id from ({_known(server, form_id)}) where is_sealed and deleted_at is null"
    return [row[0] for row in connection.execute(sql).fetchall()]


def refuse_too_many(connection: Connection, server: str, form_id: str, vanished: Sequence[str], share: float) -> None:
    """Stop when more of a form's submissions vanished than this share: nothing is deleted until a person looked."""
    live = scalar(connection, f"select count(*) from ({_known(server, form_id)}) where deleted_at is null")
    if len(vanished) <= share * live:
        return
    named = " ".join(sorted(vanished)[:_NAMED]) + (" …" if len(vanished) > _NAMED else "")
    raise WarehouseError(
        "WH-040",
        form_id,
        f"{len(vanished)} of its {live} submissions are no longer on the server: {named}.",
        f"If that is right: tpm pull {form_id} --accept-deletions. If not, nothing was deleted here.",
    )


def bury(connection: Connection, server: str, form_id: str, vanished: Sequence[str]) -> int:
    """Append a tombstone for each live submission among these, its answers unchanged; return how many."""
    if not vanished:
        return 0
    live = f"select submission_id, pull_id from ({_known(server, form_id)}) where deleted_at is null"
    gone = f"{live} and list_contains({written(vanished)}, submission_id)"
    moment = written(now())
    with transaction(connection):
        buried = scalar(
            connection,
            f"""
            insert into raw.submission
            select * replace ({moment} as deleted_at, {moment} as observed_at, nextval('raw.pull_number') as pull_id)
            from raw.submission where (submission_id, pull_id) in ({gone})
            """,
        )
    return int(buried)


def remember(connection: Connection, server: str, form_id: str, sweep: str | None, found: Difference) -> None:
    """Append that a form was swept, and what was found."""
    row = [server, form_id, sweep, len(found.differing), len(found.missing), now()]
    insert(connection, "raw.sweep", [row])


def _known(server: str, form_id: str) -> str:
    """What raw knows last of each submission, but for its answers."""
    return f"""
        select * exclude (payload) from raw.submission where {of(server, form_id)}
        qualify row_number() over (partition by submission_id order by pull_id desc) = 1
    """


def _difference(server: str, form_id: str, listing: Dialect, sweep: Sweep) -> str:
    # Where the listing tells the content too, as files come and go without an edit, that is compared.
    content = content_hash(listing) if listing.content else "null"
    kept = "known.payload_hash" if listing.content else "null"
    return f"""
        with read as (
            select json, {readings(listing)} as x, row_number() over () as n
            from {rows_of(*sweep.paths)}
        ),
        listed as (
            -- What was deleted between the two lists is on both; of what one list has twice, the last is what came.
            select x[1] as submission_id, coalesce(x[2], x[1]) as instance_id, {review_state(listing)} as review_state,
                x[7] is not null as is_deleted, {content} as content
            from read qualify row_number() over (partition by x[1] order by is_deleted desc, n desc) = 1
        ),
        known as ({_known(server, form_id)})
        select coalesce(listed.submission_id, known.submission_id), listed.submission_id is not null
        from listed full join known using (submission_id)
        where case
            when listed.submission_id is null then known.deleted_at is null
            else (listed.instance_id, listed.review_state, listed.is_deleted, listed.content)
                is distinct from (known.instance_id, known.review_state, known.deleted_at is not null, {kept})
        end
    """
