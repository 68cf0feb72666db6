"""What every publication is given, and what it says when it cannot be written."""

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tpm_pipeline.errors import PublicationError
from tpm_pipeline.indicators.logframe import Logframe
from tpm_pipeline.warehouse.db import Connection, QueryError


@dataclass(frozen=True)
class PublicationContext:
    """What a writer needs beside the values. `refreshed_at` is in UTC; `small_cell` is the least count shown."""

    framework: Logframe
    refreshed_at: datetime
    today: date
    synthetic: bool
    small_cell: int


# A file of ours that is missing is not among them.
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EFBIG, errno.EIO}
Writer = Callable[[Connection, Path, PublicationContext], None]


@contextmanager
def intact_on_failure(target: Path) -> Iterator[None]:
    """Tell a person that a file could not be written; the old one is still there."""
    try:
        yield
    except (OSError, QueryError) as error:
        if not _is_of_writing(error):
            raise
        raise PublicationError(
            "PUB-002",
            target.name,
            "The file could not be written; the previous one is intact.",
            "Free disk space or memory, check that the folder can be written, then run `tpm refresh` again.",
        ) from error


def _is_of_writing(error: OSError | QueryError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _OF_WRITING
    return str(error).startswith(("IO Error", "Out of Memory"))
