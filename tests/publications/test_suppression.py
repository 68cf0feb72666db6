"""What subtraction could tell must never be less than the threshold."""

from hypothesis import given
from hypothesis import strategies as st

from tpm_pipeline.publications.suppression import Counts, is_small, protected, thinned

thresholds = st.integers(1, 12)
percentages = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda n: (n[0], n[0] + n[1], n[1]))
series = st.lists(percentages | st.just(()), max_size=9)


def hidden_sums(cells: list[Counts], hidden: frozenset[int]) -> list[int]:
    return [sum(cells[index][column] for index in hidden if cells[index]) for column in range(3)]


def test_a_lone_small_cell_takes_the_next_smallest_with_it() -> None:
    assert protected([(3,), (40,), (12,), (0,)], 5) == {0, 2}


def test_two_small_cells_that_add_up_to_enough_need_no_other() -> None:
    assert protected([(3,), (40,), (4,)], 5) == {0, 2}


def test_two_small_cells_that_add_up_to_little_take_a_third() -> None:
    assert protected([(1,), (40,), (1,)], 5) == {0, 1, 2}


def test_nothing_small_hides_nothing() -> None:
    assert protected([(5,), (0,), (), (400,)], 5) == frozenset()


def test_a_percentage_is_hidden_for_any_of_its_two_groups() -> None:
    assert 0 in protected([(2, 60, 58), (30, 60, 30)], 5)
    assert 0 in protected([(58, 60, 2), (30, 60, 30)], 5)


@given(series, thresholds)
def test_no_small_count_is_shown(cells: list[Counts], threshold: int) -> None:
    hidden = protected(cells, threshold)
    shown = [count for index, counts in enumerate(cells) if index not in hidden for count in counts]
    assert not any(is_small(count, threshold) for count in shown)


@given(series, thresholds)
def test_the_total_minus_what_is_shown_tells_no_small_count_unless_the_total_is_small(
    cells: list[Counts], threshold: int
) -> None:
    totals = hidden_sums(cells, frozenset(range(len(cells))))
    for hidden, total in zip(hidden_sums(cells, protected(cells, threshold)), totals, strict=True):
        assert not is_small(hidden, threshold) or is_small(total, threshold)


@given(st.lists(st.integers(0, 6), max_size=30), thresholds)
def test_no_two_shown_points_of_a_running_total_tell_a_small_difference(steps: list[int], threshold: int) -> None:
    running = [sum(steps[:end]) for end in range(1, len(steps) + 1)]
    hidden = thinned(running, threshold)
    shown = [0, *(count for index, count in enumerate(running) if index not in hidden)]
    assert not any(is_small(abs(one - other), threshold) for one in shown for other in shown)


@given(st.lists(st.integers(0, 60), max_size=30), thresholds)
def test_a_point_of_a_running_total_is_hidden_only_beside_another_too_close(running: list[int], threshold: int) -> None:
    hidden = thinned(running, threshold)
    shown = [0, *(count for index, count in enumerate(running) if index not in hidden)]
    assert all(any(is_small(abs(running[index] - count), threshold) for count in shown) for index in hidden)


def test_the_point_given_first_is_kept() -> None:
    assert thinned([103, 100, 50], 5) == {1}
