"""Each indicator against the formula published in the project's logical framework, on made-up histories.

The formulas are quoted as published (`published_formulas.csv`); views give our marts the names they use
(`published_names.sql`). Where we mean something else, the difference is written down here, and shown.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.indicators.conftest import Bench
from tests.indicators.histories import history
from tpm_pipeline.indicators import calendar, logframe
from tpm_pipeline.indicators.declared import CUMULS
from tpm_pipeline.records import Period
from tpm_pipeline.warehouse import db

HERE = Path(__file__).parent
with (HERE / "published_formulas.csv").open(encoding="utf-8", newline="") as file:
    PUBLISHED = {row["code"]: row["formula"] for row in csv.DictReader(file)}
INDICATORS = {one.code: one for one in logframe.read().indicators}
COMPARED = ("trimestre", "annee", "projet")
# These agree only once nothing more can come, at the end of the project: see the differences below.
AT_THE_END = ("R1-5", "R5-2", "R5-5")
# The words the formula answers with, and what we keep.
ANSWERS = {"oui": 1.0, "non": 0.0}


@dataclass(frozen=True)
class Difference:
    """Rows on which we deliberately say something else than the formula, and why."""

    code: str
    why: str
    given: Mapping[str, list[dict[str, Any]]]
    period: str
    published: float | None
    ours: float | None


def relation(key: str, day: date, **more: object) -> dict[str, Any]:
    return {"relation_id": key, "date_rel": day, "type_relation": "planification", "partenaire_nom": key, **more}


def session(key: str, **more: object) -> dict[str, Any]:
    return {"seance_id": key, "date_seance": date(2021, 4, 10), "type_espace": "groupe_temoin", **more}


def scored(key: str, score: int | None) -> dict[str, Any]:
    return session(key, score_acces=4, score_accueil=4, score_participation=score, nb_votants=10)


def project(key: str, **more: object) -> dict[str, Any]:
    shared = {"osc_suivi_id": key, "projet_code": key, "a_projet": True, "statut_projet": "en_cours"}
    return {**shared, "date_suivi": date(2021, 4, 10), "budget_total": 100, "subvention": 100, **more}


def contract(key: str, day: date, due: date, **more: object) -> dict[str, Any]:
    shared = {"consultation_id": key, "consultation_ref": key, "a_contrat": True, "contrat_date": day}
    return {**shared, "livrable_du_date": due, **more}


DECISION = {"comite_id": "m1", "rang": 1, "decision_code": "COM-2101-01", "decision_echeance_date": date(2021, 3, 31)}
REVIEW = {"comite_id": "m2", "rang": 1, "decision_code": "COM-2101-01", "revue_date": date(2021, 4, 10)}
VISIT = {"visite_id": "v1", "dossier_uuid": "d1", "bureau_code": "TIZ01", "date_visite": date(2021, 3, 20)}

DIFFERENCES = [
    Difference(
        "IMP-1",
        "only partner authorities can be in the numerator, as they alone are in the denominator",
        {
            "marts.dim_collectivite": [{"collectivite_code": "REG", "type_collectivite": "region"}],
            "marts.fct_relation": [relation("wilaya", date(2021, 2, 1), niveau_integration=4)],
        },
        "2021-T1",
        published=100,
        ours=0,
    ),
    Difference(
        "IMP-2",
        "a session with a score missing leaves with its voters",
        {"marts.fct_seance": [scored("s1", 4), scored("s2", None)]},
        "2021-T2",
        published=2,
        ours=4,
    ),
    Difference(
        "OC2-1",
        "a project whose contributions are not all known leaves with its grant",
        {
            "marts.fct_osc_suivi": [
                project("COD-001", apport_diaspora=50, apport_local=0),
                project("COD-002", apport_diaspora=50),
            ]
        },
        "2021-T2",
        published=0.25,
        ours=0.5,
    ),
    Difference(
        "OC3-2",
        "nothing observed is not known; it is not no",
        {"marts.fct_relation": [relation("r1", date(2021, 2, 1), doc_planif="pac", niveau_integration=0)]},
        "2021-T1",
        published=0,
        ours=None,
    ),
    Difference(
        "R1-2",
        "nothing registered anywhere is not known; it is not zero",
        {},
        "2021-T1",
        published=0,
        ours=None,
    ),
    Difference(
        "R1-5",
        "a referral is judged when its thirty days are over, so those of a period's end are judged in the next",
        {
            "marts.fct_visite": [VISIT | {"consent_dossier": "oui"}],
            "marts.fct_orientation": [VISIT | {"rang": 1, "service": "retraite", "reponse": "oriente"}],
        },
        "2021-T2",
        published=None,
        ours=0,
    ),
    Difference(
        "R1-6",
        "a check of an unknown office is no office's score",
        {
            "marts.fct_controle_bureau": [
                {"controle_id": "c1", "date_controle": date(2021, 2, 1), "bureau_code": "TIZ01", "score": 80},
                {"controle_id": "c2", "date_controle": date(2021, 2, 1), "score": 20},
            ]
        },
        "2021-T1",
        published=50,
        ours=80,
    ),
    Difference(
        "R2-3",
        "a project whose progress is not known leaves with its budget",
        {"marts.fct_osc_suivi": [project("COD-001", avancement_pct=50), project("COD-002")]},
        "2021-T2",
        published=25,
        ours=50,
    ),
    Difference(
        "R3-2",
        "somebody listed who followed no half-day was not present",
        {
            "marts.fct_participant": [
                {
                    "participant_id": key,
                    "type_evt": "formation",
                    "date_debut": date(2021, 4, 10),
                    "nb_demi_journees": days,
                }
                for key, days in (("p1", 2), ("p2", 0))
            ],
            "marts.fct_evenement": [{"evenement_id": "e1", "date_debut": date(2021, 4, 10)}],
        },
        "2021-T2",
        published=2,
        ours=1,
    ),
    Difference(
        "R4-3",
        "a session without its number of members invited leaves with those present",
        {"marts.fct_seance": [session("s1", nb_presents=5, nb_prevus=10), session("s2", nb_presents=5)]},
        "2021-T2",
        published=100,
        ours=50,
    ),
    Difference(
        "R5-2",
        "a review held after the due date may tell that the decision was carried out in time",
        {
            "marts.fct_decision": [DECISION],
            "marts.fct_decision_suivi": [
                REVIEW | {"statut_decision": "faite", "execution_date": date(2021, 3, 30)},
            ],
        },
        "2021-T1",
        published=0,
        ours=100,
    ),
    Difference(
        "R5-2",
        "a decision cancelled after its due date is cancelled",
        {"marts.fct_decision": [DECISION], "marts.fct_decision_suivi": [REVIEW | {"statut_decision": "annulee"}]},
        "2021-T1",
        published=0,
        ours=None,
    ),
    Difference(
        "R5-5",
        "a contract counts from the day it is signed",
        {
            "marts.fct_consultation": [
                contract("TDR-1", date(2021, 1, 10), date(2023, 1, 1), est_conforme=True),
                contract("TDR-2", date(2021, 6, 10), date(2023, 1, 1), est_conforme=False),
            ]
        },
        "2021-T1",
        published=50,
        ours=100,
    ),
    Difference(
        "R5-7",
        "a month whose documents in order are not known leaves with those expected",
        {
            "marts.fct_activite": [
                {
                    "activite_id": "f1",
                    "mois_date": date(2021, 1, 1),
                    "nb_pieces_attendues": 4,
                    "nb_pieces_conformes": 3,
                },
                {"activite_id": "f2", "mois_date": date(2021, 2, 1), "nb_pieces_attendues": 4},
            ]
        },
        "2021-T1",
        published=37.5,
        ours=75,
    ),
]


@pytest.fixture
def named(bench: Bench) -> Iterator[Bench]:
    """The bench with our marts under the names that the formulas use."""
    bench.connection.execute((HERE / "published_names.sql").read_text(encoding="utf-8"))
    yield bench
    views = db.rows(bench.connection, "select view_name as name from duckdb_views() where temporary and not internal")
    for view in views:
        bench.connection.execute(f"drop view temp.{db.quoted(view['name'])}")


def published(bench: Bench, code: str, period: Period) -> float | None:
    """What the published formula says of a period."""
    sql = PUBLISHED[code]
    bounds = {"debut": period.start, "fin": period.end - timedelta(days=1)}
    found = bench.connection.execute(sql, {name: day for name, day in bounds.items() if f"${name}" in sql}).fetchone()
    assert found is not None
    return None if found[0] is None else round(float(ANSWERS.get(found[0], found[0])), 6)


def cumul(code: str) -> str:
    """The accumulation a formula speaks of: from the period's start, or all that is declared before its end."""
    return "periode" if "$debut" in PUBLISHED[code] else CUMULS[INDICATORS[code].accumulation]


def ours(cells: Mapping[Any, Any], code: str, period: Period, accumulation: str) -> float | None:
    value = cells[code, period.code, accumulation, "total", None][0]
    return None if value is None else round(float(value), 6)


def is_comparable(bench: Bench, code: str, period: Period) -> bool:
    """Tell whether both should say the same of a period; R1-5 also needs its referrals from the start on."""
    if code == "R1-5":
        return period.kind == "projet"
    return period.kind in COMPARED and (code not in AT_THE_END or period.end == bench.framework.project.end)


def test_every_indicator_has_its_published_formula() -> None:
    assert PUBLISHED.keys() == INDICATORS.keys()


@pytest.mark.parametrize("seed", range(2))
def test_the_published_formulas_give_the_same_values(named: Bench, seed: int) -> None:
    named.give(history(seed))
    named.compute()
    cells = named.cells()
    known = dict.fromkeys(PUBLISHED, 0)
    periods = calendar.periods(named.framework, date(2030, 1, 1))
    for code, period in ((code, period) for code in PUBLISHED for period in periods):
        if is_comparable(named, code, period):
            expected, found = published(named, code, period), ours(cells, code, period, cumul(code))
            # Before anything was registered the formulas count 0, or say no: we say nothing.
            assert found == expected or (found, expected) == (None, 0), (code, period)
            known[code] += found is not None
    assert [code for code, times in known.items() if times < (1 if code in AT_THE_END else 5)] == []


def test_over_the_whole_project_a_running_total_is_the_published_count(named: Bench) -> None:
    named.give(history(2))
    named.compute()
    cells = named.cells()
    project_to_date = calendar.periods(named.framework, date(2030, 1, 1))[-1]
    for code, indicator in INDICATORS.items():
        if indicator.accumulation == "cumulative":
            assert ours(cells, code, project_to_date, "cumulatif") == published(named, code, project_to_date), code


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: f"{one.code}: {one.why}")
def test_where_we_mean_something_else_we_say_so(named: Bench, difference: Difference) -> None:
    named.give(difference.given)
    named.compute(difference.code)
    (period,) = (one for one in calendar.periods(named.framework, date(2030, 1, 1)) if one.code == difference.period)
    found = ours(named.cells(), difference.code, period, cumul(difference.code))
    assert (published(named, difference.code, period), found) == (difference.published, difference.ours)
