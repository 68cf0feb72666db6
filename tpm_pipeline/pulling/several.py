"""Several servers into one warehouse: one that fails does not keep the others from being brought."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from tpm_pipeline.errors import TpmError
from tpm_pipeline.pulling import project
from tpm_pipeline.pulling.rows import Into, Wishes
from tpm_pipeline.records import Brought, PullReport
from tpm_pipeline.servers.base import Server


def bring(
    shares: Iterable[tuple[Server, Collection[str]]], into: Into, forms: Sequence[str], wishes: Wishes
) -> Brought:
    """Bring of each server these forms of its share, and those it has beside: from before they moved, from a phone."""
    reports, errors = list[PullReport](), list[TpmError]()
    for server, share in shares:
        own = [one for one in forms if one in share]
        beside = [one for one in forms if one not in share]
        found, failed = project.bring(server, into, own, wishes, beside)
        reports += [replace(report, server=server.name) for report in found]
        errors += failed
    return reports, errors
