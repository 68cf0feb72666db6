"""Three years of a project, made up: rows for every mart that indicators read."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

START, DAYS = date(2020, 10, 1), 1187
END = START + timedelta(days=DAYS)
SERVICES = ["retraite", "foncier", "sante"]
PROVINCES = ["MA-TIZ", "MA-TAT", "MA-AGD"]
LESSONS = [f"ENS-{number:03}" for number in range(1, 9)]

Marts = dict[str, list[dict[str, Any]]]


def history(seed: int) -> Marts:
    """A project's three years; no unit has two facts on one day, for which the published formulas have no rule."""
    dice = Random(seed)  # noqa: S311 - figures for a test, not secrets
    marts: Marts = defaultdict(list)
    for tell in (_people, _offices, _projects, _trainings, _sessions, _committees, _plan, _contracts, _outreach):
        tell(dice, marts)
    _partners(dice, marts)
    return marts


def _days(dice: Random, most: int) -> Iterator[date]:
    """Days of the project, none of them twice, in any order."""
    return (START + timedelta(days=day) for day in dice.sample(range(DAYS), dice.randint(0, most)))


def _people(dice: Random, marts: Marts) -> None:
    for number in range(40):
        case = f"d{number}" if dice.random() < 0.8 else None
        sexe = dice.choice(["femme", "homme", "nr", None])
        for day in _days(dice, 4):
            _visit(dice, marts, case, sexe, day)
        for day in _days(dice, 6) if case else ():
            _follow_up(dice, marts, case, day)


def _visit(dice: Random, marts: Marts, case: str | None, sexe: str | None, day: date) -> None:
    key = f"v{len(marts['marts.fct_visite'])}"
    asked = dice.sample(SERVICES, dice.randint(1, 3))
    shared = {"visite_id": key, "dossier_uuid": case, "bureau_code": "TIZ01", "date_visite": day}
    consent = "oui" if case else "non"
    marts["marts.fct_visite"].append({**shared, "sexe": sexe, "consent_dossier": consent, "services": asked})
    for rank, service in enumerate(asked, start=1):
        answer = dice.choice(["oriente", "accompagne", "attente", "info"])
        marts["marts.fct_orientation"].append({**shared, "rang": rank, "service": service, "reponse": answer})


def _follow_up(dice: Random, marts: Marts, case: str | None, day: date) -> None:
    key = f"s{len(marts['marts.fct_suivi'])}"
    shared = {"suivi_id": key, "dossier_uuid": case, "bureau_code": "TIZ01", "date_suivi": day}
    marts["marts.fct_suivi"].append({**shared, "sat_bureau": dice.choice([1, 2, 3, 4, 5, None])})
    for rank, service in enumerate(dice.sample(SERVICES, dice.randint(0, 3)), start=1):
        issue = dice.choice(["obtenu", "partiel", "en_cours", "refuse"])
        marts["marts.fct_issue"].append({**shared, "rang": rank, "service": service, "issue": issue})


def _offices(dice: Random, marts: Marts) -> None:
    for office in ("TIZ01", "CHT01", "INE01", "TAR01"):
        for day in _days(dice, 6):
            status, score = dice.choice(["actif", "actif", "suspendu"]), dice.randrange(0, 101, 5)
            key = f"c{len(marts['marts.fct_controle_bureau'])}"
            checked = {"controle_id": key, "bureau_code": office, "date_controle": day}
            marts["marts.fct_controle_bureau"].append({**checked, "statut_bureau": status, "score": score})


def _projects(dice: Random, marts: Marts) -> None:
    for number in range(10):
        has_project = dice.random() < 0.7
        for day in _days(dice, 6):
            follow_up = {
                "osc_suivi_id": f"o{len(marts['marts.fct_osc_suivi'])}",
                "date_suivi": day,
                "osc_code": f"OSC{number:03}",
                "province": dice.choice(PROVINCES),
                "appuis": dice.choice([None, ["codev"], ["genre", "accueil"]]),
                "a_projet": has_project,
            }
            marts["marts.fct_osc_suivi"].append(follow_up | (_project(dice, number) if has_project else {}))


def _project(dice: Random, number: int) -> dict[str, Any]:
    return {
        "projet_code": f"COD-{number:03}",
        "statut_projet": dice.choice(["identifie", "formulation", "contractualise", "en_cours", "termine", "suspendu"]),
        "domaine_projet": dice.choice(["sante", "agr"]),
        "budget_total": dice.randrange(0, 400_000, 50_000),
        "subvention": dice.randrange(0, 200_000, 50_000),
        "apport_diaspora": dice.randrange(0, 100_000, 10_000),
        "apport_local": dice.randrange(0, 100_000, 10_000),
        "avancement_pct": dice.randrange(0, 101, 5),
    }


def _trainings(dice: Random, marts: Marts) -> None:
    for number, day in enumerate(_days(dice, 40)):
        held = {"evenement_id": f"e{number}", "evenement_code": f"FOR-{number:04}", "date_debut": day}
        held |= {"type_evt": dice.choice(["formation", "formation", "atelier"]), "province": dice.choice(PROVINCES)}
        marts["marts.fct_evenement"].append(held)
        for rank, person in enumerate(dice.sample(range(50), dice.randint(0, 8)), start=1):
            listed = {**held, "rang": rank, "participant_id": f"p{person}", "sexe": dice.choice(["femme", "homme"])}
            if held["type_evt"] == "formation":
                listed |= {
                    "note_avant": dice.choice([None, 5, 12, 18, 20]),
                    "note_apres": dice.choice([None, 9, 16, 20]),
                }
            marts["marts.fct_participant"].append({**listed, "nb_demi_journees": dice.choice([None, 1, 4])})


def _sessions(dice: Random, marts: Marts) -> None:
    for number, day in enumerate(_days(dice, 40)):
        session = {"seance_id": f"w{number}", "date_seance": day, "num_seance": number}
        session |= {"type_espace": dice.choice(["atelier", "groupe_temoin", "restitution"])}
        session |= {"nb_prevus": dice.randint(0, 20), "nb_presents": dice.randint(0, 20)}
        if session["type_espace"] == "groupe_temoin":
            session |= {f"score_{name}": dice.randint(1, 5) for name in ("acces", "accueil", "participation")}
            session["nb_votants"] = dice.randint(0, 20)
        marts["marts.fct_seance"].append(session)
    for number, day in enumerate(_days(dice, 40)):
        interview = {"entretien_id": f"t{number}", "date_entretien": day, "consent": dice.choice(["oui", "oui", "non"])}
        interview |= {"a_texte": dice.random() < 0.5, "qualite_audio": dice.choice(["bonne", "mauvaise", None])}
        marts["marts.fct_entretien"].append(interview)


def _committees(dice: Random, marts: Marts) -> None:
    for number, day in enumerate(_days(dice, 40)):
        is_held = dice.random() < 0.8
        planned = {"comite_id": f"m{number}", "comite_code": f"COM-{number:04}", "type_comite": "suivi"}
        held = day + timedelta(days=dice.randint(-12, 12)) if is_held else None
        marts["marts.fct_comite"].append({**planned, "date_prevue": day, "est_tenu": is_held, "date_tenue": held})
        due = day + timedelta(days=dice.randint(10, 90))
        decided = {"comite_id": f"m{number}", "rang": 1, "decision_code": f"COM-{number:04}-01"}
        marts["marts.fct_decision"].append({**decided, "type_comite": "suivi", "decision_echeance_date": due})
        _reviews(dice, marts, decided, day)


def _reviews(dice: Random, marts: Marts, decided: dict[str, Any], day: date) -> None:
    """Reviews in their order, the last one final: carried out once, cancelled, or neither."""
    held_on = [day + timedelta(days=30 * rank) for rank in range(1, dice.randint(1, 4))]
    for held in (one for one in held_on if one < END):
        ends = held == held_on[-1]
        status = (
            dice.choice(["faite", "faite", "annulee", "en_cours"]) if ends else dice.choice(["en_cours", "non_faite"])
        )
        done = held - timedelta(days=dice.randint(0, 60)) if status == "faite" else None
        reviewed = {**decided, "comite_id": f"r{day}", "revue_date": held}
        marts["marts.fct_decision_suivi"].append({**reviewed, "statut_decision": status, "execution_date": done})


def _plan(dice: Random, marts: Marts) -> None:
    for number, weight in enumerate((40, 30, 20, 10), start=1):
        activity = {"activite_code": f"A1.{number}", "resultat": "R1"}
        marts["marts.dim_activite"].append({**activity, "poids": weight})
        for month in dice.sample(range(39), dice.randint(0, 12)):
            told = {
                "activite_id": f"f{number}-{month}",
                "mois_date": date(2020 + (9 + month) // 12, (9 + month) % 12 + 1, 1),
            }
            told |= {"statut_activite": dice.choice(["en_cours", "reportee", "annulee"])}
            told |= {"avancement_pct": dice.randrange(0, 101, 5), "nb_pieces_attendues": dice.randint(0, 9)}
            marts["marts.fct_activite"].append({**activity, **told, "nb_pieces_conformes": dice.randint(0, 4)})
    for number, day in enumerate(_days(dice, 40)):
        handed = day + timedelta(days=dice.randint(-9, 9)) if dice.random() < 0.8 else None
        due = {"livrable_id": f"l{number}", "livrable_ref": f"RAP-{number:04}", "livrable_du_date": day}
        marts["marts.fct_livrable"].append({**due, "est_remis": handed is not None, "remise_date": handed})


def _contracts(dice: Random, marts: Marts) -> None:
    for number, day in enumerate(_days(dice, 30)):
        signed = {"consultation_id": f"x{number}", "consultation_ref": f"TDR-{number:04}", "contrat_date": day}
        signed |= {"a_contrat": dice.random() < 0.8, "livrable_du_date": day + timedelta(days=dice.randint(0, 200))}
        signed |= {"est_conforme": dice.random() < 0.7, "est_livrable_valide": dice.random() < 0.7}
        marts["marts.fct_consultation"].append(signed)


def _outreach(dice: Random, marts: Marts) -> None:
    for number, day in enumerate(_days(dice, 40)):
        shares = dice.random() < 0.5
        action = {"com_id": f"k{number}", "date_com": day, "est_conforme": dice.random() < 0.7, "a_partage": shares}
        told = dice.sample(LESSONS, dice.randint(1, 3)) if shares else None
        is_used = shares and dice.random() < 0.4
        marts["marts.fct_com"].append({**action, "enseignement_codes": told, "est_repris": is_used})


def _partners(dice: Random, marts: Marts) -> None:
    authorities = ["REG", "PRO-TIZ", "COM-1", "COM-2", "COM-3"]
    marts["marts.dim_collectivite"] = [
        {"collectivite_code": code, "type_collectivite": "commune"} for code in authorities
    ]
    kinds = ["mobilisation", "concertation", "representation", "convention", "planification", "planification"]
    for number, day in enumerate(_days(dice, 60)):
        kind, who = dice.choice(kinds), dice.choice(authorities)
        met = {"relation_id": f"q{number}", "date_rel": day, "type_relation": kind}
        met |= {"partenaire_nom": who, "collectivite_code": who}
        if kind == "convention":
            met["convention_ref"] = f"CV-{dice.randint(1, 8)}"
        if kind == "planification":
            met |= {"doc_planif": dice.choice(["pdr", "pac"]), "niveau_integration": dice.randint(0, 4)}
            met["a_service_dedie"] = dice.random() < 0.5
        marts["marts.fct_relation"].append(met)
