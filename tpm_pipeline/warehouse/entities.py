"""Entity lists: every version of every entity ever seen, and what its server said of it, appended and never changed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import orjson

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.records import EntityVersion, Page
from tpm_pipeline.warehouse.db import Connection, literal, run, scalar, transaction, values
from tpm_pipeline.warehouse.raw import now

_TABLES = """
create schema if not exists raw;
create sequence if not exists raw.pull_number;
create table if not exists raw.entity_pull (
    pull_id bigint, server varchar, list varchar, cursor varchar, seen bigint, written bigint, stored_at timestamp
);
create table if not exists raw.entity_state (
    server varchar, list varchar, entity_id varchar, version integer, conflict varchar,
    created_at timestamp, updated_at timestamp, deleted_at timestamp, observed_at timestamp, pull_id bigint
);
create table if not exists raw.entity (
    server varchar, list varchar, entity_id varchar, version integer, label varchar, data varchar,
    base_version integer, conflict varchar, source varchar, creator varchar, created_at timestamp, more varchar,
    observed_at timestamp, pull_id bigint
);
create or replace view raw.entity_history as
    select * from raw.entity
    qualify row_number() over (partition by server, list, entity_id, version order by pull_id desc) = 1;
create or replace view raw.current_entity as
    -- One row an entity, even if it is on two servers.
    with state as (
        select * from raw.entity_state
        qualify row_number() over (partition by list, entity_id order by pull_id desc) = 1
    )
    select server, list, entity_id, version, label, data, state.conflict, source,
        state.created_at, state.updated_at, state.deleted_at, state.observed_at
    from state left join raw.entity_history using (server, list, entity_id, version);
"""
_KNOWN = """
select * from raw.entity_state where server = $server and list = $list
qualify row_number() over (partition by entity_id order by pull_id desc) = 1
"""
_INCOMING = """
select x[1] as entity_id, x[2]::integer as version, x[3] as conflict,
    utc(x[4]) as created_at, utc(x[5]) as updated_at, utc(x[6]) as deleted_at
from (
    select json_extract_string(json, [
        '$.__id', '$.__system.version', '$.__system.conflict',
        '$.__system.createdAt', '$.__system.updatedAt', '$.__system.deletedAt']) as x
    from read_json_objects({path}, format = 'array')
)
"""
# A deleted entity shows its last version only: its history waits until it is restored.
_WAITING = f"""
create or replace temp table waiting_entities as
select known.entity_id, row_number() over (order by known.pull_id, known.entity_id) as n
from ({_KNOWN}) as known
left join raw.entity_history as history using (server, list, entity_id, version)
where history.version is null or (known.deleted_at is null and history.source is null)
"""


def create(connection: Connection) -> None:
    """Make the raw tables where they are missing."""
    connection.execute(_TABLES)


def cursor(connection: Connection, server: str, name: str) -> str | None:
    """Where the last stored page of a list ended; None before the first."""
    sql = "select cursor from raw.entity_pull where server = ? and list = ? order by pull_id desc limit 1"
    found = scalar(connection, sql, [server, name])
    return None if found is None else str(found)


def is_due(connection: Connection, server: str, every: timedelta) -> bool:
    """Tell whether a server's lists were last asked for so long ago, or never."""
    stored_at = scalar(connection, "select max(stored_at) from raw.entity_pull where server = ?", [server])
    return stored_at is None or now() - stored_at >= every


def lists(connection: Connection, server: str) -> list[str]:
    """The lists of a server that have entities which were not deleted."""
    sql = "select distinct list from raw.current_entity where server = ? and deleted_at is null order by list"
    return [name for (name,) in run(connection, sql, [server]).fetchall()]


def store_page(connection: Connection, server: str, name: str, page: Page, *, whole: bool, share: float) -> int:
    """Append what the page says of entities otherwise than raw, and its cursor, or nothing; return how much that was.

    What is not in a `whole` list any more was deleted; more than this share of a list at once is refused (WH-041).
    """
    incoming = _INCOMING.format(path=literal(str(page.path)))
    with transaction(connection):
        pull_id = int(scalar(connection, "select nextval('raw.pull_number')"))
        given = {"server": server, "list": name, "now": now(), "pull": pull_id}
        written = int(scalar(connection, _changed(incoming), given))
        if whole:
            buried = int(scalar(connection, _buried(incoming), given))
            _refuse_too_many(connection, server, name, buried, share)
            written += buried
        run(
            connection,
            "insert into raw.entity_pull values (?, ?, ?, ?, ?, ?, ?)",
            [pull_id, server, name, page.cursor, page.rows, written, now()],
        )
    return written


def waiting(connection: Connection, server: str, name: str, together: int) -> Iterator[list[str]]:
    """Yield the entities whose last version is not here, some together."""
    run(connection, _WAITING, {"server": server, "list": name})
    last, batch = 0, "select n, entity_id from waiting_entities where n > ? order by n limit ?"
    while found := run(connection, batch, [last, together]).fetchall():
        last = found[-1][0]
        yield [entity_id for _, entity_id in found]


def store_versions(
    connection: Connection, server: str, name: str, histories: Mapping[str, Sequence[EntityVersion]]
) -> int:
    """Append the versions of entities that are new, or whose source was unknown; return how many."""
    listed = values(
        (
            *(entity_id, one.version, one.label, _as_json(one.data), one.base_version, one.conflict),
            *(one.source, one.creator, one.created_at, _as_json(one.more)),
        )
        for entity_id, versions in histories.items()
        for one in versions
    )
    if not listed:
        return 0
    with transaction(connection):
        return int(scalar(connection, _appended(listed), {"server": server, "list": name, "now": now()}))


def _changed(incoming: str) -> str:
    return f"""
        insert into raw.entity_state
        select $server, $list, incoming.*, $now, $pull
        from ({incoming}) as incoming left join ({_KNOWN}) as known using (entity_id)
        where (known.version, known.conflict, known.deleted_at)
            is distinct from (incoming.version, incoming.conflict, incoming.deleted_at)
    """


def _buried(incoming: str) -> str:
    return f"""
        insert into raw.entity_state
        select known.* replace ($now as deleted_at, $now as observed_at, $pull as pull_id)
        from ({_KNOWN}) as known anti join ({incoming}) as incoming using (entity_id)
        where deleted_at is null
    """


def _refuse_too_many(connection: Connection, server: str, name: str, buried: int, share: float) -> None:
    known = scalar(connection, f"select count(*) from ({_KNOWN})", {"server": server, "list": name})
    if buried > share * known:
        cause = f"{buried} of its {known} entities are no longer on the server."
        remedy = "If that is right: tpm pull --accept-deletions. If not, nothing was deleted here."
        raise WarehouseError("WH-041", f"entity list {name}", cause, remedy)


def _appended(listed: str) -> str:
    return f"""
        insert into raw.entity
        select $server, $list, col0, col1::integer, col2, col3, col4::integer, col5, col6, col7, utc(col8), col9, $now,
            nextval('raw.pull_number')
        from ({listed}) as incoming where not exists (
            select 1 from raw.entity as known
            where known.server = $server and known.list = $list and known.entity_id = col0 and known.version = col1
                and known.label = col2 and known.data = col3 and (known.source is not null or col6 is null)
        )
        order by col0, col1
    """


def _as_json(found: Mapping[str, object]) -> str:
    return orjson.dumps(found, option=orjson.OPT_SORT_KEYS).decode()
