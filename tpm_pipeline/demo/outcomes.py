"""The figures follow-ups and interviews are drawn from (illustrative, like those of `weights`)."""

from collections.abc import Mapping
from typing import Final

from tpm_pipeline.demo.weights import Weights

REACHED: Final[Weights] = {"oui": 79, "injoignable": 14, "numero": 4, "refus": 3}
CONTACT_CHANNELS: Final[Weights] = {"sur_place": 22, "telephone": 53, "messagerie": 22, "courriel": 3}
KEEPS_CONSENT: Final = 0.975
OUTCOMES: Final[Weights] = {
    "obtenu": 33, "partiel": 12, "en_cours": 36, "refuse": 6, "non_presente": 6, "abandon": 4, "inconnu": 3,
}  # fmt: skip
SUCCESSES: Final = ("obtenu", "partiel")
CONCLUDED: Final = ("obtenu", "refuse", "abandon")
DATED: Final = ("obtenu", "partiel", "refuse")
OBSTACLES: Final[Weights] = {
    "documents": 27, "delai": 26, "cout": 9, "distance": 14, "langue": 6, "refus": 5, "information": 9,
    "conditions": 10, "crainte": 4, "autre": 2,
}  # fmt: skip
ACTIONS: Final[Weights] = {"aucune": 24, "relance": 40, "reorientation": 12, "accompagnement": 18, "plaidoyer": 6}
RESPECT: Final[Weights] = {"oui": 87, "non": 6, "nr": 7}
UNREACHED_DECISIONS: Final[Weights] = {"poursuivre": 46, "clos_sans_suite": 4, "clos_perdu": 50}
KEEPS_APPOINTMENT: Final = 0.86

INTERVIEWERS: Final = ("MD01", "MD02", "MD03")
ACTORS: Final[Weights] = {
    "migrant_mre": 20, "migrant_rpt": 18, "elu": 10, "agent_baom": 14, "agent_ct": 8, "deconcentre": 6, "osc": 10,
    "diaspora": 4, "equipe_md": 6, "expert": 2, "bailleur": 2,
}  # fmt: skip
SETTINGS: Final[Weights] = {"presentiel": 72, "telephone": 16, "visio": 12}
PLACES: Final[Weights] = {"bureau": 40, "commune": 25, "osc": 20, "domicile": 12, "autre": 3}
INTERVIEW_PROVINCES: Final[Weights] = {
    "MA-AGD": 26, "MA-INE": 12, "MA-CHT": 18, "MA-TAR": 18, "MA-TIZ": 22, "hors_region": 4,
}  # fmt: skip
INTERVIEW_LANGUAGES: Final[Weights] = {"tachelhit": 28, "darija": 24, "arabe": 8, "francais": 38, "anglais": 2}
QUOTES: Final[Weights] = {"anonyme": 62, "fonction": 20, "non": 18}
THEMES: Final[Weights] = {
    "accueil": 50, "codev": 22, "gouvernance": 26, "coordination": 24, "genre": 18, "participation": 20,
}  # fmt: skip
AGREEMENT: Final[Weights] = {"1": 3, "2": 9, "3": 22, "4": 43, "5": 23}
CHANGES: Final[Weights] = {
    "acces_droits": 38, "pratiques": 24, "participation": 14, "economie": 8, "vivre_ensemble": 12, "autre": 4,
}  # fmt: skip
LESSONS: Final[Mapping[int, float]] = {0: 30, 1: 36, 2: 22, 3: 12}
LESSON_TYPES: Final[Weights] = {
    "bonne_pratique": 36, "difficulte": 28, "innovation": 10, "recommandation": 22, "question": 4,
}  # fmt: skip
FACTORS: Final[Weights] = {
    "volonte": 24, "ressources": 24, "competences": 16, "coordination": 20, "confiance": 18, "cadre": 10, "langue": 12,
    "autre": 2,
}  # fmt: skip
AUDIENCES: Final[Weights] = {
    "communes": 36, "region": 18, "etat": 16, "osc": 18, "diaspora": 6, "migrants": 8, "md": 14, "bailleurs": 6,
    "public": 3,
}  # fmt: skip
SOUND: Final[Weights] = {"bonne": 70, "moyenne": 24, "mauvaise": 6}
CIRCULATION: Final[Weights] = {"public": 22, "interne": 62, "confidentiel": 16}
