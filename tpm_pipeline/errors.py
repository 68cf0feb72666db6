"""Every error a user can cause: a code, a place, a cause and a remedy. Imports nothing of ours.

TpmError
├── SettingsError      SET-xxx  exit 10  a setting, a secret or a file of the installation
├── FormError          FORM-xxx exit 11  an XLSForm: where it is wrong, sheet and row
├── ServerError        SRV-xxx  exit 12  a server that refuses, fails or answers nonsense
│   └── ServerUnavailableError            the same request may succeed later (retryable)
├── WarehouseError     WH-xxx   exit 13  the database, a mart, a cleaning log
│   └── DatabaseLockedError               another process is writing (retryable)
├── IndicatorError     IND-xxx  exit 14  a declaration, a query or an example of an indicator
└── PublicationError   PUB-xxx  exit 15  a file that could not be written
"""

from collections.abc import Sequence
from typing import ClassVar


class TpmError(Exception):
    """An error to show to a person: `code · where: what. remedy`."""

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, code: str, where: str, cause: str, remedy: str) -> None:
        self.code, self.where, self.cause, self.remedy = code, where, cause, remedy
        super().__init__(f"{code} · {where}: {cause} {remedy}")


class SettingsError(TpmError):
    """A setting, a secret or a file of the installation is missing or wrong."""

    exit_code = 10


class FormError(TpmError):
    """An XLSForm cannot be read, compiled or deployed."""

    exit_code = 11


class ServerError(TpmError):
    """A server refused, or answered something that cannot be believed."""

    exit_code = 12


class ServerUnavailableError(ServerError):
    """A server did not answer, or not completely: trying again can help."""

    retryable = True


class WarehouseError(TpmError):
    """The database, a mart or a cleaning log is wrong."""

    exit_code = 13


class DatabaseLockedError(WarehouseError):
    """Another process holds the database: trying again can help."""

    retryable = True


class IndicatorError(TpmError):
    """An indicator's declaration, query or example is wrong."""

    exit_code = 14


class PublicationError(TpmError):
    """A publication could not be written."""

    exit_code = 15


def together(errors: Sequence[TpmError]) -> TpmError:
    """The first error, with the others beside it."""
    first, *others = errors
    for other in others:
        first.add_note(str(other))
    return first
