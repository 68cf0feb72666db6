from collections import Counter
from collections.abc import Iterable
from datetime import date

import pytest

from tests.demo.rows import rows
from tpm_pipeline.demo import places
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.weights import OFFICES

OF_CASES = ("tpm_visite", "tpm_suivi")


def share(values: Iterable[object], *wanted: object) -> float:
    counts = Counter(values)
    return sum(counts[value] for value in wanted) / counts.total()


@pytest.fixture(scope="module")
def visits(events: list[Event]) -> list[Answers]:
    return [event.answers for event in events if event.form_id == "tpm_visite"]


@pytest.fixture(scope="module")
def follow_ups(events: list[Event]) -> list[Answers]:
    return [event.answers for event in events if event.form_id == "tpm_suivi"]


def test_nothing_is_registered_before_an_office_opens_or_while_it_is_closed(events: list[Event]) -> None:
    for office in OFFICES:
        own = [event for event in events if event.device == f"demo:{office.code}"]
        assert own
        assert all(places.is_open(office, event.began.date()) for event in own)


@pytest.mark.parametrize(
    ("office", "month"),
    [("TAR01", "2022-01"), ("TIZ02", "2022-05"), ("TIZ03", "2022-12"), ("INE01", "2023-09")],
)
def test_some_offices_miss_some_months(visits: list[Answers], office: str, month: str) -> None:
    months = {str(visit["date_visite"])[:7] for visit in visits if visit["bureau_code"] == office}
    assert month not in months
    assert len(months) > 12


def test_moroccans_abroad_come_in_summer(visits: list[Answers]) -> None:
    summer = [visit for visit in visits if str(visit["date_visite"])[5:7] in {"07", "08"}]
    assert share((visit["groupe_cat"] for visit in summer), "mre") > 0.8
    assert len(summer) / len(visits) > 0.28


def test_each_year_is_busier_than_the_one_before(visits: list[Answers]) -> None:
    years = Counter(places.project_year(date.fromisoformat(str(visit["date_visite"]))) for visit in visits)
    assert 400 < years[0] < years[1] < years[2]


def test_the_publics_are_those_of_the_offices(visits: list[Answers]) -> None:
    groups = [visit["groupe_cat"] for visit in visits]
    assert share(groups, "mre") == pytest.approx(0.73, abs=0.06)
    assert share(groups, "rpt") == pytest.approx(0.2, abs=0.05)
    mixed = [visit["groupe_cat"] for visit in visits if visit["bureau_code"] == "CHT01"]
    assert share(mixed, "rpt") > 0.5


def test_some_stay_anonymous_some_come_back_some_do_not_answer(visits: list[Answers]) -> None:
    assert share((visit["consent_dossier"] for visit in visits), "non") == pytest.approx(0.13, abs=0.04)
    assert share((visit.get("dossier_mode") for visit in visits), "existant") == pytest.approx(0.35, abs=0.05)
    for question in ("sexe", "tranche_age", "cat_migrant", "instruction", "vulnerabilites"):
        assert 0 < share((visit[question] for visit in visits), "nr") < 0.1


def test_referrals_are_about_a_third_of_the_answers(visits: list[Answers]) -> None:
    given = [row["o_reponse"] for visit in visits for row in rows(visit, "orientations")]
    assert share(given, "oriente", "accompagne") == pytest.approx(0.37, abs=0.05)
    assert set(given) == {"info", "traite", "oriente", "accompagne", "attente", "impossible"}


def test_asylum_is_a_request_of_third_country_nationals(visits: list[Answers]) -> None:
    assert {visit["groupe_cat"] for visit in visits if "asile" in str(visit["services"]).split()} == {"rpt"}


def test_follow_ups_end_in_every_way(follow_ups: list[Answers]) -> None:
    assert set(Counter(each["joint"] for each in follow_ups)) == {"oui", "injoignable", "numero", "refus"}
    decisions = {"poursuivre", "transfert", "clos_resolu", "clos_sans_suite", "clos_perdu", "clos_retrait"}
    assert {each["decision"] for each in follow_ups} == decisions
    assert share((each["joint"] for each in follow_ups), "oui") == pytest.approx(0.79, abs=0.04)


def test_nobody_is_called_again_after_withdrawing(events: list[Event]) -> None:
    withdrawn: set[str] = set()
    for event in events:
        if event.entity:
            assert event.entity.id not in withdrawn
        if event.entity and event.answers.get("consent_maintenu") == "non":
            withdrawn.add(event.entity.id)
    assert withdrawn


def test_a_transferred_case_is_followed_by_its_new_office(events: list[Event]) -> None:
    offices: dict[str, object] = {}
    for event in events:
        if event.case and event.form_id in OF_CASES:
            assert event.answers["bureau_code"] == offices[event.case["name"]]
        if event.entity and event.answers.get("code_bureau_ent"):
            offices[event.entity.id] = event.answers["code_bureau_ent"]


def test_the_case_before_an_event_is_what_the_last_one_saved(events: list[Event]) -> None:
    versions: Counter[str] = Counter()
    for event in events:
        if event.case and event.form_id in OF_CASES:
            assert event.case["__version"] == str(versions[event.case["name"]])
        if event.entity and "1" in event.entity.flags.values():
            versions[event.entity.id] += 1
