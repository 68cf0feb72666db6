import io
import wave
from datetime import date

from tpm_pipeline.demo import interviews
from tpm_pipeline.demo.cases import Answers
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.interviews import Interview


def interview(seed: int = 1, *, consent: bool = True, sound: str = "demo-synthetique-1") -> Answers:
    return interviews.answers(Dice(seed), Interview(date(2022, 3, 1), "EN01", "1234", 45, consent, sound))


def test_the_code_holds_the_month_and_nothing_of_the_person() -> None:
    assert interview()["code_entretien"] == "ENT-2203-1234"


def test_without_consent_nothing_is_asked() -> None:
    answers = interview(consent=False)

    assert answers["consent"] == "non"
    assert not answers.get("themes")
    assert list(interviews.recordings(answers)) == []


def test_recordings_are_short_silences_that_say_they_are_synthetic() -> None:
    given = [found for seed in range(10) for found in interviews.recordings(interview(seed))]

    assert given
    for file in given:
        assert file.name.startswith("demo-synthetique-")
        with wave.open(io.BytesIO(file.content)) as sound:
            assert set(sound.readframes(sound.getnframes())) == {0x80}


def test_a_person_who_refuses_to_be_recorded_is_not() -> None:
    assert all(not list(interviews.recordings(interview(seed, sound=""))) for seed in range(10))
