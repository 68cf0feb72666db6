"""Each indicator against the formula published in the project's logical framework, on random data.

The formulas are quoted as published; only the names of tables and columns are given to them by views.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from tests.indicators.conftest import Bench
from tpm_pipeline.indicators import calendar
from tpm_pipeline.records import Period
from tpm_pipeline.warehouse import db

PUBLISHED = {
    "R1-2": "SELECT count(*) FROM fct_visite WHERE date_visite BETWEEN $debut AND $fin",
    "R1-3": "SELECT count(DISTINCT dossier_uuid) FROM fct_visite WHERE consent_dossier='oui'"
    " AND date_visite BETWEEN $debut AND $fin",
    "R1-4": "SELECT 100.0*count(DISTINCT dossier_uuid) FILTER (WHERE sexe='femme')/nullif(count(DISTINCT dossier_uuid)"
    " FILTER (WHERE sexe IN ('femme','homme')),0) FROM fct_visite WHERE consent_dossier='oui'"
    " AND date_visite BETWEEN $debut AND $fin",
    "R1-5": "WITH o AS (SELECT dossier_uuid, min(date_visite) d FROM fct_orientation WHERE o_reponse IN"
    " ('oriente','accompagne','attente') AND dossier_uuid IS NOT NULL AND date_visite BETWEEN $debut AND $fin::DATE-30"
    " GROUP BY 1) SELECT 100.0*count(*) FILTER (WHERE EXISTS (SELECT 1 FROM fct_suivi s WHERE"
    " s.dossier_uuid=o.dossier_uuid AND s.date_suivi BETWEEN o.d AND o.d+30))/nullif(count(*),0) FROM o",
    "OC1-1": "WITH o AS (SELECT dossier_uuid, o_service, min(date_visite) d FROM fct_orientation WHERE o_reponse IN"
    " ('oriente','accompagne') AND dossier_uuid IS NOT NULL GROUP BY 1,2), i AS (SELECT dossier_uuid, i_service,"
    " arg_max(i_issue,date_suivi) r FROM fct_issue WHERE date_suivi<=$fin GROUP BY 1,2) SELECT 100.0*count(*) FILTER"
    " (WHERE r IN ('obtenu','partiel'))/nullif(count(*),0) FROM o LEFT JOIN i ON i.dossier_uuid=o.dossier_uuid AND"
    " i.i_service=o.o_service WHERE o.d<=$fin::DATE-60",
    "OC1-2": "SELECT avg(sat_bureau) FROM fct_suivi WHERE sat_bureau IS NOT NULL"
    " AND date_suivi BETWEEN $debut AND $fin",
}
VIEWS = """
create or replace temp view fct_visite as from marts.fct_visite;
create or replace temp view fct_suivi as from marts.fct_suivi;
create or replace temp view fct_orientation as
    select * exclude (service, reponse), service as o_service, reponse as o_reponse from marts.fct_orientation;
create or replace temp view fct_issue as
    select * exclude (service, issue), service as i_service, issue as i_issue from marts.fct_issue;
"""
# Where both mean the same for every period; R1-5 does for the whole project, where only the first referral counts.
ALWAYS = {"R1-2": "periode", "R1-3": "periode", "R1-4": "periode", "OC1-1": "dernier", "OC1-2": "periode"}
SERVICES = ["retraite", "foncier", "sante"]


def history(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Visits, referrals, follow-ups and outcomes of sixty persons over the whole project."""
    dice = Random(seed)  # noqa: S311 - figures for a test, not secrets
    marts: dict[str, list[dict[str, Any]]] = {
        f"marts.fct_{name}": [] for name in ("visite", "orientation", "suivi", "issue")
    }
    for number in range(60):
        case = f"d{number}" if dice.random() < 0.8 else None
        sexe = dice.choice(["femme", "homme", "nr", None])
        for day in dice.sample(range(1187), dice.randint(1, 4)):
            _visit(dice, marts, case, sexe, date(2020, 10, 1) + timedelta(days=day))
        for day in dice.sample(range(1187), dice.randint(0, 6)) if case else []:
            _follow_up(dice, marts, case, date(2020, 10, 1) + timedelta(days=day))
    return marts


def _visit(dice: Random, marts: dict[str, Any], case: str | None, sexe: str | None, day: date) -> None:
    key = f"v{len(marts['marts.fct_visite'])}"
    asked = dice.sample(SERVICES, dice.randint(1, 3))
    shared = {"visite_id": key, "dossier_uuid": case, "bureau_code": "TIZ01", "date_visite": day}
    consent = "oui" if case else "non"
    marts["marts.fct_visite"].append({**shared, "sexe": sexe, "consent_dossier": consent, "services": asked})
    for rank, service in enumerate(asked, start=1):
        answer = dice.choice(["oriente", "accompagne", "attente", "info"])
        marts["marts.fct_orientation"].append({**shared, "rang": rank, "service": service, "reponse": answer})


def _follow_up(dice: Random, marts: dict[str, Any], case: str | None, day: date) -> None:
    key = f"s{len(marts['marts.fct_suivi'])}"
    shared = {"suivi_id": key, "dossier_uuid": case, "bureau_code": "TIZ01", "date_suivi": day}
    marts["marts.fct_suivi"].append({**shared, "sat_bureau": dice.choice([1, 2, 3, 4, 5, None])})
    for rank, service in enumerate(dice.sample(SERVICES, dice.randint(0, 3)), start=1):
        issue = dice.choice(["obtenu", "partiel", "en_cours", "refuse"])
        marts["marts.fct_issue"].append({**shared, "rang": rank, "service": service, "issue": issue})


def published(bench: Bench, code: str, period: Period) -> float | None:
    """What the published formula says of a period."""
    sql = PUBLISHED[code]
    bounds = {"debut": period.start, "fin": period.end - timedelta(days=1)}
    found = bench.connection.execute(sql, {name: day for name, day in bounds.items() if f"${name}" in sql}).fetchone()
    assert found is not None
    return None if found[0] is None else round(float(found[0]), 9)


def ours(cells: Mapping[Any, Any], code: str, period: Period, cumul: str) -> float | None:
    value = cells[code, period.code, cumul, "total", None][0]
    return None if value is None else round(value, 9)


@pytest.mark.parametrize("seed", range(3))
def test_the_published_formulas_give_the_same_values(bench: Bench, seed: int) -> None:
    bench.give(history(seed))
    bench.compute()
    bench.connection.execute(VIEWS)
    periods, cells = calendar.periods(bench.framework, date(2030, 1, 1)), bench.cells()
    compared = 0
    for code, cumul in ALWAYS.items():
        for period in periods:
            expected = published(bench, code, period)
            found = ours(cells, code, period, cumul)
            # The published counts say 0 even where no office reported anything: there we say nothing.
            assert found == expected or (found, expected) == (None, 0), (code, period)
            compared += found is not None
    assert compared > 200
    (project,) = [period for period in periods if period.kind == "projet"]
    for code, cumul in (("R1-2", "cumulatif"), ("R1-3", "cumulatif"), ("R1-5", "periode")):
        assert ours(cells, code, project, cumul) == published(bench, code, project)
    for table in ("visite", "suivi", "orientation", "issue"):
        db.rows(bench.connection, f"drop view temp.fct_{table}")
