"""What the offices' forms say, computed by hand with pandas: visits, follow-ups, checks of offices.

Each figure is a function of a window: the units that speak in it, with what each adds above and below the line.
"""

from collections.abc import Callable, Mapping

import pandas as pd

from tests.indicators.by_hand_answers import Answers, rows

Figure = Callable[[pd.Timestamp, pd.Timestamp], pd.DataFrame]

REFERRED = ("oriente", "accompagne")
PROFILE = ("groupe", "sexe")
CRITERIA = {
    "k_convention": "a_convention",
    "k_agent": "a_agent",
    "k_horaires": "a_horaires",
    "k_confidentiel": "a_espace_confidentiel",
    "k_registre": "a_registre",
    "k_fiches": "a_fiches",
    "k_securite": "a_donnees_protegees",
    "k_accessible": "est_accessible",
    "k_budget": "a_budget",
}


def within(frame: pd.DataFrame, day: str, since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
    """The rows of a half-open window."""
    return frame[(frame[day] >= since) & (frame[day] < until)]


def visits(answers: Answers, offices: frozenset[str]) -> pd.DataFrame:
    """Every visit; the case of a visit with consent, the office where it is one of ours."""
    found = answers.of(
        "tpm_visite",
        *("bureau_code", "consent_dossier", "dossier_uuid", "sexe", "tranche_age", "cat_migrant", "groupe_cat"),
        *("province", "commune", "services"),
        dates=("date_visite",),
    ).rename(columns={"bureau_code": "bureau", "groupe_cat": "groupe", "cat_migrant": "categorie"})
    found = found.rename(columns={"tranche_age": "age", "date_visite": "day", "dossier_uuid": "unit"})
    found["bureau"] = found.bureau.where(found.bureau.isin(offices), None)
    found["unit"] = found.unit.where(found.consent_dossier == "oui", None)
    found["service"] = [text.split() if text else [] for text in found.services]
    found["mode"] = ["dossier" if consent == "oui" else "anonyme" for consent in found.consent_dossier]
    return found


def persons(known: pd.DataFrame, since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
    """The latest visit of each person in the window."""
    seen = within(known[known.consent_dossier == "oui"], "day", since, until)
    seen = seen.sort_values(["day", "submitted_at", "sid"], kind="stable")
    return seen[seen.unit.notna()].drop_duplicates("unit", keep="last")


def referrals(answers: Answers, known: pd.DataFrame) -> pd.DataFrame:
    """Every service answered in a visit that asked for it."""
    answered = answers.of("tpm_visite/orientations", "o_service", "o_reponse", "o_institution")
    answered = answered.rename(columns={"o_service": "asked", "o_reponse": "reponse", "o_institution": "institution"})
    joined = answered[["sid", "asked", "reponse", "institution"]].merge(known, on="sid")
    return joined[[row["asked"] in row["service"] for row in rows(joined)]]


def follow_ups(answers: Answers, offices: frozenset[str]) -> pd.DataFrame:
    """Every follow-up, with its case as `unit`."""
    found = answers.of("tpm_suivi", "bureau_code", "dossier", dates=("date_suivi",), numbers=("sat_bureau",))
    found = found.rename(columns={"bureau_code": "bureau", "dossier": "unit", "date_suivi": "day"})
    found["bureau"] = found.bureau.where(found.bureau.isin(offices), None)
    return found


def outcomes(answers: Answers, followed: pd.DataFrame) -> pd.DataFrame:
    """Every outcome noted in a follow-up, in the order in which they were received."""
    noted = answers.of("tpm_suivi/issues", "i_service", "i_issue").rename(columns={"i_service": "asked"})
    noted = noted[noted.asked.notna()]
    noted["rank"] = noted.groupby("sid").cumcount()
    joined = noted[["sid", "asked", "i_issue", "rank"]].merge(followed, on="sid")
    return joined.sort_values(["day", "submitted_at", "sid", "rank"], kind="stable")


def succeeded(answers: Answers, offices: frozenset[str]) -> Figure:
    """OC1-1: of the referrals made sixty days ago or more, those whose latest outcome is good."""
    known = visits(answers, offices)
    sent = referrals(answers, known)
    sent = sent[sent.reponse.isin(REFERRED) & sent.unit.notna()].sort_values(["day", "sid"], kind="stable")
    first = sent.drop_duplicates(["unit", "asked"], keep="first").copy()
    first["judged"] = first.day + pd.Timedelta(days=60)
    first["service"] = first.asked
    noted = outcomes(answers, follow_ups(answers, offices))

    def figure(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        latest = noted[noted.day < until].drop_duplicates(["unit", "asked"], keep="last")
        judged = first[first.judged < until].merge(
            latest[["unit", "asked", "i_issue"]], on=["unit", "asked"], how="left"
        )
        return judged.assign(num=judged.i_issue.isin(("obtenu", "partiel")).astype(float), den=1.0)

    return figure


def satisfaction(answers: Answers, offices: frozenset[str]) -> Figure:
    """OC1-2: the mean satisfaction, with the person's profile as it was at the follow-up."""
    rated = follow_ups(answers, offices)
    rated = rated[rated.sat_bureau.notna()].assign(num=lambda frame: frame.sat_bureau, den=1.0)
    profile = visits(answers, offices).sort_values(["day", "submitted_at", "sid"], kind="stable")
    profile = profile[profile.unit.notna() & profile.day.notna()][["unit", "day", *PROFILE]]
    told = [_profile(profile, row["unit"], row["day"]) for row in rows(rated)]
    for name in PROFILE:
        rated[name] = [one.get(name) for one in told]
    return lambda since, until: within(rated, "day", since, until)


def _profile(profile: pd.DataFrame, unit: str, day: pd.Timestamp) -> Mapping[str, str | None]:
    seen = profile[(profile.unit == unit) & (profile.day <= day)]
    return {} if seen.empty else {name: seen.iloc[-1][name] for name in PROFILE}


def in_time(answers: Answers, offices: frozenset[str]) -> Figure:
    """R1-5: referred cases, thirty days over, with a follow-up within the thirty days."""
    known = visits(answers, offices)
    sent = referrals(answers, known)
    sent = sent[sent.reponse.isin((*REFERRED, "attente")) & sent.unit.notna()]
    days = sent.sort_values(["day", "sid"], kind="stable").drop_duplicates(["unit", "day"], keep="first").copy()
    days["judged"] = days.day + pd.Timedelta(days=30)
    met = follow_ups(answers, offices).groupby("unit").day.apply(list).to_dict()
    days["num"] = [
        float(any(row["day"] <= day <= row["judged"] for day in met.get(row["unit"], []))) for row in rows(days)
    ]
    days["den"] = 1.0

    def figure(since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        over = within(days, "judged", since, until).sort_values("judged", kind="stable")
        return over.drop_duplicates("unit", keep="first")

    return figure


def checks(answers: Answers, offices: frozenset[str], places: Mapping[str, Mapping[str, str]]) -> Figure:
    """The latest check of each office up to the end of the window."""
    found = answers.of("tpm_bureau", "bureau_code", "statut", *CRITERIA, dates=("date_controle",), numbers=("score",))
    found = found[found.bureau_code.isin(offices)].rename(columns={"bureau_code": "unit", "date_controle": "day"})
    found["critere"] = [[name for question, name in CRITERIA.items() if row[question] == "oui"] for row in rows(found)]
    for name in ("province", "public"):
        found[name] = [places[code][name] for code in found.unit]

    def figure(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        past = found[found.day < until].sort_values(["day", "submitted_at", "sid"], kind="stable")
        return past.drop_duplicates("unit", keep="last")

    return figure


def figures(answers: Answers, places: Mapping[str, Mapping[str, str]]) -> dict[str, Figure]:
    """Every indicator of the offices' forms."""
    offices = frozenset(places)
    known, controls = visits(answers, offices), checks(answers, offices, places)

    def women(since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        told = persons(known[known.sexe.isin(("femme", "homme"))], since, until)
        return told.assign(num=(told.sexe == "femme").astype(float), den=1.0)

    def working(since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        latest = controls(since, until)
        return latest[(latest.statut == "actif") & (latest.score >= 70)]

    def score(since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        latest = controls(since, until)
        return latest[latest.score.notna()].assign(num=lambda frame: frame.score, den=1.0)

    return {
        "OC1-1": succeeded(answers, offices),
        "OC1-2": satisfaction(answers, offices),
        "R1-1": working,
        "R1-2": lambda since, until: within(known, "day", since, until),
        "R1-3": lambda since, until: persons(known, since, until),
        "R1-4": women,
        "R1-5": in_time(answers, offices),
        "R1-6": score,
    }
