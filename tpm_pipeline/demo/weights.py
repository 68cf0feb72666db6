"""The figures the synthetic population is drawn from: illustrative orders of magnitude, no real person behind them.

Codes are those of the forms' lists; lists are in the forms' order, because a phone writes several answers in it.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

Weights = Mapping[str, float]


class Office(NamedTuple):
    """One office: since when, how busy, whom it receives.

    During `closed` spans, half-open, its registers stay empty; from `ends` on it is closed for good.
    """

    code: str
    opened: date
    size: float
    publics: Weights
    agents: tuple[str, ...]
    closed: tuple[tuple[date, date], ...] = ()
    ends: date | None = None


_MRE: Final = {"mre": 84, "rpt": 8, "autre": 8}
OFFICES: Final = (
    Office("TAR01", date(2020, 10, 1), 1.0, _MRE, ("TA01", "TA02"), closed=((date(2021, 12, 6), date(2022, 2, 14)),)),
    Office("TIZ01", date(2020, 11, 2), 1.3, {"mre": 74, "rpt": 17, "autre": 9}, ("TZ01", "TZ02", "TZ03")),
    Office("TIZ02", date(2021, 3, 1), 0.5, _MRE, ("TZ11",), closed=((date(2022, 5, 1), date(2022, 6, 1)),)),
    Office(
        "TIZ03",
        date(2021, 9, 6),
        0.4,
        _MRE,
        ("TZ21",),
        closed=((date(2022, 12, 1), date(2023, 1, 1)),),
        ends=date(2023, 2, 6),
    ),
    Office("TIZ04", date(2022, 2, 7), 0.45, _MRE, ("TZ31", "TZ32")),
    Office("CHT01", date(2022, 6, 13), 1.6, {"mre": 27, "rpt": 65, "autre": 8}, ("CH01", "CH02", "CH03")),
    Office(
        "INE01",
        date(2022, 8, 22),
        0.8,
        {"mre": 58, "rpt": 31, "autre": 11},
        ("IN01", "IN02"),
        closed=((date(2023, 9, 1), date(2023, 10, 1)),),
    ),
)

# January to December: Moroccans abroad come home in summer, farm workers are there in winter.
SEASONS: Final[Mapping[str, tuple[float, ...]]] = {
    "mre": (0.8, 0.7, 0.8, 0.9, 0.9, 1.2, 2.6, 3.0, 1.1, 0.8, 0.7, 0.9),
    "rpt": (1.2, 1.2, 1.2, 1.1, 1.0, 0.9, 0.7, 0.6, 0.9, 1.1, 1.2, 1.1),
    "autre": (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.7, 1.3, 1.2, 1.0, 0.9),
}

# One figure per project year A1, A2, A3.
ACTIVITY: Final = (1.2, 1.0, 0.9)
FOLLOWED_IN_TIME: Final = (0.54, 0.69, 0.79)
FOLLOWED_LATE: Final = 0.55
SUCCESS: Final = (0.8, 1.1, 1.45)
WOMEN: Final = (0.78, 1.0, 1.22)
RATINGS: Final[tuple[Weights, ...]] = (
    {"1": 3, "2": 9, "3": 24, "4": 39, "5": 25},
    {"1": 2, "2": 6, "3": 17, "4": 43, "5": 32},
    {"1": 2, "2": 5, "3": 16, "4": 41, "5": 36},
)

ANONYMOUS: Final[Weights] = {"mre": 0.14, "rpt": 0.34, "autre": 0.3}
RETURNING: Final = 0.36
CHANNELS: Final[Weights] = {"sur_place": 78, "telephone": 9, "messagerie": 6, "courriel": 1, "mobile": 4, "tiers": 2}
CONSENT_FORMS: Final[Weights] = {"ecrit": 45, "oral_agent": 46, "oral_temoin": 9}
LANGUAGES: Final[Mapping[str, Weights]] = {
    "mre": {"tachelhit": 62, "darija": 27, "arabe": 2, "francais": 8, "espagnol": 1},
    "rpt": {"darija": 18, "francais": 52, "anglais": 8, "arabe": 8, "wolof": 6, "bambara": 4, "peul": 2, "autre": 2},
    "autre": {"tachelhit": 45, "darija": 42, "arabe": 5, "francais": 8},
}

CATEGORIES: Final[Mapping[str, Weights]] = {
    "mre": {"mre": 57, "mre_retour": 19, "famille_mre": 24},
    "rpt": {"rpt": 60, "demandeur_asile": 11, "refugie": 4, "etudiant": 8, "famille_rpt": 13, "mna": 4},
    "autre": {"candidat": 46, "autre": 42, "nr": 12},
}
WOMEN_SHARE: Final[Weights] = {
    "mre": 0.24, "mre_retour": 0.22, "famille_mre": 0.8, "rpt": 0.37, "demandeur_asile": 0.36, "refugie": 0.45,
    "etudiant": 0.42, "famille_rpt": 0.72, "mna": 0.2, "candidat": 0.3, "autre": 0.5, "nr": 0.4,
}  # fmt: skip
AGES: Final[Mapping[str, Weights]] = {
    "mre": {"a18_24": 3, "a25_34": 11, "a35_59": 46, "a60_99": 39, "nr": 1},
    "rpt": {"a00_14": 0.5, "a15_17": 2, "a18_24": 24, "a25_34": 43, "a35_59": 27, "a60_99": 1, "nr": 2.5},
    "autre": {"a15_17": 2, "a18_24": 34, "a25_34": 36, "a35_59": 22, "a60_99": 4, "nr": 2},
}
MRE_PROFILES: Final[Weights] = {
    "actif": 38, "retraite": 32, "etudiant": 2, "ayant_droit": 13, "investisseur": 8, "jeune": 5, "autre": 2,
}  # fmt: skip
RESIDENCES: Final[Weights] = {
    "FRA": 66, "ESP": 10, "ITA": 7, "BEL": 7, "NLD": 4, "DEU": 3, "CHE": 1, "CAN": 1, "XXA": 1,
}  # fmt: skip
NATIONALITIES: Final[Weights] = {
    "SEN": 25, "CIV": 19, "GIN": 13, "MLI": 9, "CMR": 8, "FRA": 5, "SYR": 4, "COD": 3, "GMB": 3, "BFA": 2, "NGA": 2,
    "MRT": 2, "SDN": 2, "TGO": 1, "XXX": 9,
}  # fmt: skip
EDUCATION: Final[Weights] = {
    "aucun": 17, "primaire": 24, "college": 19, "lycee": 17, "pro": 7, "superieur": 12, "nr": 4,
}  # fmt: skip
WORK: Final[Mapping[str, Weights]] = {
    "mre": {"salarie": 34, "independant": 10, "sans_emploi": 8, "etudes": 3, "retraite": 32, "foyer": 11, "nr": 2},
    "rpt": {"salarie": 9, "agricole": 35, "independant": 7, "informel": 24, "sans_emploi": 16, "etudes": 7, "nr": 2},
    "autre": {"salarie": 14, "agricole": 9, "independant": 9, "sans_emploi": 42, "etudes": 18, "foyer": 6, "nr": 2},
}

SERVICES: Final[Mapping[str, Weights]] = {
    "mre": {
        "langue": 0.5, "retraite": 20, "reversion": 11, "investissement": 6, "reinsertion": 4, "foncier": 12,
        "douane": 6, "etat_civil": 13, "consulaire": 7, "sante": 3, "equivalence": 1.5, "entrepreneuriat": 3,
        "juridique": 5, "famille": 6, "aide_sociale": 2, "vie_asso": 2.5, "information": 9, "autre": 1,
    },
    "rpt": {
        "titre_sejour": 23, "asile": 6, "retour_volontaire": 3, "langue": 4, "etat_civil": 6, "consulaire": 5,
        "sante": 13, "psychosocial": 3.5, "scolarisation": 6, "formation_pro": 4, "emploi": 8, "entrepreneuriat": 2,
        "droits_travail": 7, "juridique": 4, "famille": 1.5, "logement": 4, "aide_sociale": 7, "information": 7,
        "autre": 1,
    },
    "autre": {
        "langue": 2, "etat_civil": 10, "consulaire": 27, "sante": 2, "equivalence": 4, "formation_pro": 13,
        "emploi": 19, "juridique": 3, "aide_sociale": 4, "vie_asso": 3, "information": 18, "autre": 2,
    },
}  # fmt: skip
SUMMER_SERVICES: Final = frozenset({"etat_civil", "foncier", "famille"})
SERVICE_COUNTS: Final[Mapping[int, float]] = {1: 69, 2: 24, 3: 6, 4: 1}
STAY: Final[Weights] = {
    "titre_valide": 12, "renouvellement": 33, "court_sejour": 8, "doc_hcr": 7, "a_regulariser": 29, "nr": 11,
}  # fmt: skip
VULNERABILITIES: Final[Weights] = {
    "femme_seule": 9, "enceinte": 4, "parent_isole": 7, "age": 12, "handicap": 5, "sante": 9, "psychosocial": 7,
    "sans_abri": 7, "lecture": 34, "protection": 2,
}  # fmt: skip
ANSWERS_GIVEN: Final[Weights] = {
    "info": 25, "traite": 21, "oriente": 29, "accompagne": 8, "attente": 11, "impossible": 6,
}  # fmt: skip
# Services answered otherwise than most.
ANSWERS_BY_SERVICE: Final[Mapping[str, Weights]] = {
    "information": {"info": 88, "traite": 6, "oriente": 6},
    "asile": {"info": 12, "oriente": 62, "accompagne": 20, "attente": 6},
    "titre_sejour": {"info": 20, "traite": 4, "oriente": 45, "accompagne": 14, "attente": 13, "impossible": 4},
    "retour_volontaire": {"info": 70, "oriente": 30},
}
MODES: Final[Weights] = {"fiche": 42, "appel": 23, "courriel": 6, "adresse": 29}
ESCORTS: Final[Weights] = {"appel": 35, "courriel": 10, "physique": 55}
REASONS: Final[Weights] = {
    "competence": 28, "inexistant": 30, "conditions": 22, "documents": 12, "langue": 3, "autre": 5,
}  # fmt: skip
CONTACTS: Final[Weights] = {"appel": 48, "sms": 6, "whatsapp": 33, "bureau": 13}
FIRST_RATING: Final[Weights] = {"2": 2, "3": 10, "4": 40, "5": 48}

INSTITUTIONS: Final[Mapping[str, Weights]] = {
    "titre_sejour": {"province": 10, "surete": 45, "gendarmerie": 20, "consulat": 15, "cndh": 5, "gadem": 5},
    "asile": {"hcr": 65, "omdh": 20, "cndh": 7, "gadem": 8},
    "retour_volontaire": {"consulat": 20, "oim": 80},
    "langue": {"fh2": 15, "entraide": 30, "education": 20, "osc": 35},
    "retraite": {"dept_mre": 8, "fh2": 15, "cnss": 25, "caisses": 52},
    "reversion": {"dept_mre": 8, "fh2": 20, "cnss": 17, "caisses": 55},
    "investissement": {"region": 15, "dept_mre": 15, "cri": 70},
    "reinsertion": {"dept_mre": 20, "fh2": 20, "anapec": 40, "ofii": 20},
    "foncier": {"commune": 15, "province": 10, "fh2": 12, "justice": 18, "conservation": 40, "mediateur": 5},
    "douane": {"province": 5, "douanes": 95},
    "etat_civil": {"commune": 68, "province": 10, "surete": 7, "consulat": 15},
    "consulaire": {"consulat": 90, "ofii": 10},
    "sante": {"cnss": 10, "delegation_sante": 20, "centre_sante": 60, "caritas": 10},
    "psychosocial": {"centre_sante": 30, "oim": 20, "caritas": 20, "protection_enfance": 20, "osc": 10},
    "scolarisation": {"education": 85, "caritas": 5, "protection_enfance": 5, "osc": 5},
    "equivalence": {"education": 30, "universite": 70},
    "formation_pro": {"anapec": 25, "ofppt": 55, "entraide": 20},
    "emploi": {"anapec": 75, "ofppt": 10, "indh": 15},
    "entrepreneuriat": {"region": 5, "cri": 35, "anapec": 25, "indh": 35},
    "droits_travail": {"justice": 15, "inspection": 60, "cnss": 25},
    "juridique": {"fh2": 20, "justice": 45, "omdh": 10, "cndh": 15, "gadem": 10},
    "famille": {"consulat": 20, "fh2": 20, "justice": 60},
    "logement": {"commune": 20, "entraide": 40, "caritas": 20, "osc": 20},
    "aide_sociale": {"commune": 20, "entraide": 35, "indh": 10, "caritas": 10, "osc": 25},
    "vie_asso": {"commune": 10, "region": 35, "ccme": 10, "osc": 15, "md": 30},
    "information": {"commune": 50, "province": 30, "md": 20},
    "autre": {"osc": 30, "md": 40, "autre": 30},
}
