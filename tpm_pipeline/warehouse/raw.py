"""Raw: every version of every submission ever seen, appended and never changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from tpm_pipeline.records import Dialect, FormVersion, Page
from tpm_pipeline.warehouse import sealing
from tpm_pipeline.warehouse.db import Connection, insert, literal, scalar, transaction, written

_NOWHERE = "$.__nowhere"
_EACH = "[*]"  # a path to several values cannot be read together with others

_TABLES = """
create schema if not exists raw;
create sequence if not exists raw.pull_number;
create table if not exists raw.pull (
    pull_id bigint, server varchar, form_id varchar, cursor varchar, seen bigint, written bigint, stored_at timestamp
);
create table if not exists raw.sweep (
    server varchar, form_id varchar, cursor varchar, differing bigint, missing bigint, swept_at timestamp
);
create table if not exists raw.form_version (
    server varchar, form_id varchar, version varchar, position integer, xform varchar, observed_at timestamp
);
create table if not exists raw.submission (
    server varchar, form_id varchar, submission_id varchar, instance_id varchar, form_version varchar,
    submitted_at timestamp, updated_at timestamp, review_state varchar, deleted_at timestamp,
    is_sealed boolean, nb_files integer,
    payload varchar using compression zstd, payload_hash varchar, observed_at timestamp, pull_id bigint
);
create table if not exists raw.followed (server varchar, form_id varchar, pull_id bigint, followed_at timestamp);
create table if not exists raw.server (server varchar, dialect varchar, is_flat boolean);
create table if not exists raw.step (step varchar, fingerprint varchar, done_at timestamp);
create or replace macro raw.as_of(instant) as table
    -- Found among the keys alone: sorting whole payloads to find the latest would cost more than reading them.
    -- Few submissions have several versions: the others pass without being looked up among all keys.
    with several as (
        select form_id, submission_id from raw.submission where observed_at <= instant group by all having count(*) > 1
    ),
    last as (
        select form_id, submission_id, max(pull_id) as pull_id, arg_max(deleted_at is null, pull_id) as is_live
        from raw.submission semi join several using (form_id, submission_id)
        where observed_at <= instant group by form_id, submission_id, server
    ),
    -- One row a submission, even if it reached two servers: the same person must not count twice. What one server has
    -- deleted and another still holds is not gone.
    spoken as (select form_id, submission_id, arg_max(pull_id, (is_live, pull_id)) as latest from last group by all)
    select submission.* from raw.submission as submission
    left join spoken using (form_id, submission_id)
    where observed_at <= instant and (latest is null or latest = pull_id);
create or replace view raw.current as from raw.as_of('infinity'::timestamp);
"""


@dataclass(frozen=True)
class Stored:
    """What one page brought: rows seen, rows that were new or changed, and the pulls that hold them."""

    seen: int
    written: int
    pulls: tuple[int, ...]


@dataclass(frozen=True)
class Known:
    """What raw remembers of one form of one server.

    `cursor` is where the last pull ended, None before the first; `is_followed` tells whether what hangs on the rows
    was looked at since the last of them came.
    """

    cursor: str | None
    has_versions: bool
    swept_at: datetime | None
    is_followed: bool

    def is_due(self, every: timedelta) -> bool:
        """Tell whether the last sweep is so long ago, or never was."""
        return self.swept_at is None or now() - self.swept_at >= every


def create(connection: Connection) -> None:
    """Make the raw tables where they are missing."""
    connection.execute(_TABLES)


def known(connection: Connection, server: str, form_id: str, versions: Sequence[str]) -> Known:
    """What is remembered of a form, and whether these versions were seen: one query, as a poll asks twelve times."""
    here, seen = of(server, form_id), {*versions}
    named = ", ".join(map(literal, seen)) or "null"
    last = f"(select max(pull_id) from raw.submission where {here})"
    followed = f"(select max(pull_id) from raw.followed where {here})"
    found = connection.execute(f"""
        select (select arg_max(cursor, pull_id) from raw.pull where {here} and cursor is not null),
            (select count(distinct version) from raw.form_version where {here} and version in ({named})) = {len(seen)},
            (select max(swept_at) from raw.sweep where {here}),
            coalesce({last} <= {followed}, {last} is null)
    """).fetchone()
    return Known(*found) if found else Known(None, has_versions=False, swept_at=None, is_followed=False)


def cursor(connection: Connection, server: str, form_id: str) -> str | None:
    """Where the last stored page of a form ended; None before the first."""
    found = scalar(
        connection,
        f"select cursor from raw.pull where {of(server, form_id)} and cursor is not null order by pull_id desc limit 1",
    )
    return None if found is None else str(found)


def store_versions(connection: Connection, server: str, versions: list[FormVersion]) -> int:
    """Append the form versions not seen before, and return how many there were."""
    written = 0
    for position, version in enumerate(versions):
        if not has_version(connection, server, version.form_id, version.version):
            row = [server, version.form_id, version.version, position, version.xform.decode(), now()]
            insert(connection, "raw.form_version", [row])
            written += 1
    return written


def has_version(connection: Connection, server: str, form_id: str, version: str) -> bool:
    """Tell whether this version of a form was seen on this server."""
    known = f"select 1 from raw.form_version where {of(server, form_id)} and version = {literal(version)}"
    return scalar(connection, known) is not None


def form_versions(connection: Connection, form_id: str) -> list[FormVersion]:
    """Every version of a form ever seen on any server, oldest first."""
    form = literal(form_id)
    found = connection.execute(
        # A server knows the order of its own versions; that of a form which moved is where the last was seen.
        "select version, xform from raw.form_version join ("
        f"    select server, max(observed_at) as seen from raw.form_version where form_id = {form} group by server"
        f") using (server) where form_id = {form}"
        " qualify row_number() over (partition by version order by seen desc, server) = 1"
        " order by seen, server, observed_at, position"
    ).fetchall()
    return [FormVersion(form_id, version, xform.encode()) for version, xform in found]


def store(connection: Connection, server: str, form_id: str, dialect: Dialect, pages: Iterable[Page]) -> Stored:
    """Append the rows that changed and their cursor, page by page, each whole or not at all; files are deleted."""
    parts = iter(pages)
    total = Stored(0, 0, ())
    for first in parts:
        found = _store_page(connection, server, form_id, dialect, chain([first], parts))
        total = Stored(total.seen + found.seen, total.written + found.written, total.pulls + found.pulls)
    return total


def _store_page(connection: Connection, server: str, form_id: str, dialect: Dialect, parts: Iterator[Page]) -> Stored:
    """Append one page's parts: up to the first with a cursor."""
    pulls: list[int] = []
    seen = changed = 0
    with transaction(connection):
        _remember_server(connection, server, dialect)
        is_new = scalar(connection, f"select 1 from raw.submission where {of(server, form_id)} limit 1") is None
        for part in parts:
            pull_id, added = _store_part(connection, server, form_id, dialect, part, is_new=is_new)
            part.path.unlink()
            pulls.append(pull_id)
            seen, changed = seen + part.rows, changed + added
            if part.cursor is not None:
                break
        if dialect.sealed is not None:
            changed -= sealing.keep_opened(connection, server, form_id, dialect, pulls)
    return Stored(seen, changed, tuple(pulls))


def _remember_server(connection: Connection, server: str, dialect: Dialect) -> None:
    known = f"select 1 from raw.server where server = {literal(server)}"
    if scalar(connection, known) is None:
        insert(connection, "raw.server", [[server, dialect.name, dialect.flat]])


def holds_flat(connection: Connection, form_id: str) -> bool:
    """Tell whether some rows of a form came from a server that writes flat keys."""
    flat = "select server from raw.server where is_flat"
    sql = f"select 1 from raw.submission where form_id = {literal(form_id)} and server in ({flat}) limit 1"
    return scalar(connection, sql) is not None


def _store_part(
    connection: Connection, server: str, form_id: str, dialect: Dialect, part: Page, *, is_new: bool
) -> tuple[int, int]:
    pull_id = int(scalar(connection, "select nextval('raw.pull_number')"))
    kept = _changed(connection, server, form_id, dialect, part, is_new=is_new) if part.rows else []
    if kept:
        said = ", ".join(_columns(dialect).values())
        content = content_hash(dialect)
        connection.execute(f"""
            insert into raw.submission
            select {literal(server)}, {literal(form_id)}, {said}, json, {content}, {written(now())}, {pull_id}
            from {_read(dialect, part, kept)}
        """)
    insert(connection, "raw.pull", [[pull_id, server, form_id, part.cursor, part.rows, len(kept), now()]])
    return pull_id, len(kept)


def _changed(
    connection: Connection, server: str, form_id: str, dialect: Dialect, part: Page, *, is_new: bool
) -> list[int]:
    """The numbers of the rows that raw does not know so already; all of them when it knows none of the form.

    Only keys come here: carried through a join or a window, the answers would fill the memory.
    """
    said = _columns(dialect)
    state = f"{said['instance_id']}, {said['form_version']}, {said['review_state']}, x[7] is not null"
    content = content_hash(dialect)
    read = f"select {said['submission_id']}, coalesce(x[5], ''), {state}, {content} from {_read(dialect, part)}"
    latest: dict[str, tuple[str, int, Sequence[Any]]] = {}
    for n, (submission_id, updated_at, *seen) in enumerate(connection.execute(read).fetchall(), 1):
        found = (updated_at, n, seen)
        latest[submission_id] = max(latest.get(submission_id, found), found, key=lambda one: one[:2])
    known = {} if is_new else _known(connection, server, form_id, latest)
    return sorted(n for submission_id, (_, n, seen) in latest.items() if known.get(submission_id) != seen)


def _known(connection: Connection, server: str, form_id: str, ids: Iterable[str]) -> dict[str, Sequence[Any]]:
    """What raw knows last of these submissions."""
    sql = f"""
        select submission_id, instance_id, form_version, review_state, deleted_at is not null, payload_hash
        from raw.submission
        where {of(server, form_id)} and submission_id in ({", ".join(map(literal, ids))}) order by pull_id
    """
    return {submission_id: known for submission_id, *known in connection.execute(sql).fetchall()}


def remember_followed(connection: Connection, server: str, form_id: str) -> None:
    """Append that what hangs on the rows that are here was looked at."""
    last = scalar(connection, f"select max(pull_id) from raw.submission where {of(server, form_id)}")
    insert(connection, "raw.followed", [[server, form_id, last, now()]])


def state(connection: Connection) -> str:
    """A text that changes whenever raw holds something new."""
    return str(
        connection.execute(
            "select (select count(*) from raw.submission), (select count(*) from raw.form_version)"
        ).fetchone()
    )


def last_done(connection: Connection, step: str) -> str | None:
    """The fingerprint of what a step (`build`, `publish`) last worked from."""
    sql = f"select fingerprint from raw.step where step = {literal(step)} order by done_at desc limit 1"
    found = scalar(connection, sql)
    return None if found is None else str(found)


def remember_done(connection: Connection, step: str, fingerprint: str) -> None:
    """Append the fingerprint of what a step just worked from."""
    insert(connection, "raw.step", [[step, fingerprint, now()]])


def of(server: str, form_id: str) -> str:
    """The SQL that narrows to one form of one server."""
    return f"server = {literal(server)} and form_id = {literal(form_id)}"


def _columns(dialect: Dialect) -> dict[str, str]:
    """The SQL of each column that the server says, read from `x`."""
    return {
        "submission_id": "x[1]",
        "instance_id": "coalesce(x[2], x[1])",
        "form_version": "coalesce(x[3], '')",
        # Its microseconds are then the rank's last digits: whoever came first in a second stays first.
        "submitted_at": "utc(x[4]) + to_microseconds(x[11]::bigint % 1000000)" if dialect.rank else "utc(x[4])",
        "updated_at": "utc(x[5])",
        "review_state": review_state(dialect),
        "deleted_at": "utc(x[7])",
        "is_sealed": "x[8] is not null",
        "nb_files": "coalesce(try_cast(x[9] as integer), json_array_length(x[9]), 0)"
        if dialect.attachments
        else "null",
    }


def _read(dialect: Dialect, page: Page, kept: Sequence[int] = ()) -> str:
    """The rows of a page as `json`, with what the dialect finds in each as `x`; only those `kept`, if any are named."""
    rows = rows_of(page.path)
    if kept and len(kept) < page.rows:
        numbers = ", ".join(map(str, kept))
        rows = f"(select json from (select json, row_number() over () as n from {rows}) where n in ({numbers}))"
    return f"(select json, {readings(dialect)} as x from {rows})"


def readings(dialect: Dialect) -> str:
    """The SQL of what the dialect finds in a row's `json`: its columns, then what tells its content."""
    paths = [
        dialect.submission_id,
        dialect.instance_id,
        dialect.form_version,
        dialect.submitted_at,
        dialect.updated_at,
        dialect.review_state,
        dialect.deleted_at,
        dialect.sealed or _NOWHERE,
        dialect.attachments or _NOWHERE,
        dialect.corrected or _NOWHERE,
        dialect.rank or _NOWHERE,
        *(path for path in dialect.content if _EACH not in path),
    ]
    return f"json_extract_string(json, [{', '.join(map(literal, paths))}])"


def rows_of(*paths: Path) -> str:
    """The SQL that reads files of one JSON array each, a row for each element, as `json`."""
    files = ", ".join(literal(str(path)) for path in paths)
    # DuckDB sets twice this aside on each core before it reads.
    largest = max(path.stat().st_size for path in paths)
    return f"read_json_objects([{files}], format = 'array', maximum_object_size = {largest})"


def content_hash(dialect: Dialect) -> str:
    """The SQL of what differs when the answers do, read from `x` and `json`."""
    if dialect.content:
        listed = [f"json_extract_string(json, {literal(path)})" for path in dialect.content if _EACH in path]
        return f"sha256({' || '.join(f'({value})::varchar' for value in ('x[12:]', *listed))})"
    without_system = "{" + ", ".join(f'"{key}": null' for key in dialect.system) + "}"
    return f"sha256(json_merge_patch(json, {literal(without_system)}))"


def review_state(dialect: Dialect) -> str:
    """The SQL that translates the server's word, `x[6]`; what nobody reviewed was received, or corrected since."""
    cases = " ".join(f"when {literal(theirs)} then {literal(ours)}" for theirs, ours in dialect.review_states.items())
    said = f"case coalesce(x[6], '') {cases} else x[6] end"
    return f"case when x[6] is null and x[10] is not null then 'edited' else {said} end"


def now() -> datetime:
    """The moment, as raw writes it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)
