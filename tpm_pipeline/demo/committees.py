"""Committees (form tpm_comite): held, late or put off, and their decisions followed from meeting to meeting."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tpm_pipeline.demo import places, team
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.weights import Weights

FORM: Final = "tpm_comite"

# Every how many months each committee meets, from which month on, around which day.
_RHYTHMS: Final[Mapping[str, tuple[int, date, int]]] = {
    "equipe": (1, date(2020, 10, 1), 6),
    "suivi": (3, date(2020, 12, 1), 14),
    "pilotage": (6, date(2021, 1, 1), 20),
    "territorial": (6, date(2021, 3, 1), 24),
    "technique": (7, date(2021, 5, 1), 17),
}
# Where the decisions of each committee are looked at again.
_REVIEWED_BY: Final = {
    "equipe": "equipe",
    "suivi": "suivi",
    "pilotage": "suivi",
    "territorial": "equipe",
    "technique": "equipe",
}
_HELD_IN_TIME: Final = (0.74, 0.83, 0.88)
_HELD_LATE: Final = 0.6  # of those not held in time
_DONE_IN_TIME: Final = (0.62, 0.72, 0.79)
_DONE_LATE: Final = 0.75  # of those not done in time
_PARTIES: Final[Mapping[str, Weights]] = {
    "equipe": {"osc": 1},
    "suivi": {"commune": 5, "province": 3, "region": 4, "deconcentre": 3, "osc": 5},
    "pilotage": {"commune": 3, "province": 3, "region": 6, "wilaya": 4, "deconcentre": 3, "bailleur": 6},
    "territorial": {"commune": 9, "province": 4, "osc": 4, "diaspora": 2},
    "technique": {"region": 3, "osc": 4, "universite": 1},
}
_DECISIONS: Final[Mapping[str, tuple[int, int]]] = {
    "equipe": (0, 3),
    "suivi": (2, 4),
    "pilotage": (1, 4),
    "territorial": (1, 3),
    "technique": (1, 2),
}


@dataclass(frozen=True)
class Meeting:
    """One committee of the calendar; `held` is None when it was put off or cancelled."""

    kind: str
    code: str
    planned: date
    held: date | None


@dataclass(frozen=True)
class Decision:
    """What was decided; `done` is the day it was carried out, None when it never was."""

    code: str
    due: date
    done: date | None
    cancelled: bool

    def state(self, day: date) -> Answers:
        """What a later meeting says of it."""
        if self.done and self.done <= day:
            return {"s_code": self.code, "s_statut": "faite", "s_date": self.done.isoformat()}
        late = "annulee" if self.cancelled else "non_faite"
        return {"s_code": self.code, "s_statut": late if day > self.due else "en_cours", "s_date": None}


def events(dice: Dice) -> Iterator[Event]:
    """Yield every committee's sheet, in the order the meetings were held."""
    open_decisions: defaultdict[str, list[Decision]] = defaultdict(list)
    for meeting in sorted(calendar(dice), key=lambda each: each.held or each.planned):
        if meeting.held is None:
            yield _sheet(dice, meeting, meeting.planned, {**_NOT_HELD, "motif": _reason(dice)})
            continue
        followed = open_decisions[meeting.kind]
        reviews = [decision.state(meeting.held) for decision in followed]
        closed = {str(review["s_code"]) for review in reviews if review["s_statut"] in {"faite", "annulee"}}
        followed[:] = [decision for decision in followed if decision.code not in closed]
        made = list(_decisions(dice, meeting, meeting.held))
        open_decisions[_REVIEWED_BY[meeting.kind]] += made
        yield _sheet(dice, meeting, meeting.held, _held(dice, meeting, made, reviews))


def calendar(dice: Dice) -> Iterator[Meeting]:
    """Yield the planned meetings, each with a code of its own."""
    planned = sorted(
        (places.workday(places.month_after(first, turn) + timedelta(days=around + dice.between(-3, 3))), kind)
        for kind, (every, first, around) in _RHYTHMS.items()
        for turn in range(0, len(places.months(first, places.END)), every)
    )
    numbers: Counter[int] = Counter()
    for day, kind in planned:
        numbers[day.year] += 1
        yield Meeting(kind, f"COM-{day:%y}{numbers[day.year]:02}", day, _day_held(dice, day))


def _day_held(dice: Dice, planned: date) -> date | None:
    if dice.chance(_HELD_IN_TIME[places.project_year(planned)]):
        return places.workday(planned + timedelta(days=dice.pick({0: 7, 1: 2, 4: 1})))
    return places.workday(planned + timedelta(days=dice.between(9, 24))) if dice.chance(_HELD_LATE) else None


def _decisions(dice: Dice, meeting: Meeting, held: date) -> Iterator[Decision]:
    for rank in range(1, dice.between(*_DECISIONS[meeting.kind]) + 1):
        due = max(held, places.within_project(held + timedelta(days=dice.between(12, 70))))
        late = dice.chance(_DONE_LATE)
        done: date | None = due + timedelta(days=dice.between(3, 45)) if late else None
        if dice.chance(_DONE_IN_TIME[places.project_year(held)]):
            done = held + timedelta(days=dice.between(0, (due - held).days))
        yield Decision(f"{meeting.code}-{rank:02}", due, done, cancelled=done is None and dice.chance(0.5))


_NOT_HELD: Final[Answers] = {
    "tenue": "non",
    **dict.fromkeys(
        ("date_tenue", "parties", "nb_f", "nb_h", "nb_decisions", "decisions", "nb_suivi", "suivi_decisions")
    ),
    "pv_diffuse": None,
}


def _reason(dice: Dice) -> str:
    return dice.pick(team.DELAYS)


def _held(dice: Dice, meeting: Meeting, made: list[Decision], reviews: list[Answers]) -> Answers:
    parties = _PARTIES[meeting.kind]
    rows = [
        {
            "d_code": decision.code,
            "d_texte": "Décision fictive, pour la démonstration seulement",
            "d_responsable": dice.pick({"Chargé·e de projet": 4, "Coordination": 2, "Comptabilité": 1}),
            "d_echeance": decision.due.isoformat(),
        }
        for decision in made
    ]
    return {
        "tenue": "oui",
        "date_tenue": str(meeting.held),
        "motif": None,
        "parties": " ".join(dice.some(parties, dice.between(1, len(parties)))),
        "nb_f": str(dice.between(1, 9)),
        "nb_h": str(dice.between(2, 12)),
        "nb_decisions": str(len(rows)),
        "decisions": rows or None,
        "nb_suivi": str(len(reviews)),
        "suivi_decisions": reviews or None,
        "pv_diffuse": dice.yes(0.85),
    }


def _sheet(dice: Dice, meeting: Meeting, day: date, given: Answers) -> Event:
    local = meeting.kind == "territorial"
    province = dice.one_of(("MA-TIZ", "MA-CHT", "MA-TAR")) if local else "MA-AGD"
    name = f"Comité {meeting.held or ''} {meeting.kind}"
    place = {"province": province, "commune": dice.one_of(places.communes(province)) if local else ""}
    frame = {"type_comite": meeting.kind, "code_comite": meeting.code, "date_prevue": meeting.planned.isoformat()}
    return team.sheet(dice, FORM, day + timedelta(days=dice.between(0, 3)), name, {**frame, **place, **given})
