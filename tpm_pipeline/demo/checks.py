"""Checks of the offices (form tpm_bureau), twice a year: being prepared, at work, suspended, closed."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final

from tpm_pipeline.demo import places, team
from tpm_pipeline.demo.cases import SYNTHETIC, Answers, Case, Entity, Event
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.weights import OFFICES, Office, Weights

FORM: Final = "tpm_bureau"
SCORES: Final[Mapping[str, int]] = {
    "k_convention": 10, "k_agent": 15, "k_horaires": 10, "k_confidentiel": 15, "k_registre": 10, "k_fiches": 10,
    "k_securite": 15, "k_accessible": 5, "k_budget": 10,
}  # fmt: skip
_FIRST: Final = ("k_convention", "k_agent", "k_horaires")
_LATER: Final = ("k_registre", "k_fiches", "k_confidentiel", "k_securite", "k_accessible", "k_budget")
_EQUIPMENT: Final[Weights] = {
    "bureau": 9, "ordinateur": 8, "telephone": 6, "internet": 7, "imprimante": 5, "armoire": 6, "tablette": 4,
    "signaletique": 4, "documentation": 5,
}  # fmt: skip
_POSITIONS: Final[Mapping[str, str]] = {
    "TAR01": "30.529 -7.913",
    "TIZ01": "29.697 -9.732",
    "CHT01": "30.051 -9.562",
    "INE01": "30.342 -9.504",
}
_ROUNDS: Final = (*(date(year, month, 6) for year in (2021, 2022, 2023) for month in (1, 7)), date(2023, 12, 1))


def events(dice: Dice) -> Iterator[Event]:
    """Yield every office's checks, from half a year before it opens until it closes for good."""
    for office in OFFICES:
        row = places.offices()[office.code]
        case = Case(row["name"], properties={**row}, version=1)
        gained = dice.between(0, 2)
        for day in _days(dice, office):
            state = _state(office, day)
            gained += dice.between(1, 2)
            yield _sheet(dice, office, case, day, {"statut": state, **_criteria(dice, state, gained)})


def _days(dice: Dice, office: Office) -> list[date]:
    """The rounds that find the office being prepared or open, and the day it closes for good."""
    rounds = [places.workday(planned + timedelta(days=dice.between(0, 24))) for planned in _ROUNDS]
    first, last = office.opened - timedelta(days=180), office.ends or places.END
    return [day for day in rounds if first <= day < last] + ([office.ends] if office.ends else [])


def _state(office: Office, day: date) -> str:
    if day < office.opened:
        return "projet"
    if office.ends and day >= office.ends:
        return "ferme"
    away = any(first <= day < after for first, after in office.closed)
    return "suspendu" if away else "actif"


def _criteria(dice: Dice, state: str, gained: int) -> Mapping[str, str]:
    """Draw what is in place: one or two criteria more at each check, now and then one less."""
    has = {"projet": _FIRST[:1], "ferme": (), "suspendu": _FIRST[:1] + _LATER[:gained]}.get(
        state, _FIRST + _LATER[:gained]
    )
    lost = dice.one_of(_LATER) if dice.chance(0.15) else ""
    return {name: "oui" if name in has and name != lost else "non" for name in SCORES}


def _sheet(dice: Dice, office: Office, case: Case, day: date, found: Mapping[str, str]) -> Event:
    row, base_version = case.row, str(case.version)
    score = str(sum(points for name, points in SCORES.items() if found[name] == "oui"))
    state = found["statut"]
    case.save(case.label, statut_bureau=state, score=score, date_dernier_controle=day.isoformat())
    given = {
        "date_controle": day.isoformat(),
        "bureau": case.id,
        "bureau_code": office.code,
        "date_ouverture": None if state == "projet" else office.opened.isoformat(),
        **found,
        "score": score,
        **_means(dice, office, state),
        "besoins": SYNTHETIC,
        "date_dernier_controle": day.isoformat(),
    }
    entity = Entity(case.id, "", base_version, {"update": "1"})
    return team.sheet(dice, FORM, day, f"Bureau {day} {office.code}", given, entity=entity, row=row)


def _means(dice: Dice, office: Office, state: str) -> Answers:
    at_work = state == "actif"
    women = dice.between(0, len(office.agents)) if at_work else 0
    men = len(office.agents) - women if at_work else 0
    position = _POSITIONS.get(office.code)
    return {
        "equip_ok": " ".join(dice.some(_EQUIPMENT, dice.between(4, 9) if at_work else 2)),
        "jours_sem": str(dice.between(3, 5)) if at_work else "0",
        "nb_agents_f": str(women),
        "nb_agents_h": str(men),
        "nb_formes": str(dice.between(0, women + men)),
        "position": f"{position} {dice.between(20, 900)}.0 {dice.between(4, 10)}.0" if position else "",
    }
