from datetime import date

from tpm_pipeline.demo import team
from tpm_pipeline.demo.dice import Dice


def test_a_sheet_is_filled_on_a_working_day_by_one_of_the_team() -> None:
    saturday = date(2021, 3, 6)

    sheet = team.sheet(Dice(1), "tpm_com", saturday, "Com", {"titre": "x"})

    assert sheet.began.date() == date(2021, 3, 8)
    assert sheet.began < sheet.ended
    assert sheet.answers["agent_code"] in team.TEAM
    assert (sheet.device, sheet.answers["projet"], sheet.answers["titre"]) == ("demo:MD", "tpm_1", "x")


def test_a_decimal_has_its_point_as_phones_write_it() -> None:
    assert [team.decimal(value) for value in (20600, 6.5, 0)] == ["20600.0", "6.5", "0.0"]


def test_amounts_are_whole_hundreds() -> None:
    dice = Dice(1)
    drawn = [team.amount(dice, 1000, 9000) for _ in range(50)]
    assert all(value % 100 == 0 for value in drawn)
    assert 1000 <= min(drawn) < max(drawn) <= 9000
