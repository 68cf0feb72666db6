"""Several servers into one warehouse: one that fails does not keep the others from being brought."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from tpm_pipeline.errors import TpmError
from tpm_pipeline.pulling import project
from tpm_pipeline.pulling.rows import Into, Wishes
from tpm_pipeline.records import PullReport
from tpm_pipeline.servers.base import Server

Brought = tuple[list[PullReport], list[TpmError]]


def bring(
    shares: Iterable[tuple[Server, Collection[str]]], into: Into, forms: Sequence[str], wishes: Wishes
) -> Brought:
    """Bring of each server these forms, as far as it has them; the errors of those that failed come beside."""
    reports, errors = list[PullReport](), list[TpmError]()
    for server, share in shares:
        try:
            brought = project.bring(server, into, _here(server, forms, share), wishes)
        except TpmError as error:
            errors.append(error)
        else:
            reports += [replace(report, server=server.name) for report in brought]
    return reports, errors


def together(errors: Sequence[TpmError]) -> TpmError:
    """The first error, with the others beside it."""
    first, *others = errors
    for other in others:
        first.add_note(str(other))
    return first


def _here(server: Server, forms: Sequence[str], share: Collection[str]) -> list[str]:
    """The forms of a server's share, and those it has beside: what came before they moved, what phones still hold."""
    beside = {*forms} - {*share}
    there = server.current() if beside else ()
    return [one for one in forms if one in share or one in there]
