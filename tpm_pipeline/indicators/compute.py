"""From facts to values: every period, every disaggregation, once."""

from datetime import date

from tpm_pipeline.indicators import cells, facts, logframe, store, values
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.warehouse import graph
from tpm_pipeline.warehouse.db import Connection, transaction


def compute(connection: Connection, framework: Logframe, today: date) -> None:
    """Rebuild the `indicators` schema from the marts, for the periods begun by `today`."""
    # Temporary tables only, and outside the transaction: what a transaction wrote itself, DuckDB reads on one core.
    values.prepare(connection, framework, today)
    cells.create(connection)
    for indicator in framework.indicators:
        graph.check_reads(connection, "indicators", f"{indicator.code}.sql", logframe.query(indicator))
        cells.fill(connection, indicator, facts.bind(connection, indicator))
    with transaction(connection):
        store.create(connection, framework)
        values.write(connection)
    connection.execute("drop table cell")
    values.clear(connection)
