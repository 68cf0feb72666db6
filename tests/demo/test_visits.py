from collections import defaultdict
from dataclasses import replace
from datetime import date

from tpm_pipeline.demo import visits
from tpm_pipeline.demo.cases import Answers, Case
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.visits import Visit
from tpm_pipeline.demo.weights import OFFICES

DAY = date(2022, 7, 4)
TIZNIT = next(office for office in OFFICES if office.code == "TIZ01")


def visit(seed: int, group: str = "mre", *, consent: bool = True) -> tuple[Visit, Answers]:
    dice = Dice(seed)
    profile = visits.profile(dice, DAY, TIZNIT, group)
    received = Visit(DAY, TIZNIT, "AG07", profile, consent, 20, "uuid-1", "123456")
    return received, visits.answers(dice, received, defaultdict(str))


def test_a_new_case_has_a_code_that_says_only_office_and_month() -> None:
    received, answers = visit(1)

    assert received.is_new
    assert received.code == answers["code_dossier"] == "TIZ01-2207-123456"
    assert answers["dossier_mode"] == "nouveau"


def test_an_anonymous_visit_has_no_case_and_no_way_to_be_called_back() -> None:
    received, answers = visit(1, consent=False)

    assert (received.code, received.is_new) == ("", False)
    for question in ("code_dossier", "dossier_uuid", "telephone", "echeance", "instruction"):
        assert not answers.get(question)


def test_a_person_who_comes_back_keeps_the_code() -> None:
    received, _ = visit(1)
    case = Case("uuid-9", received.profile, {"code_dossier": "TIZ01-2101-999999"})

    again = replace(received, case=case)

    assert (again.code, again.case_id, again.is_new) == ("TIZ01-2101-999999", "uuid-9", False)


def test_there_is_one_answer_per_service_and_only_referrals_are_followed() -> None:
    for seed in range(30):
        _, answers = visit(seed, "rpt")
        rows = answers["orientations"]
        assert isinstance(rows, list)
        assert [row["o_service"] for row in rows] == str(answers["services"]).split()
        to_follow = sum(row["o_reponse"] in visits.TO_FOLLOW for row in rows)
        assert answers["nb_a_suivre"] == str(to_follow)
        assert (answers["echeance"] is not None) == (to_follow > 0)


def test_only_third_country_nationals_are_asked_for_a_nationality() -> None:
    assert visit(1, "mre")[1]["nationalite"] is None
    assert visit(1, "rpt")[1]["nationalite"]
