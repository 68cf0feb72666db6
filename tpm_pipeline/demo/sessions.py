"""Capitalisation sessions (form tpm_atelier): reflexive workshops, the witness group and what is shared back."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from tpm_pipeline.demo import outcomes, places, team
from tpm_pipeline.demo.cases import SYNTHETIC, Answers, Event
from tpm_pipeline.demo.dice import Dice

FORM: Final = "tpm_atelier"
MONTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "atelier": (*("2021-03", "2021-07", "2021-12", "2022-04", "2022-07", "2022-12", "2023-04", "2023-09"),),
    "groupe_temoin": ("2021-05", "2021-09", "2022-01", "2022-05", "2022-09", "2023-01", "2023-05", "2023-10"),
    "restitution": ("2022-03", "2022-10", "2023-06", "2023-11"),
}
_PRESENCE: Final = (0.62, 0.7, 0.78)
_SCORES: Final = (2.7, 3.15, 3.55)
_LESSONS: Final = {"atelier": (2, 4), "groupe_temoin": (1, 3), "restitution": (0, 0)}


def events(dice: Dice) -> Iterator[Event]:
    """Yield every session's sheet, in chronological order."""
    numbers: Counter[str] = Counter()
    for month, kind in sorted((month, kind) for kind, months in MONTHS.items() for month in months):
        numbers[kind] += 1
        day = places.workday(date.fromisoformat(f"{month}-01") + timedelta(days=dice.between(3, 22)))
        given = {**_frame(dice, kind, day, numbers[kind]), **_presence(dice, kind, day), **_lessons(dice, kind)}
        yield team.sheet(dice, FORM, day + timedelta(days=dice.between(0, 5)), f"Capi {day} {kind}", given)


def lessons_by(events: list[Event], day: date) -> int:
    """How many lessons the sessions before a day have formulated."""
    known = [event.answers for event in events if str(event.answers["date_seance"]) < day.isoformat()]
    return sum(int(str(answers["nb_ens"])) for answers in known)


def _frame(dice: Dice, kind: str, day: date, number: int) -> Answers:
    province = dice.pick({"MA-AGD": 4, "MA-CHT": 2, "MA-TAR": 2, "MA-TIZ": 4})
    return {
        "date_seance": day.isoformat(),
        "type_espace": kind,
        "num_seance": str(number),
        "province": province,
        "commune": dice.one_of(places.communes(province)),
        "themes": " ".join(dice.some(outcomes.THEMES, dice.between(1, 3))),
        "consent_collectif": dice.yes(0.9),
        "synthese": SYNTHETIC,
    }


def _presence(dice: Dice, kind: str, day: date) -> Answers:
    invited = 20 if kind == "groupe_temoin" else dice.between(14, 30)
    year = places.project_year(day)
    present = max(4, sum(dice.chance(_PRESENCE[year]) for _ in range(invited)))
    women = dice.between(present // 4, present * 2 // 3)
    abroad = dice.between(0, present // 2)
    return {
        "nb_prevus": str(invited),
        "nb_femmes": str(women),
        "nb_hommes": str(present - women),
        "nb_presents": str(present),
        "nb_mre": str(abroad),
        "nb_rpt": str(dice.between(0, present - abroad)),
        **(_votes(dice, year, present) if kind == "groupe_temoin" else {"g_scores": None}),
    }


def _votes(dice: Dice, year: int, present: int) -> Answers:
    scores = {
        name: team.decimal(round(min(5.0, max(1.0, dice.about(_SCORES[year], 0.2))), 1))
        for name in ("score_acces", "score_accueil", "score_participation")
    }
    return {**scores, "nb_votants": str(present - dice.between(0, 2))}


def _lessons(dice: Dice, kind: str) -> Answers:
    rows = [
        {
            "e_titre": "Enseignement fictif, pour la démonstration seulement",
            "e_type": dice.pick(outcomes.LESSON_TYPES),
            "e_destinataires": " ".join(dice.some(outcomes.AUDIENCES, dice.between(1, 3))),
        }
        for _ in range(dice.between(*_LESSONS[kind]))
    ]
    return {"nb_ens": str(len(rows)), "enseignements": rows or None}
