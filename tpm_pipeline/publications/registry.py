"""Every publication: one line per format."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from tpm_pipeline.errors import PublicationError
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.publications import analysts, dashboard
from tpm_pipeline.publications.base import PublicationContext, Writer, intact_on_failure
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse.db import Connection, scalar

# Where the file goes, and its writer.
PUBLICATIONS: tuple[tuple[Callable[[Settings], Path], Writer], ...] = (
    (lambda settings: settings.analysts_db, analysts.write),
    (lambda settings: settings.dashboard, dashboard.write),
)


def places(settings: Settings) -> list[Path]:
    """Where every publication goes."""
    return [place(settings) for place, _ in PUBLICATIONS]


def publish(connection: Connection, settings: Settings, framework: Logframe, today: date) -> list[Path]:
    """Write every publication from the warehouse in use, and return their paths."""
    if not scalar(connection, "select count(*) from duckdb_tables() where schema_name = 'indicators'"):
        raise PublicationError("PUB-003", settings.private_db.name, "No indicator was computed.", "Run `tpm refresh`.")
    synthetic = settings.synthetic_marker.exists()
    context = PublicationContext(
        framework, datetime.now(UTC), today, synthetic=synthetic, small_cell=settings.small_cell
    )
    return [_write(connection, place(settings), writer, context) for place, writer in PUBLICATIONS]


def _write(connection: Connection, target: Path, writer: Writer, context: PublicationContext) -> Path:
    with intact_on_failure(target):
        writer(connection, target, context)
    return target
