"""A process that has imported what a pull needs, and for each line it is given lets a child pull.

Run as a program: python -m tests.pulling.forked; the settings come from the environment.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Pulls:
    """The parent of pulls that may be killed."""

    given: IO[str]
    told: IO[str]

    def pull(self, form_id: str, data: Path, *, sweep: bool, kill_after_s: float | None = None) -> bool:
        """Let a child pull; tell whether it ended well. It is killed when it still runs after so long."""
        self.given.write(f"{form_id} {int(sweep)} {data}\n")
        self.given.flush()
        child = int(self.told.readline())
        if kill_after_s is not None and not _told_within(self.told, kill_after_s):
            os.kill(child, signal.SIGKILL)
        status = int(self.told.readline())
        assert os.WIFSIGNALED(status) or status == 0
        return status == 0

    def timed(self, form_id: str, data: Path, *, sweep: bool) -> float:
        """Seconds of a pull that nobody kills."""
        began = time.monotonic()
        assert self.pull(form_id, data, sweep=sweep)
        return time.monotonic() - began


@contextmanager
def forking(environment: Mapping[str, str]) -> Iterator[Pulls]:
    """Start the process that forks."""
    command = [sys.executable, "-m", "tests.pulling.forked"]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Pulls(process.stdin, process.stdout)
        process.stdin.close()


def _told_within(told: IO[str], seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(told, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def main() -> None:
    from tests.pulling.pull_once import pull

    _say("ready")
    for line in sys.stdin:
        form_id, sweep, data = line.rstrip("\n").split(" ", 2)
        child = os.fork()
        if child == 0:
            pull(form_id, Path(data), sweep=sweep == "1")
            os._exit(0)
        _say(child)
        _say(os.waitpid(child, 0)[1])


def _say(what: object) -> None:
    print(what, flush=True)  # noqa: T201 - to the parent


if __name__ == "__main__":
    main()
