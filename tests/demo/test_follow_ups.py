from collections import defaultdict
from datetime import date

from tpm_pipeline.demo import follow_ups
from tpm_pipeline.demo.cases import Answers, Case
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.follow_ups import FollowUp


def heard(seed: int, reached: str = "oui", *, consent: bool = True) -> Answers:
    properties = {
        "code_dossier": "TIZ01-2201-123456",
        "code_bureau": "TIZ01",
        "services_dossier": "retraite foncier",
        "date_ouverture": "2022-01-04",
        "date_dernier_contact": "2022-01-04",
        "prochaine_echeance": "2022-02-04",
        "statut_dossier": "ouvert",
        "groupe_cat": "mre",
    }
    case = Case("uuid-1", {}, properties, awaiting={"retraite": "caisses"})
    follow_up = FollowUp(date(2022, 2, 7), "TIZ01", "AG07", case, reached, consent)
    return follow_ups.answers(Dice(seed), follow_up, defaultdict(str))


def test_a_follow_up_starts_from_what_the_phone_knows_of_the_case() -> None:
    answers = heard(1)

    assert answers["dossier"] == "uuid-1"
    assert answers["echeance_prec"] == "2022-02-04"
    assert answers["nb_suivis"] == "1"
    assert answers["delai_echeance_j"] == "3"


def test_somebody_who_was_not_reached_gives_no_opinion() -> None:
    answers = heard(1, "injoignable")

    assert answers["nb_tentatives"]
    assert answers["consent_maintenu"] is None
    assert not answers.get("sat_bureau")


def test_a_withdrawn_consent_closes_the_case_and_asks_nothing_more() -> None:
    answers = heard(1, consent=False)

    assert answers["consent_maintenu"] == "non"
    assert answers["statut_dossier"] == "clos_retrait"
    assert answers["issues"] is None


def test_news_are_only_of_services_that_were_asked_for() -> None:
    for seed in range(20):
        assert set(str(heard(seed)["services_suivis"]).split()) <= {"retraite", "foncier"}
