"""Comments: each once, and asked for again only when something happened."""

from dataclasses import replace

from tests.warehouse.lab import Lab, Row
from tpm_pipeline.records import Comment
from tpm_pipeline.warehouse import comments

SENT = Row("uuid:1")
APPROVED = replace(SENT, review="approved", updated="2021-02-01T08:00:00.000Z")
WHY = Comment("D’accord", "Latifa", "2021-02-01T08:00:00.000Z")
AGAIN = Comment("D’accord", "Latifa", "2021-02-01T09:00:00.000Z")


def waiting(lab: Lab, *, sweep: bool = False) -> list[tuple[str, int]]:
    comments.create(lab.connection)
    return list(comments.waiting(lab.connection, "central", "essai", sweep=sweep))


def store(lab: Lab, *found: Comment) -> int:
    (submission,) = waiting(lab, sweep=True)
    return comments.store(lab.connection, "central", "essai", submission, found)


def test_what_nobody_touched_is_not_asked_for(lab: Lab) -> None:
    lab.store(SENT, replace(APPROVED, submission_id="uuid:2", deleted="2021-03-01T08:00:00.000Z"))

    assert waiting(lab) == waiting(lab, sweep=True) == []


def test_a_review_is_asked_for_once_and_at_each_sweep(lab: Lab) -> None:
    lab.store(APPROVED)
    assert len(waiting(lab)) == 1

    store(lab)

    assert waiting(lab) == []
    assert len(waiting(lab, sweep=True)) == 1
    lab.store(replace(APPROVED, review="rejected"))
    assert len(waiting(lab)) == 1


def test_each_comment_is_kept_once_oldest_first(lab: Lab) -> None:
    lab.store(APPROVED)

    assert [store(lab, AGAIN), store(lab, WHY, AGAIN), store(lab, WHY, AGAIN)] == [1, 1, 0]

    assert lab.column("select comment || ' ' || created_at from raw.comment order by created_at") == [
        "D’accord 2021-02-01 08:00:00",
        "D’accord 2021-02-01 09:00:00",
    ]


def test_a_reviewer_who_changed_name_did_not_write_twice(lab: Lab) -> None:
    lab.store(APPROVED)
    store(lab, WHY)

    assert store(lab, replace(WHY, author="Latifa B.")) == 0
    assert lab.column("select author from raw.comment") == ["Latifa"]


def test_many_submissions_wait_in_turn(lab: Lab) -> None:
    lab.store(*(replace(APPROVED, submission_id=f"uuid:{n:04}") for n in range(2500)))

    assert [submission for submission, _ in waiting(lab)] == [f"uuid:{n:04}" for n in range(2500)]
