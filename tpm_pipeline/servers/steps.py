"""A deployment as steps: each says what it would change, and can do it once what it stands on exists."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tpm_pipeline.records import Change

Ground = TypeVar("Ground")


def _nothing(_ground: Any) -> None:
    pass


@dataclass(frozen=True)
class Step(Generic[Ground]):
    """A line of the plan, and what does it."""

    change: Change
    do: Callable[[Ground], object] = _nothing


def counted(number: int, word: str) -> str:
    """A number of things, in words."""
    return f"{number} {word}{'s' * (number > 1)}"


def in_order(steps: Iterable[Step[Ground]]) -> list[Step[Ground]]:
    """What is taken from somebody goes first: a lost phone waits for nothing."""
    return sorted(steps, key=lambda step: step.change.action != "revoke")


def shown(steps: Iterable[Step[Ground]]) -> list[Change]:
    """The lines of the plan, what a hand changed first."""
    return sorted((step.change for step in steps), key=lambda change: change.action != "drift")
