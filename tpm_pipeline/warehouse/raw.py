"""Raw: every version of every submission ever seen, appended and never changed."""

from collections.abc import Mapping
from datetime import UTC, datetime

from tpm_pipeline.records import Dialect, FormVersion, Page
from tpm_pipeline.warehouse.db import Connection, literal, scalar, transaction

_TABLES = """
create schema if not exists raw;
create sequence if not exists raw.pull_number;
create table if not exists raw.pull (
    pull_id bigint, server varchar, form_id varchar, cursor varchar, seen bigint, written bigint, stored_at timestamp
);
create table if not exists raw.form_version (
    server varchar, form_id varchar, version varchar, position integer, xform varchar, observed_at timestamp
);
create table if not exists raw.submission (
    server varchar, form_id varchar, submission_id varchar, instance_id varchar, form_version varchar,
    submitted_at timestamp, updated_at timestamp, review_state varchar, deleted_at timestamp,
    payload varchar, payload_hash varchar, observed_at timestamp, pull_id bigint
);
create table if not exists raw.step (step varchar, fingerprint varchar, done_at timestamp);
create or replace macro raw.as_of(instant) as table
    select * from raw.submission where observed_at <= instant
    qualify row_number() over (partition by form_id, submission_id order by pull_id desc) = 1;
create or replace view raw.current as
    -- Found among the keys alone: sorting whole payloads to find the latest would cost more than reading them.
    -- Few submissions have several versions: the others pass without being looked up among all keys.
    -- One row a submission, even if it reached two servers: the same person must not count twice.
    with several as (
        select form_id, submission_id, max(pull_id) as latest from raw.submission group by all having count(*) > 1
    )
    select submission.* from raw.submission as submission
    left join several using (form_id, submission_id)
    where latest is null or latest = pull_id;
"""


def create(connection: Connection) -> None:
    """Make the raw tables where they are missing."""
    connection.execute(_TABLES)


def cursor(connection: Connection, server: str, form_id: str) -> str | None:
    """Where the last stored page of a form ended; None before the first."""
    found = scalar(
        connection,
        "select cursor from raw.pull where server = ? and form_id = ? order by pull_id desc limit 1",
        [server, form_id],
    )
    return None if found is None else str(found)


def store_versions(connection: Connection, server: str, versions: list[FormVersion]) -> int:
    """Append the form versions not seen before, and return how many there were."""
    written = 0
    for position, version in enumerate(versions):
        key = [server, version.form_id, version.version]
        known = "select 1 from raw.form_version where server = ? and form_id = ? and version = ?"
        if scalar(connection, known, key) is None:
            values = [*key, position, version.xform.decode(), _now()]
            connection.execute("insert into raw.form_version values (?, ?, ?, ?, ?, ?)", values)
            written += 1
    return written


def form_versions(connection: Connection, form_id: str) -> list[FormVersion]:
    """Every version of a form ever seen on any server, oldest first."""
    found = connection.execute(
        # The server that holds most versions knows their order; what only others hold is older history.
        "select version, xform from raw.form_version join ("
        "    select server, count(*) as held from raw.form_version where form_id = $form group by server"
        ") using (server) where form_id = $form"
        " qualify row_number() over (partition by version order by held desc, server) = 1"
        " order by held, observed_at, position",
        {"form": form_id},
    ).fetchall()
    return [FormVersion(form_id, version, xform.encode()) for version, xform in found]


def store_page(connection: Connection, server: str, form_id: str, dialect: Dialect, page: Page) -> int:
    """Append the page's rows that changed, and its cursor, or neither; return how many rows were written."""
    with transaction(connection):
        pull_id = scalar(connection, "select nextval('raw.pull_number')")
        connection.execute(_append(dialect, page), {"server": server, "form": form_id, "now": _now(), "pull": pull_id})
        written = int(scalar(connection, "select count(*) from raw.submission where pull_id = ?", [pull_id]))
        connection.execute(
            "insert into raw.pull values (?, ?, ?, ?, ?, ?, ?)",
            [pull_id, server, form_id, page.cursor, page.rows, written, _now()],
        )
    return written


def state(connection: Connection) -> str:
    """A text that changes whenever raw holds something new."""
    return str(
        connection.execute(
            "select (select count(*) from raw.submission), (select count(*) from raw.form_version)"
        ).fetchone()
    )


def last_done(connection: Connection, step: str) -> str | None:
    """The fingerprint of what a step (`build`, `publish`) last worked from."""
    sql = "select fingerprint from raw.step where step = ? order by done_at desc limit 1"
    found = scalar(connection, sql, [step])
    return None if found is None else str(found)


def remember_done(connection: Connection, step: str, fingerprint: str) -> None:
    """Append the fingerprint of what a step just worked from."""
    connection.execute("insert into raw.step values (?, ?, ?)", [step, fingerprint, _now()])


def _append(dialect: Dialect, page: Page) -> str:
    without_system = "{" + ", ".join(f'"{key}": null' for key in dialect.system) + "}"
    paths = [
        dialect.submission_id,
        dialect.instance_id,
        dialect.form_version,
        dialect.submitted_at,
        dialect.updated_at,
        dialect.review_state,
        dialect.deleted_at,
    ]
    return f"""
        insert into raw.submission
        with page as (
            select json as payload, json_extract_string(json, [{", ".join(map(literal, paths))}]) as x
            from read_json_objects({literal(str(page.path))}, format = 'array', maximum_object_size = 268435456)
        ),
        incoming as (
            select x[1] as submission_id, coalesce(x[2], x[1]) as instance_id, coalesce(x[3], '') as form_version,
                utc(x[4]) as submitted_at, utc(x[5]) as updated_at,
                {_review_state(dialect.review_states)} as review_state, utc(x[7]) as deleted_at,
                payload, sha256(json_merge_patch(payload, {literal(without_system)})) as payload_hash
            from page
            qualify row_number() over (partition by x[1] order by utc(x[5]) desc nulls last) = 1
        ),
        known as (
            select * from raw.submission
            where server = $server and form_id = $form and submission_id in (select submission_id from incoming)
            qualify row_number() over (partition by submission_id order by pull_id desc) = 1
        )
        select $server, $form, incoming.*, $now, $pull
        from incoming left join known using (submission_id)
        where (known.instance_id, known.form_version, known.review_state, known.deleted_at, known.payload_hash)
            is distinct from (incoming.instance_id, incoming.form_version, incoming.review_state,
                              incoming.deleted_at, incoming.payload_hash)
    """


def _review_state(states: Mapping[str, str]) -> str:
    cases = " ".join(f"when {literal(theirs)} then {literal(ours)}" for theirs, ours in states.items())
    return f"case coalesce(x[6], '') {cases} else x[6] end"


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
