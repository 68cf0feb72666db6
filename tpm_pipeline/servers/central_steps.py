"""A deployment to Central as steps: each says what it would change, and can do it once the project exists."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tpm_pipeline.records import Change

OFFICE = "code_bureau"
"""The property by which Central knows whose phone and whose case it is."""

NOT_FOUND, ALREADY_THERE = "404.1", "409.3"


def _nothing(_project: int) -> None:
    pass


@dataclass(frozen=True)
class Step:
    """A line of the plan, and what does it in a project."""

    change: Change
    do: Callable[[int], object] = _nothing


def counted(number: int, word: str) -> str:
    """A number of things, in words."""
    return f"{number} {word}{'s' * (number > 1)}"


def in_order(steps: Iterable[Step]) -> list[Step]:
    """What is taken from somebody goes first: a lost phone waits for nothing."""
    return sorted(steps, key=lambda step: step.change.action != "revoke")


def shown(steps: Iterable[Step]) -> list[Change]:
    """The lines of the plan, what a hand changed first."""
    return sorted((step.change for step in steps), key=lambda change: change.action != "drift")
