"""From migrant reception offices' forms to logframe indicators."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(
    table: str, labels: Literal["fr", "ar", "en"] | None = None, database: Path | str | None = None
) -> "DataFrame":
    """Read a table of the analysts' file into pandas, with labels instead of codes in a language when asked."""
    # Nobody who imports the package waits for pandas.
    from tpm_pipeline.publications import frames

    return frames.frame(table, labels, database)
