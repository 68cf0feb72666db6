"""What is answered at a follow-up (form tpm_suivi), with the values the form calculates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tpm_pipeline.demo import outcomes as o
from tpm_pipeline.demo import places
from tpm_pipeline.demo import weights as w
from tpm_pipeline.demo.cases import SYNTHETIC, Answers, Case
from tpm_pipeline.demo.dice import Dice, only


@dataclass(frozen=True)
class FollowUp:
    """One attempt to hear from one person."""

    day: date
    office: str
    agent: str
    case: Case
    reached: str
    consent: bool

    @property
    def talked(self) -> bool:
        """Whether the person was reached and still wants the follow-up."""
        return self.reached == "oui" and self.consent

    @property
    def withdrawn(self) -> bool:
        """Whether the person was reached and wants no more follow-up."""
        return self.reached == "oui" and not self.consent


def answers(dice: Dice, follow_up: FollowUp, labels: Mapping[str, str]) -> Answers:
    """Answer the whole form."""
    heard = _heard(dice, follow_up)
    rows = [_issue(dice, follow_up, service, labels) for service in heard]
    return {
        **_case(follow_up),
        **_contact(dice, follow_up),
        "g_choix": None if follow_up.withdrawn else "",
        "services_suivis": " ".join(heard),
        "issues_count": str(len(rows)),
        "issues": rows or None,
        **_needs_and_views(dice, follow_up),
        **_decision(dice, follow_up, [str(row["i_issue"]) for row in rows]),
    }


def _case(follow_up: FollowUp) -> Answers:
    known = follow_up.case.properties
    return {
        "bureau": places.offices()[follow_up.office]["name"],
        "bureau_code": follow_up.office,
        "agent_code": follow_up.agent,
        "dossier": follow_up.case.id,
        "code_dossier": known["code_dossier"],
        "services_prec": known["services_dossier"],
        "date_ouverture": known["date_ouverture"],
        "echeance_prec": known.get("prochaine_echeance", ""),
        "groupe_cat": known["groupe_cat"],
        "nb_suivis_prec": known.get("nb_suivis", "0"),
    }


def _contact(dice: Dice, follow_up: FollowUp) -> Answers:
    reached = follow_up.reached == "oui"
    return {
        "date_suivi": follow_up.day.isoformat(),
        "canal_suivi": dice.pick(
            o.CONTACT_CHANNELS if reached else only(o.CONTACT_CHANNELS, ("telephone", "courriel"))
        ),
        "joint": follow_up.reached,
        "nb_tentatives": None if reached else str(dice.between(1, 4)),
        "consent_maintenu": ("oui" if follow_up.consent else "non") if reached else None,
        "note_retrait": "" if follow_up.withdrawn else None,
    }


def _heard(dice: Dice, follow_up: FollowUp) -> list[str]:
    """The services there is news of; an institution may answer though the person does not."""
    likely = 0.94 if follow_up.talked else (0.0 if follow_up.withdrawn else 0.2)
    heard = {service for service in follow_up.case.awaiting if dice.chance(likely)}
    return [service for service in w.INSTITUTIONS if service in heard]


def _issue(dice: Dice, follow_up: FollowUp, service: str, labels: Mapping[str, str]) -> Answers:
    institution = follow_up.case.awaiting[service]
    luck = o.SUCCESSES if follow_up.talked else ()
    factor = w.SUCCESS[places.project_year(follow_up.day)]
    issue = dice.pick({key: weight * (factor if key in luck else 1) for key, weight in o.OUTCOMES.items()})
    met = dice.chance(0.25 if issue in o.SUCCESSES else 0.8)
    obstacles = dice.some(o.OBSTACLES, dice.between(1, 2)) if met else ["aucun"]
    action = None if issue in {"obtenu", "abandon"} else dice.pick(o.ACTIONS)
    return {
        "i_service": service,
        "i_service_lib": labels[service],
        "i_issue": issue,
        "i_institution": institution,
        **_dated(dice, follow_up, issue),
        "i_obstacles": " ".join(obstacles),
        "i_obstacle_autre": "Obstacle fictif (données synthétiques)" if "autre" in obstacles else None,
        "i_action": action,
        "i_institution_new": _other_institution(dice, service, institution) if action == "reorientation" else None,
    }


def _dated(dice: Dice, follow_up: FollowUp, issue: str) -> Answers:
    if issue not in o.DATED or not dice.chance(0.9):
        return {"i_date": "" if issue in o.DATED else None, "i_delai_j": ""}
    since = (follow_up.day - follow_up.case.last_contact).days
    day = follow_up.day - timedelta(days=dice.between(0, since))
    return {"i_date": day.isoformat(), "i_delai_j": str((day - follow_up.case.opened).days)}


def _other_institution(dice: Dice, service: str, institution: str) -> str:
    others = {key: weight for key, weight in w.INSTITUTIONS[service].items() if key != institution}
    return dice.pick(others or {"md": 1})


def _needs_and_views(dice: Dice, follow_up: FollowUp) -> Answers:
    if not follow_up.talked:
        return {"g_besoins": None, "g_avis": None}
    new = dice.yes(0.09)
    complaint = dice.yes(0.015)
    ratings = w.RATINGS[places.project_year(follow_up.day)]
    group = follow_up.case.properties["groupe_cat"]
    return {
        "nouveau_besoin": new,
        "services_nouveaux": dice.pick(w.SERVICES[group]) if new == "oui" else None,
        "note_visite": "" if new == "oui" else None,
        "sat_bureau": dice.pick(ratings),
        "sat_institution": dice.pick(w.RATINGS[0]),
        "respect": dice.pick(o.RESPECT),
        "plainte": complaint,
        "note_plainte": "" if complaint == "oui" else None,
    }


def _decision(dice: Dice, follow_up: FollowUp, issues: Sequence[str]) -> Answers:
    known = follow_up.case.properties
    decision = _decide(dice, follow_up, issues)
    stay = [code for code in places.open_offices(follow_up.day) if not places.closes_soon(code, follow_up.day)]
    others = [code for code in stay if code != follow_up.office]
    if (
        decision == "poursuivre"
        and others
        and (dice.chance(0.02) or places.closes_soon(follow_up.office, follow_up.day))
    ):
        decision = "transfert"
    target = dice.one_of(others) if decision == "transfert" else None
    goes_on = decision in {"poursuivre", "transfert"}
    due = follow_up.day + timedelta(days=dice.between(15, 45))
    before = known.get("prochaine_echeance", "")
    return {
        "decision": decision,
        "bureau_transfert": places.offices()[target]["name"] if target else None,
        "echeance": max(places.within_project(due), follow_up.day + timedelta(days=1)).isoformat() if goes_on else None,
        "observations": SYNTHETIC,
        "statut_dossier": "ouvert" if goes_on else decision,
        "code_bureau_ent": target or follow_up.office,
        "date_dernier_contact": follow_up.day.isoformat(),
        "nb_suivis": str(int(known.get("nb_suivis", "0")) + 1),
        "delai_echeance_j": str((follow_up.day - date.fromisoformat(before)).days) if before else "",
    }


def _decide(dice: Dice, follow_up: FollowUp, issues: Sequence[str]) -> str:
    if follow_up.withdrawn:
        return "clos_retrait"
    if follow_up.reached != "oui":
        return dice.pick(o.UNREACHED_DECISIONS) if follow_up.case.unreached else "poursuivre"
    left = len(follow_up.case.awaiting) - sum(issue in o.CONCLUDED for issue in issues)
    if left > 0:
        return "poursuivre" if dice.chance(0.94) else "clos_sans_suite"
    return "clos_resolu" if set(issues) & set(o.SUCCESSES) else "clos_sans_suite"
