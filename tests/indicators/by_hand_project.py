"""What the project team's forms say, computed by hand with pandas: sessions, trainings, projects, committees, plan."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tests.indicators.by_hand_answers import Answers, Row, rows, spoken
from tests.indicators.by_hand_offices import Figure, within

START = pd.Timestamp("2020-10-01")
CONTRACTED = ("contractualise", "en_cours", "termine")
Places = Sequence[Mapping[str, Any]]


def latest(frame: pd.DataFrame, *key: str, by: tuple[str, ...] = ()) -> pd.DataFrame:
    """The last row of each key, by these columns and then by reception."""
    ordered = frame.sort_values([*by, "submitted_at", "sid"], kind="stable")
    return ordered.drop_duplicates([*key], keep="last")


def ratio(frame: pd.DataFrame, num: Any, den: Any = 1.0) -> pd.DataFrame:
    """Rows with what each adds above and below the line."""
    return frame.assign(num=num, den=den).astype({"num": float, "den": float})


def sessions(answers: Answers) -> dict[str, Figure]:
    """IMP-2, R4-1, R4-3: votes, sessions and attendance."""
    scores = ("score_acces", "score_accueil", "score_participation")
    counts = ("nb_prevus", "nb_presents", "nb_votants", "nb_femmes", "nb_hommes")
    held = answers.of(
        *("tpm_atelier", "type_espace", "province", "num_seance", "themes"),
        dates=("date_seance",),
        numbers=(*scores, *counts),
    ).rename(columns={"date_seance": "day"})
    held["seance"] = [None if number is None else str(int(number)) for number in held.num_seance]
    held["theme"] = [text.split() if text else [] for text in held.themes]
    witness = held[held.type_espace == "groupe_temoin"]
    voted = witness[witness.nb_votants.notna() & witness[list(scores)].notna().all(axis=1)]
    voted = ratio(voted, voted[list(scores)].sum(axis=1) / 3 * voted.nb_votants, voted.nb_votants)
    expected = witness[witness.nb_prevus.notna()]
    present = ratio(expected, expected.nb_presents, expected.nb_prevus)
    worked = held[held.type_espace.isin(("atelier", "groupe_temoin"))]
    return {
        "IMP-2": lambda since, until: within(voted, "day", since, until),
        "R4-1": lambda since, until: within(worked, "day", since, until),
        "R4-3": lambda since, until: within(present, "day", since, until),
    }


def trainings(answers: Answers) -> dict[str, Figure]:
    """R3-1, R3-2, R3-3, OC3-1: events, people trained, what they learned."""
    events = answers.of("tpm_formation", "code_evt", "type_evt", "province", "publics", dates=("date_debut",))
    events = latest(events, "code_evt").rename(columns={"date_debut": "day", "code_evt": "unit"})
    events["type_evenement"] = events.type_evt
    events["public"] = [text.split() if text else [] for text in events.publics]
    listed = answers.of(
        "tpm_formation/participants", "p_cle", "p_sexe", "p_age", "p_acteur", numbers=("p_pre", "p_post", "p_jours")
    ).rename(columns={"p_sexe": "sexe", "p_age": "age", "p_acteur": "type_acteur"})
    listed = listed.drop(columns=["submitted_at", "review_state"]).reset_index(names="rank")
    people = listed.merge(events.rename(columns={"unit": "formation"}), on="sid").rename(columns={"p_cle": "unit"})
    tested = people[people.p_pre.notna() & people.p_post.notna()]
    gained = ratio(tested, tested.p_post - tested.p_pre >= 4)
    room = tested[tested.p_pre < 20]
    learned = ratio(room, (room.p_post - room.p_pre) / (20 - room.p_pre))

    def trained(since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        there = within(people[(people.type_evt == "formation") & (people.p_jours.fillna(1) > 0)], "day", since, until)
        return there.sort_values(["day", "sid", "rank"], kind="stable").drop_duplicates("unit", keep="last")

    return {
        "OC3-1": lambda since, until: within(learned, "day", since, until),
        "R3-1": lambda since, until: within(events, "day", since, until),
        "R3-2": trained,
        "R3-3": lambda since, until: within(gained, "day", since, until),
    }


def projects(answers: Answers, organisations: Mapping[str, str]) -> dict[str, Figure]:
    """OC2-1, R2-1, R2-2, R2-3: organisations supported, their projects and their money."""
    money = ("budget_total", "subvention", "apport_diaspora", "apport_local", "avancement")
    found = answers.of(
        *("tpm_osc", "osc_mode", "osc_code", "forme_osc", "province", "appuis", "a_projet", "code_projet", "domaine"),
        *("statut_projet",),
        dates=("date_suivi",),
        numbers=money,
    ).rename(columns={"date_suivi": "day", "osc_code": "osc"})
    new = found[(found.osc_mode == "nouvelle") & found.osc.notna()].drop_duplicates("osc", keep="first")
    forms = {**dict(zip(new.osc, new.forme_osc, strict=True)), **organisations}
    found["forme_osc"] = [forms.get(code) for code in found.osc]
    found["theme"] = [text.split() if text else [] for text in found.appuis]
    helped = found[found.appuis.notna() | (found.a_projet == "oui")]
    helped = helped.assign(unit=helped.osc, province=spoken([[one] if one else [] for one in helped.province], helped))
    contracted = found[found.statut_projet.isin(CONTRACTED)].assign(unit=lambda frame: frame.code_projet)
    signed = contracted[contracted.unit.notna()].sort_values(["day", "submitted_at", "sid"], kind="stable")
    signed = signed.drop_duplicates("unit", keep="first")

    def state(until: pd.Timestamp) -> pd.DataFrame:
        return latest(contracted[contracted.day < until], "unit", by=("day",))

    def leverage(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        known = state(until)
        return ratio(known, known.apport_diaspora + known.apport_local, known.subvention)

    def progress(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        known = state(until)
        return ratio(known, known.avancement / 100 * known.budget_total, known.budget_total)

    return {
        "OC2-1": leverage,
        "R2-1": lambda since, until: within(helped, "day", since, until),
        "R2-2": lambda since, until: within(signed, "day", since, until),
        "R2-3": progress,
    }


def partners(answers: Answers, authorities: Places) -> dict[str, Figure]:
    """IMP-1, OC3-2, R3-4, R5-8: planning documents, agreements, meetings."""
    found = answers.of(
        *("tpm_partenariat", "type_relation", "type_partenaire", "province", "commune", "ref_conv", "doc"),
        *("service_dedie",),
        dates=("date_rel",),
        numbers=("niveau",),
    ).rename(columns={"date_rel": "day", "type_relation": "objet"})
    planned = found[found.objet == "planification"]
    planned = planned.assign(unit=spoken([_authority(row, authorities) for row in rows(planned)], planned))
    of_region = planned[planned.doc == "pdr"]

    def in_region(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        known = latest(of_region[of_region.day < until].assign(key=1), "key", by=("day",))
        return ratio(known, (known.niveau >= 3) & (known.service_dedie == "oui"))

    signed = found[(found.objet == "convention") & found.ref_conv.notna()].assign(unit=lambda frame: frame.ref_conv)
    signed = signed.sort_values(["day", "submitted_at", "sid"], kind="stable").drop_duplicates("unit", keep="first")
    met = found[found.objet.isin(("mobilisation", "concertation", "representation"))]
    return {
        "IMP-1": _integrated(planned, authorities),
        "OC3-2": in_region,
        "R3-4": lambda since, until: within(signed, "day", since, until),
        "R5-8": lambda since, until: within(met, "day", since, until),
    }


def _integrated(planned: pd.DataFrame, authorities: Places) -> Figure:
    """IMP-1: every partner authority, and whether its latest planning document budgets migration."""

    def integrated(_since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        seen = latest(planned[planned.unit.notna() & (planned.day < until)], "unit", by=("day",)).set_index("unit")
        told = [
            {
                "unit": one["code"],
                "type_collectivite": one["type"],
                "province": one["province"] or None,
                "num": float(one["code"] in seen.index and seen.niveau[one["code"]] >= 3),
                "den": 1.0,
            }
            for one in authorities
        ]
        return pd.DataFrame(
            told if until > START else [], columns=["unit", "type_collectivite", "province", "num", "den"]
        )

    return integrated


def _authority(row: Row, authorities: Places) -> str | None:
    for one in authorities:
        kind = row["type_partenaire"]
        same = {
            "region": True,
            "province": one["province"] == row["province"],
            "commune": one["code_commune"] == row["commune"],
        }
        if kind == one["type"] and same.get(kind):
            return str(one["code"])
    return None
