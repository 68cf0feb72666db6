"""The mess of real life, declared here and counted: late, corrected, typed twice, sent twice, left blank."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from tpm_pipeline.demo import versions
from tpm_pipeline.demo.cases import Answers, Event, Value
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.weights import OFFICES

LATE: Final = 0.06
LATE_DAYS: Final = (3, 45)
CORRECTED: Final = 0.03
CORRECTED_DAYS: Final = (1, 30)
TYPED_TWICE: Final = 0.016
SENT_TWICE: Final = 0.012

# Optional questions nothing else depends on, and how often they are left blank.
BLANK: Final[Mapping[str, Mapping[str, float]]] = {
    "tpm_visite": {
        "profil_mre": 0.03,
        "emploi": 0.06,
        "situation_sejour": 0.2,
        "duree_min": 0.08,
        "satisfaction": 0.14,
    },
    "tpm_suivi": {"sat_bureau": 0.12, "sat_institution": 0.3},
    "tpm_formation": {"p_age": 0.04, "p_pre": 0.04, "p_post": 0.07, "p_sat": 0.12},
    "tpm_osc": {"appuis": 0.1, "commune": 0.06},
    "tpm_com": {"lien": 0.15},
    "tpm_bureau": {"besoins": 0.2, "position": 0.15},
    "tpm_partenariat": {"conv_montant": 0.1},
    "tpm_activite": {"appui_equipe": 0.12},
}

Mistake = Callable[[str], str]


def _other(first: str, second: str) -> Mistake:
    return lambda value: second if value == first else first


def _ten_times(value: str) -> str:
    """A digit too many."""
    return str(int(value) * 10 or 10)


def _tenfold_amount(value: str) -> str:
    return str(float(value) * 10 or 10.0)


# What is wrong the first time and corrected later: a question no other depends on.
MISTAKES: Final[Mapping[str, tuple[str, Mistake]]] = {
    "tpm_visite": ("sexe", _other("femme", "homme")),
    "tpm_suivi": ("sat_bureau", _other("3", "4")),
    "tpm_entretien": ("duree_min", _other("45", "30")),
    "tpm_atelier": ("num_seance", _other("1", "11")),
    "tpm_formation": ("duree_h", _other("6.0", "12.0")),
    "tpm_osc": ("migrants_impliques", _ten_times),
    "tpm_activite": ("engage", _tenfold_amount),
    "tpm_com": ("portee", _ten_times),
    "tpm_bureau": ("jours_sem", _other("5", "7")),
    "tpm_partenariat": ("modalite", _other("presentiel", "visio")),
}

# A form typed a second time: only where nothing, case or stage, comes of it.
_RETYPED: Final = {"tpm_comite", "tpm_formation", "tpm_com", "tpm_partenariat", "tpm_activite"}
_SERIES: Final = ("code_comite", "code_evt", "ref_livrable", "ref_tdr", "activite")


@dataclass(frozen=True)
class Sending:
    """One form on its way to the server, when it leaves, and what is the matter with it."""

    event: Event
    at: datetime
    counts: Mapping[str, int]
    again: bool = False


@dataclass(frozen=True)
class Mess:
    """How many submissions were sent, and how many of them were of each kind; `missing` and `refused` count answers.

    `late` were overtaken by forms filled after them, `corrections` replace an earlier instance, `typed_twice` say the
    same under another identity, `sent_twice` are the same bytes again, `former_version` were filled in the earlier
    version of their form. `closed_offices` is how many offices closed for good.
    """

    sent: int = 0
    late: int = 0
    corrections: int = 0
    typed_twice: int = 0
    sent_twice: int = 0
    missing: int = 0
    refused: int = 0
    former_version: int = 0
    closed_offices: int = sum(office.ends is not None for office in OFFICES)

    def plus(self, counts: Mapping[str, int]) -> "Mess":
        """Count one more submission."""
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})


def sendings(seed: int, events: Iterable[Event]) -> Iterator[Sending]:
    """Yield what phones send, in the order it leaves them; the same seed makes the same mess."""
    return _Post(Dice(f"{seed} mess")).run(events)


@dataclass
class _Post:
    """What is waiting on phones without a network, or will be noticed later."""

    dice: Dice
    waiting: list[tuple[datetime, int, Sending]] = field(default_factory=list)
    held: dict[str, set[str]] = field(default_factory=dict)
    turn: Iterator[int] = field(default_factory=count)
    newest: datetime | None = None

    def run(self, events: Iterable[Event]) -> Iterator[Sending]:
        for event in events:
            yield from self._leaving(event.began)
            if series(event) in self.held:
                yield from self._before(event)
            yield from self._filled(_blanked(self.dice, event))
        yield from self._leaving(None)

    def _leaving(self, now: datetime | None) -> Iterator[Sending]:
        while self.waiting and (now is None or self.waiting[0][0] <= now):
            yield from self._sent(heapq.heappop(self.waiting)[2])

    def _before(self, event: Event) -> Iterator[Sending]:
        """A phone sends in its own order: what waits for the same case or series leaves first."""
        leaving = [item for item in self.waiting if item[2].event.instance_id in self.held[series(event)]]
        self.waiting = [item for item in self.waiting if item not in leaving]
        heapq.heapify(self.waiting)
        for _, _, sending in sorted(leaving):
            yield from self._sent(replace(sending, at=event.began))

    def _filled(self, event: Event) -> Iterator[Sending]:
        """Send what was just filled, at once or later, with what will come after it."""
        dice = self.dice
        first, correction = self._mistaken(event)
        sending = Sending(first, first.ended, _answers_counted(first))
        delay = timedelta(days=dice.between(*LATE_DAYS)) if dice.chance(LATE) else None
        if correction:
            after = timedelta(days=dice.between(*CORRECTED_DAYS)) + (delay or timedelta())
            self._wait(Sending(correction, first.ended + after, {"corrections": 1}), apart=True)
        if delay:
            self._wait(replace(sending, at=first.ended + delay))
        else:
            yield from self._sent(sending)
        if not correction and not delay and dice.chance(TYPED_TWICE) and _can_be_retyped(event):
            yield from self._sent(self._retyped(event))

    def _mistaken(self, event: Event) -> tuple[Event, Event | None]:
        """What was typed first, and its correction when there was a mistake in it."""
        if not self.dice.chance(CORRECTED) or event.form_id not in MISTAKES:
            return event, None
        name, mistake = MISTAKES[event.form_id]
        value = event.answers.get(name)
        if not isinstance(value, str) or not value or value == "nr":
            return event, None
        wrong = replace(event, answers={**event.answers, name: mistake(value)})
        return wrong, replace(event, instance_id=f"uuid:{self.dice.uuid()}", replaces=event.instance_id)

    def _retyped(self, event: Event) -> Sending:
        after = timedelta(minutes=self.dice.between(5, 40))
        twin = replace(
            event,
            instance_id=f"uuid:{self.dice.uuid()}",
            began=event.began + after,
            ended=event.ended + after,
        )
        return Sending(twin, twin.ended, {"typed_twice": 1})

    def _wait(self, sending: Sending, *, apart: bool = False) -> None:
        heapq.heappush(self.waiting, (sending.at, next(self.turn), sending))
        if not apart:
            self.held.setdefault(series(sending.event), set()).add(sending.event.instance_id)

    def _sent(self, sending: Sending) -> Iterator[Sending]:
        """Let one form leave; say whether others, filled after it, came first."""
        event = sending.event
        overtaken = self._released(event) and self.newest is not None and event.began < self.newest
        self.newest = max(event.began, self.newest or event.began)
        former = event.form_id == versions.FORM and event.began.date() < versions.CHANGED
        counts = {**sending.counts, "sent": 1, "late": int(overtaken), "former_version": int(former)}
        yield replace(sending, counts=counts)
        if self.dice.chance(SENT_TWICE):
            yield replace(sending, counts={"sent": 1, "sent_twice": 1}, again=True)

    def _released(self, event: Event) -> bool:
        """Forget that a form was held back; say whether it was."""
        held = self.held.get(series(event), set())
        if event.instance_id not in held:
            return False
        held.remove(event.instance_id)
        if not held:
            del self.held[series(event)]
        return True


def series(event: Event) -> str:
    """What must arrive in order: one case's events, the sheets of one code."""
    if event.entity:
        return event.entity.id
    code = next((event.answers[name] for name in _SERIES if event.answers.get(name)), event.instance_id)
    return f"{event.form_id} {code}"


def _can_be_retyped(event: Event) -> bool:
    """A visit of a known case, or a sheet that only its code identifies."""
    known = event.form_id == "tpm_visite" and event.case is not None
    return known or event.form_id in _RETYPED


def _blanked(dice: Dice, event: Event) -> Event:
    optional = BLANK.get(event.form_id)
    return replace(event, answers=_without(dice, event.answers, optional)) if optional else event


def _without(dice: Dice, answers: Answers, optional: Mapping[str, float]) -> Answers:
    found: dict[str, Value] = {}
    for name, value in answers.items():
        if isinstance(value, str):
            found[name] = "" if value and name in optional and dice.chance(optional[name]) else value
        else:
            found[name] = value and [_without(dice, row, optional) for row in value]
    return found


def _answers_counted(event: Event) -> Counter[str]:
    """Count the optional questions left blank and the answers refused."""
    counts: Counter[str] = Counter()
    _count(event.answers, BLANK.get(event.form_id, {}), counts)
    return counts


def _count(answers: Answers, optional: Mapping[str, float], counts: Counter[str]) -> None:
    for name, value in answers.items():
        if isinstance(value, str):
            counts["missing"] += name in optional and not value
            counts["refused"] += value == "nr"
        for row in value if value and not isinstance(value, str) else ():
            _count(row, optional, counts)
