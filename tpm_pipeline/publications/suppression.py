"""Small counts are not published, nor left to be found by subtraction."""

from collections.abc import Sequence

# The counts that showing a cell reveals: (value,), or (numerator, denominator, the others); () when it is empty.
Counts = tuple[int, ...]


def is_small(count: int, threshold: int) -> bool:
    """Tell whether a count may not be shown; nobody is hidden behind a zero."""
    return 0 < count < threshold


def is_hidden(counts: Counts, threshold: int) -> bool:
    """Tell whether a cell may not be shown for what it reveals itself."""
    return any(is_small(count, threshold) for count in counts)


def protected(cells: Sequence[Counts], threshold: int) -> frozenset[int]:
    """The positions to hide in a series whose total is shown.

    First what is small itself; then the next smallest cells, until the hidden ones add up to a count
    that may be shown: the total minus the shown cells tells no more than that.
    """
    found = {index for index, counts in enumerate(cells) if is_hidden(counts, threshold)}
    while (exposed := _next(cells, found, threshold)) is not None:
        found.add(exposed)
    return frozenset(found)


def _next(cells: Sequence[Counts], found: set[int], threshold: int) -> int | None:
    for column in range(max(map(len, cells), default=0)):
        series = [counts[column] if counts else 0 for counts in cells]
        if is_small(sum(series[index] for index in found), threshold):
            shown = [index for index, count in enumerate(series) if count and index not in found]
            if shown:
                return min(shown, key=lambda index: series[index])
    return None


def thinned(running: Sequence[int], threshold: int) -> frozenset[int]:
    """The positions to hide among points of a running total, so that no two shown differ by a small count.

    Where two cannot both be shown, the first given is.
    """
    shown = [0]
    found = set()
    for index, count in enumerate(running):
        if any(is_small(abs(count - other), threshold) for other in shown):
            found.add(index)
        else:
            shown.append(count)
    return frozenset(found)
