"""A project into raw: the rows of its forms, what hangs on them, and its entity lists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from tpm_pipeline.pulling import attachments, comments, rows
from tpm_pipeline.pulling import entities as lists
from tpm_pipeline.pulling.rows import Into, Wishes, patiently
from tpm_pipeline.records import PullReport
from tpm_pipeline.servers.base import Server
from tpm_pipeline.warehouse import entities, raw

# Entities change with the forms that write them; what a hand changes on the server alone waits so long.
_LISTS_EVERY = timedelta(hours=1)


def bring(server: Server, into: Into, forms: Sequence[str], wishes: Wishes) -> list[PullReport]:
    """Bring what changed; where nothing did, each form costs one request."""
    entities.create(into.connection)
    current = server.current()
    reports = [_form(server, into, form_id, current, wishes) for form_id in forms]
    swept = any(report.swept for report in reports)
    if swept or any(report.seen for report in reports) or entities.is_due(into.connection, server.name, _LISTS_EVERY):
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
    return reports


def _form(server: Server, into: Into, form_id: str, current: Mapping[str, Sequence[str]], wishes: Wishes) -> PullReport:
    report = rows.bring(server, into, form_id, current, wishes)
    if not report.pending:
        return report
    hanging = (server, into.connection)
    files = patiently(
        into, lambda: attachments.bring(*hanging, into.settings, form_id, into.progress, sweep=report.swept)
    )
    if server.has_comments:
        patiently(into, lambda: comments.bring(*hanging, form_id, into.progress, sweep=report.swept))
    raw.remember_followed(into.connection, server.name, form_id)
    return replace(report, files=files, pending=False)
