"""Refresh the indicators: pull each form, build the warehouse, publish.

`python -m flows.refresh` runs it once, `python -m flows.refresh schedule` at the hour below.
"""

import sys
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from tpm_pipeline import jobs, settings
from tpm_pipeline.errors import TpmError
from tpm_pipeline.records import PullReport

CRON = "0 5 * * *"


def worth_retrying(_task: Any, _run: Any, state: Any) -> bool:
    """Retry only what the error says a second try can help."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, TpmError) and error.retryable


@task(
    retries=3,
    retry_delay_seconds=[5, 60, 300],
    retry_condition_fn=worth_retrying,
    cache_policy=NO_CACHE,
)
def pull() -> list[PullReport]:
    """Bring every form's submissions into raw; what it can wait for itself is over by then."""
    return jobs.pull(settings.load(), jobs.form_ids())


@task(cache_policy=NO_CACHE)
def build() -> None:
    """Rebuild staging, marts and indicators."""
    jobs.build(settings.load())


@task(cache_policy=NO_CACHE)
def publish() -> list[str]:
    """Write every publication."""
    return [path.name for path in jobs.publish(settings.load())]


@flow(name="refresh", validate_parameters=False)
def refresh() -> str:
    """Pull every form, then build and publish if anything changed."""
    written = sum(report.written for report in pull())
    if jobs.is_current(settings.load()):
        return "Nothing new: the publications are up to date."
    build()
    publish()
    return f"{written} new or changed submissions; publications written."


if __name__ == "__main__":
    if sys.argv[1:] == ["schedule"]:
        refresh.serve(name="refresh", cron=CRON, limit=1)
    else:
        sys.stdout.write(f"{refresh()}\n")
