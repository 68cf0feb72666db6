"""Communication (form tpm_com): what was shown, to whom, and which lessons it shared."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from tpm_pipeline.demo import outcomes, places, sessions, team
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.weights import Weights

FORM: Final = "tpm_com"
_COUNTS: Final = (11, 15, 18)  # actions in A1, A2, A3
_KINDS: Final[Weights] = {
    "publication": 30, "presse": 10, "video": 10, "imprime": 12, "evenement": 8, "newsletter": 14, "note": 12,
    "signaletique": 4,
}  # fmt: skip
_SHARING: Final = ("publication", "video", "evenement", "newsletter", "note")
_LANGUAGES: Final[Weights] = {"fr": 80, "ar": 60, "ber": 25, "en": 5}
_VISIBILITY: Final = ("v_logo_bailleur", "v_logo_part", "v_mention", "v_valid", "v_image")
_CONFORMING: Final = (0.84, 0.94, 0.98)
_TAKEN_UP: Final = (0.3, 0.35, 0.4)


def events(dice: Dice, held: Sequence[Event]) -> Iterator[Event]:
    """Yield every action's sheet; `held` are the sessions, which say how many lessons there are to share."""
    for year, count in enumerate(_COUNTS):
        first = date(places.START.year + year, places.START.month, 1)
        length = 450 if year == len(_COUNTS) - 1 else 360
        for turn in range(count):
            day = places.workday(first + timedelta(days=length * turn // count + dice.between(0, 20)))
            kind = dice.pick(_KINDS)
            known = sessions.lessons_by(list(held), day) if kind in _SHARING else 0
            given = {**_action(dice, day, kind), **_visibility(dice, year), **_sharing(dice, year, known)}
            yield team.sheet(dice, FORM, day + timedelta(days=dice.between(0, 9)), f"Com {day} {kind}", given)


def _action(dice: Dice, day: date, kind: str) -> Answers:
    online = kind in {"publication", "presse", "video", "newsletter"}
    return {
        "date_com": day.isoformat(),
        "type_com": kind,
        "titre": "Action fictive (données synthétiques)",
        "langues": " ".join(dice.some(_LANGUAGES, dice.between(1, 2))),
        "cibles": " ".join(dice.some(outcomes.AUDIENCES, dice.between(1, 3))),
        "portee": str(dice.between(20, 5000)),
        "lien": "https://exemple.invalid/demonstration" if online else "",
    }


def _visibility(dice: Dice, year: int) -> Mapping[str, str]:
    missed = "" if dice.chance(_CONFORMING[year]) else dice.one_of(_VISIBILITY)
    checked = {name: "non" if name == missed else "oui" for name in _VISIBILITY}
    return {**checked, "conforme": "0" if missed else "1"}


def _sharing(dice: Dice, year: int, known: int) -> Answers:
    if not known or not dice.chance(0.7):
        return {"partage": "non", "g_partage": None}
    taken_up = dice.chance(_TAKEN_UP[year])
    lessons = {dice.between(max(1, known - 9), known) for _ in range(dice.between(1, 3))}
    return {
        "partage": "oui",
        "codes_ens": " ".join(f"ENS-{number:03}" for number in sorted(lessons)),
        "nb_acteurs": str(dice.between(5, 120)),
        "repris": "oui" if taken_up else "non",
        "reprise": "Reprise fictive : une commune, un règlement, un mois (données synthétiques)" if taken_up else None,
    }
