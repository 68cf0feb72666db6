"""What a deployment would change, what it would break, and doing it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tpm_pipeline.deploying.access import refuse_public_cases
from tpm_pipeline.errors import FormError
from tpm_pipeline.indicators import effects
from tpm_pipeline.indicators.effects import Comparison
from tpm_pipeline.records import Access, Change, CompiledForm
from tpm_pipeline.servers.base import Progress, Server, refuse_drift, silent


@dataclass(frozen=True)
class Deployment:
    """Forms and people on their way to a server; `broken` is what its forms lose that marts and indicators read."""

    server: Server
    forms: Sequence[CompiledForm]
    access: Access
    changes: Sequence[Change]
    broken: Comparison


def prepare(server: Server, forms: Sequence[CompiledForm], access: Access, progress: Progress = silent) -> Deployment:
    """Compare what is here with what the server has, changing nothing."""
    refuse_public_cases(access, forms)
    progress(f"comparing with {server.name}")
    changes = server.plan(forms, access)
    progress("following what changes into marts and indicators")
    return Deployment(server, forms, access, changes, _broken(server, forms, access))


def lines(deployments: Sequence[Deployment]) -> Iterator[str]:
    """Say the plan, by server where there are several."""
    for deployment in deployments:
        if len(deployments) > 1:
            yield f"{deployment.server.name}:"
        yield from _lines(deployment)


def _lines(deployment: Deployment) -> Iterator[str]:
    """Say what a hand changed, what would break, then what would be done."""
    said = [f"{change.action}: {change.what}" for change in deployment.changes]
    drifts = sum(change.action == "drift" for change in deployment.changes)
    yield from said[:drifts]
    if deployment.broken.breaking:
        yield from effects.lines(deployment.broken)
    yield from said[drifts:]


def refuse(deployments: Sequence[Deployment]) -> None:
    """Refuse to overwrite what a hand changed, and to break marts and indicators that read the answers there are."""
    for deployment in deployments:
        _refuse(deployment)


def _refuse(deployment: Deployment) -> None:
    refuse_drift(deployment.server.name, deployment.changes)
    lost = [_said(form.form_id, effect) for form in deployment.broken.forms for effect in form.effects]
    if found := [line for line in lost if line]:
        remedy = "Undo it, or deploy with --force when nothing needs the old answers as they were."
        raise FormError("FORM-031", deployment.server.name, f"This deployment breaks. {'. '.join(found)}.", remedy)


def carry_out(deployments: Sequence[Deployment], *, force: bool = False, progress: Progress = silent) -> list[Change]:
    """Make each server hold its part; what a hand changed, and what breaks, on any of them only with `force`."""
    if not force:
        refuse(deployments)
    done = [
        deployment.server.deploy(deployment.forms, deployment.access, force=force, progress=progress)
        for deployment in deployments
    ]
    return [change for changes in done for change in changes]


def _broken(server: Server, forms: Sequence[CompiledForm], access: Access) -> Comparison:
    here = {form.form_id: form for form in forms if form.form_id not in access.retired}
    there = server.current()
    changed = [form_id for form_id, form in here.items() if there.get(form_id, (form.version,)) != (form.version,)]
    if not changed:
        return Comparison()
    old = {form_id: server.versions(form_id)[-1].xform for form_id in changed}
    new = {form_id: form.xform for form_id, form in here.items()}
    return effects.diff(old, new, new, changed)


def _said(form_id: str, effect: effects.Effect) -> str:
    if effect.difference.level != "breaking":
        return ""
    reached = ", ".join((*effect.marts, *effect.indicators, *effect.files))
    return f"{form_id}: {effect.difference.kind}, {effect.difference.what}" + (
        f", read by {reached}" if reached else ""
    )
