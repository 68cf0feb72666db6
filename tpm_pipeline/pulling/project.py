"""A project into raw: the rows of its forms, what hangs on them, and its entity lists."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from tpm_pipeline.errors import TpmError
from tpm_pipeline.pulling import attachments, comments, rows
from tpm_pipeline.pulling import entities as lists
from tpm_pipeline.pulling.rows import Into, Wishes, patiently
from tpm_pipeline.records import Brought, PullReport
from tpm_pipeline.servers.base import Server
from tpm_pipeline.warehouse import entities, raw

# Entities change with the forms that write them; what a hand changes on the server alone waits so long.
_LISTS_EVERY = timedelta(hours=1)


def bring(server: Server, into: Into, forms: Sequence[str], wishes: Wishes, beside: Collection[str] = ()) -> Brought:
    """Bring what changed in these forms, and in those `beside` that the server has too.

    Where nothing did, each form costs one request. A form that fails keeps no other from coming, and its error comes
    beside; a server that is away ends it.
    """
    entities.create(into.connection)
    reports, errors = list[PullReport](), list[TpmError]()
    try:
        current = server.current()
        for form_id in [*forms, *(one for one in beside if one in current)]:
            try:
                reports.append(_form(server, into, form_id, current, wishes))
            except TpmError as error:
                if error.retryable:
                    raise
                errors.append(error)
        _lists(server, into, reports, wishes)
    except TpmError as error:
        errors.append(error)
    return reports, errors


def _form(server: Server, into: Into, form_id: str, current: Mapping[str, Sequence[str]], wishes: Wishes) -> PullReport:
    report = rows.bring(server, into, form_id, current, wishes)
    if report.pending:
        report = _followed(server, into, report)
    if report.unread:
        raise report.unread
    return report


def _followed(server: Server, into: Into, report: PullReport) -> PullReport:
    """Bring what hangs on the rows."""
    hanging, form_id = (server, into.connection), report.form_id
    files = patiently(
        into, lambda: attachments.bring(*hanging, into.settings, form_id, into.progress, sweep=report.swept)
    )
    if server.has_comments:
        patiently(into, lambda: comments.bring(*hanging, form_id, into.progress, sweep=report.swept))
    raw.remember_followed(into.connection, server.name, form_id)
    return replace(report, files=files, pending=False)


def _lists(server: Server, into: Into, reports: Sequence[PullReport], wishes: Wishes) -> None:
    swept = any(report.swept for report in reports)
    is_due = swept or any(report.seen for report in reports)
    if is_due or entities.is_due(into.connection, server.name, _LISTS_EVERY):
        patiently(
            into,
            lambda: lists.bring(
                server,
                into.connection,
                into.settings,
                into.progress,
                sweep=swept,
                accept_deletions=wishes.accept_deletions,
            ),
        )
