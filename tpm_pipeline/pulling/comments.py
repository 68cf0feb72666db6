"""Review comments into raw: no timestamp tells of them, so they are asked for beside each review and edit."""

from collections.abc import Callable

from tpm_pipeline.servers.base import Server
from tpm_pipeline.warehouse import comments
from tpm_pipeline.warehouse.db import Connection


def bring(
    server: Server, connection: Connection, form_id: str, progress: Callable[[str], None], *, sweep: bool = False
) -> int:
    """Bring the comments of submissions reviewed or edited since they were asked for; return how many were new.

    At a sweep every reviewed or edited submission is asked about: a comment can be written at any time.
    """
    comments.create(connection)
    new = 0
    for submission in comments.waiting(connection, server.name, form_id, sweep=sweep):
        found = server.comments(form_id, submission[0])
        written = comments.store(connection, server.name, form_id, submission, found)
        new += written
        if written:
            progress(f"{form_id}: {new} comments")
    return new
