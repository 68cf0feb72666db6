"""What the team's own management forms say, computed by hand with pandas: interviews, lessons, committees, plan."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tests.indicators.by_hand_answers import Answers
from tests.indicators.by_hand_offices import Figure, within
from tests.indicators.by_hand_project import START, latest, ratio

THEMES = ("accueil", "codev", "gouvernance", "coordination", "genre", "participation")
DAY = pd.Timedelta(days=1)


def interviews(answers: Answers) -> Figure:
    """R4-2: interviews with consent and something to work from."""
    notes = tuple(f"t_{theme}_notes" for theme in THEMES)
    found = answers.of(
        *("tpm_entretien", "consent", "type_acteur", "sexe", "tranche_age", "province", "qualite_audio", "themes"),
        *notes,
        dates=("date_entretien",),
    ).rename(columns={"date_entretien": "day", "tranche_age": "age"})
    found["theme"] = [text.split() if text else [] for text in found.themes]
    usable = found[list(notes)].notna().any(axis=1) | found.qualite_audio.isin(("bonne", "moyenne"))
    kept = found[(found.consent == "oui") & usable]
    return lambda since, until: within(kept, "day", since, until)


def communication(answers: Answers) -> dict[str, Figure]:
    """OC4-1, R4-4, R5-6: lessons shared and taken up, visibility of partners."""
    found = answers.of(
        *("tpm_com", "type_com", "langues", "cibles", "conforme", "partage", "codes_ens", "repris"), dates=("date_com",)
    ).rename(columns={"date_com": "day"})
    for name, question in (("langue", "langues"), ("destinataire", "cibles"), ("unit", "codes_ens")):
        found[name] = [text.split() if text else [] for text in found[question]]
    lessons = found.explode("unit")
    lessons = lessons[lessons.unit.notna() & (lessons.partage == "oui")]
    taken_up = lessons[lessons.repris == "oui"]
    seen = ratio(found, found.conforme == "1")
    return {
        "OC4-1": lambda since, until: within(taken_up, "day", since, until),
        "R4-4": lambda since, until: within(lessons, "day", since, until),
        "R5-6": lambda since, until: within(seen, "day", since, until),
    }


def committees(answers: Answers) -> dict[str, Figure]:
    """R5-1, R5-2: meetings held on their day, decisions carried out in time."""
    found = answers.of(
        "tpm_comite", "type_comite", "code_comite", "tenue", "province", dates=("date_prevue", "date_tenue")
    )
    found = latest(found, "code_comite")
    planned = found[found.date_prevue.notna()]
    kept = (planned.tenue == "oui") & ((planned.date_tenue - planned.date_prevue).abs() <= 7 * DAY)
    punctual = ratio(planned, kept)
    meetings = found[["sid", "type_comite", "date_tenue"]]
    decided = answers.of("tpm_comite/decisions", "d_code", dates=("d_echeance",))[["sid", "d_code", "d_echeance"]]
    decided = decided[decided.d_code.notna()].merge(meetings, on="sid")
    reviews = answers.of("tpm_comite/suivi_decisions", "s_code", "s_statut", dates=("s_date",))
    reviews["rank"] = reviews.groupby("sid").cumcount()
    reviews = reviews[reviews.s_code.notna()].merge(meetings[["sid", "date_tenue"]], on="sid")
    said = reviews.sort_values(["date_tenue", "submitted_at", "sid", "rank"], kind="stable")
    last = said.drop_duplicates("s_code", keep="last").set_index("s_code")
    done = decided.assign(state=decided.d_code.map(last.s_statut), when=decided.d_code.map(last.s_date))
    done = done[(done.state != "annulee") & done.d_echeance.notna()]
    done = ratio(done, (done.state == "faite") & (done.when <= done.d_echeance))
    return {
        "R5-1": lambda since, until: within(punctual, "date_prevue", since, until),
        "R5-2": lambda since, until: within(done, "d_echeance", since, until),
    }


def plan(answers: Answers, activities: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """R5-3, R5-4, R5-7: the action plan, what is delivered, what is justified."""
    found = answers.of(
        *("tpm_activite", "objet", "activite", "statut", "ref_livrable", "type_livrable", "remis"),
        dates=("periode", "date_due", "date_remise"),
        numbers=("avancement", "pieces_total", "pieces_ok"),
    )
    sheets = found[found.objet == "activite"].assign(day=lambda frame: frame.periode.dt.to_period("M").dt.start_time)
    sheets = latest(sheets, "activite", "day")
    due = found[found.objet == "livrable"]
    due = latest(due, "ref_livrable", by=("periode",)).rename(columns={"date_due": "day"})
    due = due[due.day.notna()]
    due = ratio(due, (due.remis == "oui") & (due.date_remise <= due.day))
    results = {one["code"]: one["result"] for one in activities}
    papers = sheets[sheets.pieces_total.notna() & sheets.pieces_ok.notna()]
    papers = ratio(papers, papers.pieces_ok, papers.pieces_total).assign(resultat=papers.activite.map(results))

    def advanced(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        past = latest(sheets[sheets.day < until], "activite", by=("day",)).set_index("activite")
        rows = [
            {
                "unit": one["code"],
                "activite": one["code"],
                "resultat": one["result"],
                "num": one["weight"] * _progress(past, one["code"]) / 100,
                "den": one["weight"],
            }
            for one in activities
        ]
        return pd.DataFrame(rows if until > START else [], columns=["unit", "activite", "resultat", "num", "den"])

    return {
        "R5-3": advanced,
        "R5-4": lambda since, until: within(due, "day", since, until),
        "R5-7": lambda since, until: within(papers, "day", since, until),
    }


def _progress(past: pd.DataFrame, code: str) -> float:
    if code not in past.index or past.statut[code] == "annulee" or pd.isna(past.avancement[code]):
        return 0.0
    return float(past.avancement[code])


def consultations(answers: Answers) -> Figure:
    """R5-5: contracted consultancies whose procedure, and deliverable once due, are in order."""
    found = answers.of(
        *("tpm_tdr", "ref_tdr", "type_consult", "procedure", "conforme", "contrat", "liv_valide"),
        dates=("date_contrat", "liv_due"),
    ).rename(columns={"type_consult": "type_consultation", "ref_tdr": "unit"})
    found = latest(found, "unit")
    found = found[(found.contrat == "oui") & found.date_contrat.notna()]

    def figure(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        known = found[found.date_contrat < until]
        validated = known.liv_valide == "oui"
        return ratio(known, (known.conforme == "1") & ((known.liv_due >= until) | validated))

    return figure
