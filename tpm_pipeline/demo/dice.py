"""Chance that repeats: the same seed throws the same dice (synthetic data only)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


class Dice:
    """One stream of chance."""

    def __init__(self, seed: int | str) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose, guards no secret

    def chance(self, probability: float) -> bool:
        """Whether something with this probability happens."""
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(low, high)

    def pick(self, weights: Mapping[T, float]) -> T:
        """One key, in proportion to its weight."""
        return self._random.choices(list(weights), list(weights.values()))[0]

    def many(self, weights: Mapping[T, float], count: int) -> list[T]:
        """So many keys, each drawn anew."""
        return self._random.choices(list(weights), list(weights.values()), k=count)

    def some(self, weights: Mapping[str, float], count: int) -> list[str]:
        """So many different keys, or all there are, in the mapping's order."""
        drawn: set[str] = set()
        while len(drawn) < min(count, len(weights)):
            drawn.add(self.pick({key: weight for key, weight in weights.items() if key not in drawn}))
        return [key for key in weights if key in drawn]

    def one_of(self, items: Sequence[T]) -> T:
        """One item, all equally likely."""
        return self._random.choice(items)

    def recent(self, items: Sequence[T]) -> T:
        """One item, later ones more likely."""
        return items[-1 - int(len(items) * self._random.random() ** 3)]

    def about(self, value: float, spread: float) -> float:
        """A number near a value, most often within the spread."""
        return self._random.gauss(value, spread)

    def yes(self, probability: float) -> str:
        """The answer « oui » with this probability, else « non »."""
        return "oui" if self.chance(probability) else "non"

    def digits(self, count: int, taken: Collection[str] = ()) -> str:
        """A number of so many digits, as text, that is not taken."""
        while (number := str(self.between(10 ** (count - 1), 10**count - 1))) in taken:
            continue
        return number

    def uuid(self) -> str:
        """A UUID of version 4, the only one Central accepts for entities."""
        return str(UUID(int=self._random.getrandbits(128), version=4))


def only(weights: Mapping[str, float], kept: Iterable[str]) -> dict[str, float]:
    """The weights of some keys."""
    wanted = set(kept)
    return {key: weight for key, weight in weights.items() if key in wanted}
