"""Answers that were opened once and come encrypted again, as without the key: they stay open."""

from collections.abc import Iterable

from tpm_pipeline.records import Dialect
from tpm_pipeline.warehouse.db import Connection, literal, scalar

_KEPT = ("instance_id", "form_version", "is_sealed", "nb_files", "payload", "payload_hash")


def keep_opened(connection: Connection, server: str, form_id: str, dialect: Dialect, pulls: Iterable[int]) -> int:
    """Give the sealed rows that these pulls just appended what raw knows of the same answers.

    A row that then says nothing new is taken out again; return how many were.
    """
    here = f"server = {literal(server)} and form_id = {literal(form_id)}"
    arrived = ", ".join(map(str, pulls)) or "null"
    if not scalar(connection, f"select count(*) from raw.submission where is_sealed and pull_id in ({arrived})"):
        return 0
    connection.execute(f"create or replace temp table resealed as {_resealed(dialect, here, arrived)}")
    if not scalar(connection, "select count(*) from resealed"):
        return 0
    row = f"{here} and row.submission_id = resealed.submission_id and row.pull_id = resealed.pull_id"
    kept = ", ".join(f"{name} = resealed.{name}" for name in _KEPT)
    connection.execute(f"update raw.submission as row set {kept} from resealed where {row}")
    connection.execute(f"delete from raw.submission as row using resealed where is_known and {row}")
    return int(scalar(connection, "select count(*) from resealed where is_known"))


def _resealed(dialect: Dialect, here: str, arrived: str) -> str:
    """The rows of these pulls whose answers are encrypted and were open before, with what was known of them."""
    # What can be read of a sealed row, as how often it was edited, tells whether the answers are still the same.
    same = " and ".join(
        f"coalesce(json_extract_string(row.payload, {path}) = json_extract_string(known.payload, {path}),"
        f" json_extract_string(row.payload, {path}) is null)"
        for path in map(literal, dialect.content)
        if path != literal(str(dialect.sealed))
    )
    return f"""
        with pairs as (
            select row.submission_id, row.pull_id, max(known.pull_id) as known_id
            from raw.submission as row join raw.submission as known using (server, form_id, submission_id)
            where {here} and row.is_sealed and row.pull_id in ({arrived}) and known.pull_id < row.pull_id
            group by all
        )
        select pairs.submission_id, pairs.pull_id, {", ".join(f"known.{name}" for name in _KEPT)},
            (row.review_state, row.deleted_at) is not distinct from (known.review_state, known.deleted_at) as is_known
        from pairs
        join (select * from raw.submission where {here}) as row using (submission_id, pull_id)
        join (select * from raw.submission where {here}) as known
            on known.submission_id = pairs.submission_id and known.pull_id = known_id
        where row.is_sealed and not known.is_sealed and {same or "true"}
    """
