"""What is answered on a visit (form tpm_visite), with the values the form calculates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tpm_pipeline.demo import places
from tpm_pipeline.demo import weights as w
from tpm_pipeline.demo.cases import SYNTHETIC, Answers, Case
from tpm_pipeline.demo.dice import Dice

CHILDREN: Final = ("a00_14", "a15_17")
REFERRED: Final = ("oriente", "accompagne")
TO_FOLLOW: Final = (*REFERRED, "attente")
_SUMMER: Final = (7, 8)


@dataclass(frozen=True)
class Visit:
    """One person in front of one agent; `case` is the case they already have, `code` and `id` those of a new one."""

    day: date
    office: w.Office
    agent: str
    profile: Answers
    consent: bool
    minutes: int
    id: str
    alea: str
    case: Case | None = None

    @property
    def is_new(self) -> bool:
        """Whether the visit opens a case."""
        return self.consent and self.case is None

    @property
    def case_id(self) -> str:
        """The case, or the identity an anonymous visit does not use."""
        return self.case.id if self.case else self.id

    @property
    def code(self) -> str:
        """What is written on the card, if there is one."""
        if self.case:
            return self.case.properties["code_dossier"]
        return f"{self.office.code}-{self.day:%y%m}-{self.alea}" if self.consent else ""


def profile(dice: Dice, day: date, office: w.Office, group: str) -> Answers:
    """Draw a person as they describe themselves."""
    category = dice.pick(w.CATEGORIES[group])
    women = min(0.9, w.WOMEN_SHARE[category] * w.WOMEN[places.project_year(day)])
    age = "a15_17" if category == "mna" else dice.pick(w.AGES[group])
    return {
        "sexe": "nr" if dice.chance(0.02) else ("femme" if dice.chance(women) else "homme"),
        "tranche_age": age,
        "cat_migrant": category,
        "groupe_cat": group,
        "note_mineur": "" if age in CHILDREN or category == "mna" else None,
        "profil_mre": dice.pick(w.MRE_PROFILES) if group == "mre" else None,
        "pays_residence": dice.pick(w.RESIDENCES) if group == "mre" else None,
        "nationalite": dice.pick(w.NATIONALITIES) if group == "rpt" else None,
        **_residence(dice, office),
        "instruction": dice.pick(w.EDUCATION),
        "emploi": dice.pick(w.WORK[group]),
    }


def answers(dice: Dice, visit: Visit, labels: Mapping[str, str]) -> Answers:
    """Answer the whole form."""
    group = str(visit.profile["groupe_cat"])
    asked = services(dice, visit.day, group)
    rows = [_orientation(dice, visit, service, labels) for service in asked]
    followed = sum(row["o_reponse"] in TO_FOLLOW for row in rows)
    return {
        **_reception(dice, visit, group),
        **_case(visit),
        **visit.profile,
        **({} if visit.consent else {"instruction": None, "emploi": None}),
        **_company(dice),
        **_need(dice, visit, asked),
        "orientations_count": str(len(rows)),
        "orientations": rows,
        **_closing(dice, visit, followed),
        **_saved(visit, asked, followed),
        "entite_id": visit.case_id,
    }


def services(dice: Dice, day: date, group: str) -> list[str]:
    """Draw what a person asks for."""
    summer = {service: 1.8 for service in w.SUMMER_SERVICES if day.month in _SUMMER}
    weights = {service: weight * summer.get(service, 1) for service, weight in w.SERVICES[group].items()}
    return dice.some(weights, dice.pick(w.SERVICE_COUNTS))


def _residence(dice: Dice, office: w.Office) -> Answers:
    row = places.offices()[office.code]
    if dice.chance(0.06):
        return {"province": "hors_region", "commune": None}
    if dice.chance(0.55):
        return {"province": row["province"], "commune": row["code_commune"]}
    province = row["province"] if dice.chance(0.8) else dice.one_of(places.rows("communes"))["province"]
    return {"province": province, "commune": dice.one_of(places.communes(province)) if dice.chance(0.93) else ""}


def _reception(dice: Dice, visit: Visit, group: str) -> Answers:
    office = places.offices()[visit.office.code]
    minor = visit.profile["tranche_age"] in CHILDREN
    language = dice.pick(w.LANGUAGES[group])
    return {
        "bureau": office["name"],
        "bureau_code": visit.office.code,
        "bureau_commune": office["code_commune"],
        "dossier_uuid_neuf": visit.id,
        "agent_code": visit.agent,
        "date_visite": visit.day.isoformat(),
        "canal": dice.pick(w.CHANNELS),
        "langue_entretien": language,
        "interprete": dice.yes(0.5 if language in {"wolof", "bambara", "peul", "autre"} else 0.02),
        "info_lue": "oui",
        "consent_dossier": "oui" if visit.consent else "non",
        "forme_consent": ("tuteur" if minor else dice.pick(w.CONSENT_FORMS)) if visit.consent else None,
    }


def _case(visit: Visit) -> Answers:
    if not visit.consent:
        return {"g_dossier": None}
    known = visit.case is not None
    return {
        "dossier_mode": "existant" if known else "nouveau",
        "carte_scan": "" if known else None,
        "dossier": visit.case_id if known else None,
        "alea": visit.alea,
        "dossier_uuid": visit.case_id,
        "code_neuf": f"{visit.office.code}-{visit.day:%y%m}-{visit.alea}",
        "code_dossier": visit.code,
    }


def _company(dice: Dice) -> Answers:
    people = dice.pick({0: 66, 1: 20, 2: 8, 3: 4, 5: 2})
    return {"nb_accompagnants": str(people), "nb_enfants": str(dice.between(0, people)) if people else None}


def _need(dice: Dice, visit: Visit, asked: Sequence[str]) -> Answers:
    danger = dice.yes(0.006)
    fragile = _vulnerabilities(dice, visit)
    chosen = dice.one_of(asked)
    stay = visit.consent and visit.profile["groupe_cat"] == "rpt" and {"titre_sejour", "asile"} & set(asked)
    return {
        "services": " ".join(asked),
        "service_choisi": chosen if len(asked) > 1 else None,
        "service_principal": chosen,
        "service_autre": "Demande fictive (données synthétiques)" if "autre" in asked else None,
        "situation_sejour": dice.pick(w.STAY) if stay else None,
        "vulnerabilites": " ".join(fragile),
        "protection_urgente": danger,
        "note_protection": "" if danger == "oui" or "protection" in fragile else None,
    }


def _vulnerabilities(dice: Dice, visit: Visit) -> list[str]:
    if visit.profile["cat_migrant"] == "mna":
        return ["mineur_isole"]
    kind = dice.pick({"": 6, "aucune": 58, "nr": 5, "some": 31})
    return dice.some(w.VULNERABILITIES, dice.between(1, 2)) if kind == "some" else [kind]


def _orientation(dice: Dice, visit: Visit, service: str, labels: Mapping[str, str]) -> Answers:
    answer = dice.pick(w.ANSWERS_BY_SERVICE.get(service, w.ANSWERS_GIVEN))
    referral = _referral(dice, visit, service, answer) if answer in REFERRED else _NO_REFERRAL
    return {
        "o_service": service,
        "o_service_lib": labels[service],
        "o_reponse": answer,
        **referral,
        "o_motif": dice.pick(w.REASONS) if answer == "impossible" else None,
    }


_NO_REFERRAL: Final[Answers] = dict.fromkeys(
    ("o_institution", "o_osc", "o_institution_autre", "o_mode", "o_partage", "o_rdv")
)


def _referral(dice: Dice, visit: Visit, service: str, answer: str) -> Answers:
    institution = dice.pick(w.INSTITUTIONS[service])
    mode = dice.pick(w.ESCORTS if answer == "accompagne" else w.MODES)
    appointment = places.within_project(visit.day + timedelta(days=dice.between(1, 40)))
    return {
        "o_institution": institution,
        "o_osc": dice.one_of(places.rows("osc"))["name"] if institution == "osc" else None,
        "o_institution_autre": "Institution fictive (données synthétiques)" if institution == "autre" else None,
        "o_mode": mode,
        "o_partage": "oui" if mode in {"appel", "courriel"} else dice.yes(0.7),
        "o_rdv": appointment.isoformat() if dice.chance(0.35) else "",
    }


def _closing(dice: Dice, visit: Visit, followed: int) -> Answers:
    asked = visit.consent and followed > 0
    agrees = dice.yes(0.92) if asked else None
    mode = dice.pick(w.CONTACTS) if agrees == "oui" else None
    due = places.within_project(visit.day + timedelta(days=dice.between(12, 30)))
    return {
        "nb_a_suivre": str(followed),
        "contact_accepte": agrees,
        "contact_mode": mode,
        "telephone": None if mode in {None, "bureau"} else "0000000" + dice.digits(5),  # no such number
        "echeance": due.isoformat() if asked else None,
        "duree_min": str(visit.minutes),
        "satisfaction": dice.pick(w.FIRST_RATING),
        "observations": SYNTHETIC,
    }


def _saved(visit: Visit, asked: Sequence[str], followed: int) -> Answers:
    """What the form calculates to update the case, office and status included."""
    if not visit.consent:
        return dict.fromkeys(
            (
                "code_bureau_ent",
                "services_dossier",
                "statut_dossier",
                "date_ouverture",
                "date_dernier_contact",
                "nb_visites",
            )
        )
    before = visit.case.properties if visit.case else {}
    still_open = followed > 0 or before.get("statut_dossier") == "ouvert"
    return {
        "code_bureau_ent": visit.office.code,
        "services_dossier": " ".join(filter(None, (before.get("services_dossier"), *asked))),
        "statut_dossier": "ouvert" if still_open else "clos_immediat",
        "date_ouverture": before.get("date_ouverture", visit.day.isoformat()),
        "date_dernier_contact": visit.day.isoformat(),
        "nb_visites": str(int(before.get("nb_visites", "0")) + 1),
    }
