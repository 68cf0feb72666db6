"""Refresh the indicators: pull each form, build the warehouse, publish, and give phones their lists.

`python -m flows.refresh` runs it once, `python -m flows.refresh schedule` at the hour below.
"""

import sys
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from tpm_pipeline import jobs, settings
from tpm_pipeline.errors import TpmError, together
from tpm_pipeline.records import Brought, PullReport

CRON = "0 5 * * *"
_WAITS = (5, 60, 300)


def worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """Retry only what the error says a second try can help."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, TpmError) and error.retryable


@task(
    retries=len(_WAITS),
    retry_delay_seconds=[*_WAITS],
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,
)
def pull(kind: settings.Kind) -> Brought:
    """Bring the submissions of one server into raw; what it can wait for itself is over by then."""
    reports, errors = jobs.pull(settings.load(), jobs.form_ids(), only=kind)
    # The one that a second try can help decides: a server that is away is asked again.
    errors.sort(key=lambda error: not error.retryable)
    if errors and (errors[0].retryable or not reports):
        raise together(errors)
    return reports, errors


@task(cache_policy=NO_CACHE)
def build() -> None:
    """Rebuild staging, marts and indicators."""
    jobs.build(settings.load())


@task(cache_policy=NO_CACHE)
def publish() -> list[str]:
    """Write every publication."""
    return [path.name for path in jobs.publish(settings.load())]


@task(
    retries=len(_WAITS),
    retry_delay_seconds=[*_WAITS],
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,
)
def share() -> list[str]:
    """Give phones the lists as they are now, also those that could not be given the last time."""
    return [change.what for change in jobs.share(settings.load())]


@flow(name="refresh", validate_parameters=False)
def refresh() -> str:
    """Pull every form, build and publish if anything changed, share; what fails does not stop the others."""
    states: list[Any] = [pull(kind, return_state=True) for kind in settings.load().kinds]
    brought = [state.result() for state in states if state.is_completed()]
    errors = [error for _, failed in brought for error in failed]
    if brought:
        said = publish_news([report for reports, _ in brought for report in reports])
        states.append(share(return_state=True))
    errors += [state.result(raise_on_failure=False) for state in states if not state.is_completed()]
    if errors:
        raise together(errors)
    return said


def publish_news(pulled: list[PullReport]) -> str:
    """Build and publish if anything changed."""
    if jobs.is_current(settings.load()):
        return "Nothing new: the publications are up to date."
    build()
    publish()
    written = sum(report.written for report in pulled)
    return f"{written} new or changed submissions; publications written."


if __name__ == "__main__":
    if sys.argv[1:] == ["schedule"]:
        refresh.serve(name="refresh", cron=CRON, limit=1)
    else:
        sys.stdout.write(f"{refresh()}\n")
