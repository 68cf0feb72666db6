"""Time, and figures printed beside their reference."""

import sys
import time
from collections.abc import Callable

ROUNDS = 5


def say(name: str, figure: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{name:34} {figure}\n")
    sys.stdout.flush()


def ratio(name: str, ours: float, theirs: float, reference: str, most: str) -> None:
    """Print a time beside its reference."""
    say(name, f"{ours:7.2f} s   {ours / theirs:5.2f} × {reference} ({theirs:.2f} s)   wanted: {most}")


def timed(run: Callable[[], object]) -> float:
    """Seconds that one run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def best(run: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of the fastest of several runs."""
    return min(timed(run) for _ in range(rounds))
