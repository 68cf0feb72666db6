"""A deployment as steps."""

from tpm_pipeline.records import Change
from tpm_pipeline.servers.steps import Step, counted, in_order, shown

STEPS: list[Step[int]] = [
    Step(Change("create", "a")),
    Step(Change("drift", "b")),
    Step(Change("revoke", "c")),
    Step(Change("none", "d")),
]


def test_what_is_taken_from_somebody_goes_first() -> None:
    assert [step.change.what for step in in_order(STEPS)] == ["c", "a", "b", "d"]


def test_what_a_hand_changed_is_shown_first() -> None:
    assert [change.what for change in shown(in_order(STEPS))] == ["b", "c", "a", "d"]


def test_a_line_without_anything_to_do_does_nothing() -> None:
    assert STEPS[0].do(1) is None


def test_one_is_not_many() -> None:
    assert (counted(1, "row"), counted(2, "row")) == ("1 row", "2 rows")
