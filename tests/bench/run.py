"""`make bench`: each figure beside its reference, measured in the same run.

TPM_BENCH_VISITS says how many visits the last table has; one million when it is not set.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import population, pull, pull_kobo
from tests.bench.clock import best, ratio, say, timed

TPM = [sys.executable, "-m", "tpm_pipeline.cli"]


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _help()
        _demo(place / "demo")
        if os.environ.get("TPM_TEST_CENTRAL_URL"):
            pull.run(place)
        else:
            say("pull from Central", "waits for TPM_TEST_CENTRAL_URL, _EMAIL and _PASSWORD")
        if os.environ.get("TPM_TEST_KOBO_URL"):
            pull_kobo.run(place)
        else:
            say("pull from KoboToolbox", "waits for TPM_TEST_KOBO_URL and TPM_TEST_KOBO_TOKEN")
        _warehouse(population.demo(place / "population"))


def _help() -> None:
    ours = best(lambda: subprocess.run([*TPM, "--help"], check=True, capture_output=True))
    bare = best(lambda: subprocess.run([sys.executable, "-c", "import typer"], check=True))
    ratio("tpm --help", ours, bare, "python -c 'import typer'", "≤ 0.3 s")


def _demo(data: Path) -> None:
    env = {**os.environ, "TPM_DATA": str(data), "TPM_SERVER": "local", "PREFECT_HOME": str(data / "prefect")}
    steps = {
        "demo: make up and send": [*TPM, "demo"],
        "demo: Prefect flow": [sys.executable, "-m", "flows.refresh"],
        "demo: Prefect flow, nothing new": [sys.executable, "-m", "flows.refresh"],
        "tpm refresh, nothing new": [*TPM, "refresh"],
    }
    taken = []
    for name, command in steps.items():
        taken.append(_run(command, env))
        say(name, f"{taken[-1]:7.2f} s")
    say("demo: the two first together", f"{sum(taken[:2]):7.2f} s   wanted: ≤ 90 s")


def _run(command: list[str], env: dict[str, str]) -> float:
    return timed(lambda: subprocess.run(command, env=env, check=True, capture_output=True))


def _warehouse(store: Path) -> None:
    """A quarter, then all: twice in a process of its own, so that each tells its memory."""
    visits = int(os.environ.get("TPM_BENCH_VISITS", "1000000"))
    for part in (visits // 4, visits):
        subprocess.run([sys.executable, "-m", "tests.bench.million", str(part), str(store)], check=True)


if __name__ == "__main__":
    main()
