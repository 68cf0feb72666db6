"""Checks: each query's rows are findings that a person should look at."""

from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.warehouse import graph
from tpm_pipeline.warehouse.db import Connection, QueryError, cause, literal


def run(connection: Connection) -> dict[str, int]:
    """Run `warehouse/checks/*.sql` into checks.constat, and return how many findings each made.

    A query returns `submission_id` and `detail`; it never returns an answer.
    """
    connection.execute("create schema if not exists checks")
    connection.execute(
        "create or replace table checks.constat (constat varchar, submission_id varchar, detail varchar)"
    )
    for model in graph.read(connection, "checks", WAREHOUSE / "checks"):
        try:
            connection.execute(
                f"insert into checks.constat select {literal(model.name)}, submission_id, detail from ({model.sql}\n)"
            )
        except QueryError as error:
            raise WarehouseError("WH-024", f"warehouse/checks/{model.path.name}", cause(error), "Correct it.") from None
    return dict(connection.execute("select constat, count(*) from checks.constat group by 1 order by 1").fetchall())
