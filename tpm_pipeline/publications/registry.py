"""Every publication: one line per format."""

from datetime import UTC, date, datetime
from pathlib import Path

from tpm_pipeline.errors import PublicationError
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.publications import analysts, dashboard
from tpm_pipeline.publications.base import PublicationContext, Writer, intact_on_failure
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse.db import Connection, scalar

# The name of the setting that says where the file goes, and its writer.
PUBLICATIONS: dict[str, Writer] = {
    "analysts_db": analysts.write,
    "dashboard": dashboard.write,
}


def publish(connection: Connection, settings: Settings, framework: Logframe, today: date) -> list[Path]:
    """Write every publication from the warehouse in use, and return their paths."""
    if not scalar(connection, "select count(*) from duckdb_tables() where schema_name = 'indicators'"):
        raise PublicationError("PUB-003", settings.private_db.name, "No indicator was computed.", "Run `tpm refresh`.")
    context = PublicationContext(
        framework, datetime.now(UTC), today, synthetic=settings.data.name == "demo", small_cell=settings.small_cell
    )
    return [_write(connection, getattr(settings, name), writer, context) for name, writer in PUBLICATIONS.items()]


def _write(connection: Connection, target: Path, writer: Writer, context: PublicationContext) -> Path:
    with intact_on_failure(target):
        writer(connection, target, context)
    return target
