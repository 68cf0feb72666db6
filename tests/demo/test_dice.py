from uuid import UUID

from tpm_pipeline.demo.dice import Dice, only


def test_the_same_seed_throws_the_same_dice() -> None:
    assert [Dice(1).uuid() for _ in range(2)] == [Dice(1).uuid()] * 2
    assert Dice(1).uuid() != Dice(2).uuid()


def test_a_uuid_is_of_version_4() -> None:
    assert {UUID(Dice(seed).uuid()).version for seed in range(20)} == {4}


def test_weights_decide() -> None:
    assert Dice(1).pick({"jamais": 0, "toujours": 1}) == "toujours"
    assert Dice(1).many({"a": 1, "b": 3}, 1000).count("b") > 650


def test_several_keys_are_different_and_in_order() -> None:
    weights = {"a": 1, "b": 1, "c": 8}
    assert {len(set(Dice(seed).some(weights, 2))) for seed in range(20)} == {2}
    assert Dice(1).some(weights, 5) == ["a", "b", "c"]


def test_a_number_that_is_taken_is_not_given_again() -> None:
    assert Dice(1).digits(1, {"1", "2", "3", "4", "5", "6", "7", "8"}) == "9"


def test_recent_items_come_more_often() -> None:
    dice = Dice(1)
    drawn = [dice.recent(range(10)) for _ in range(1000)]
    assert set(drawn) == set(range(10))
    assert sum(drawn) / len(drawn) > 6


def test_some_weights_can_be_kept() -> None:
    assert only({"a": 1, "b": 2}, ["b"]) == {"b": 2}


def test_about_stays_near() -> None:
    dice = Dice("a name is a seed too")
    drawn = [dice.about(10, 2) for _ in range(500)]
    assert 9.5 < sum(drawn) / len(drawn) < 10.5
    assert drawn != [dice.about(10, 2) for _ in range(500)]
