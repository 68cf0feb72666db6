"""Reports and deliverables (form tpm_activite, sheets « livrable »): due, then handed over, in time or not."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from tpm_pipeline.demo import places, team
from tpm_pipeline.demo.activities import FORM
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.dice import Dice


class Series(NamedTuple):
    """One kind of report: its references, its activity, every how many months from which month on."""

    prefix: str
    activity: str
    every: int
    first: date


SERIES: Final[Mapping[str, Series]] = {
    "rapport_interne": Series("RAP", "A5.3", 3, date(2021, 1, 1)),
    "rapport_bailleur": Series("BAI", "A5.3", 6, date(2021, 4, 1)),
    "rapport_institution": Series("INS", "A5.3", 12, date(2021, 10, 1)),
    "rapport_financier": Series("FIN", "A5.7", 6, date(2021, 4, 1)),
    "support_capi": Series("CAP", "A4.4", 5, date(2022, 3, 1)),
    "autre": Series("AUT", "A5.1", 11, date(2021, 2, 1)),
}
_IN_TIME: Final = (0.78, 0.84, 0.9)
_LATE: Final = 0.8  # of those not handed over in time


@dataclass(frozen=True)
class Deliverable:
    """Something owed to someone; `handed` is the day it was handed over, None when it never was."""

    kind: str
    ref: str
    due: date
    handed: date | None


def events(dice: Dice) -> Iterator[Event]:
    """Yield the sheets of every deliverable: one when it falls due without being there, one when it is."""
    for deliverable in deliverables(dice):
        due, handed = deliverable.due, deliverable.handed
        if handed is None or handed > due:
            yield _sheet(dice, deliverable, due + timedelta(days=1), handed=False)
        elif dice.chance(0.25):
            yield _sheet(dice, deliverable, due - timedelta(days=45), handed=False)
        if handed is not None:
            yield _sheet(dice, deliverable, handed, handed=True)


def deliverables(dice: Dice) -> Iterator[Deliverable]:
    """Yield what is owed over the three years, each with a reference of its own."""
    for kind, series in SERIES.items():
        numbers: Counter[int] = Counter()
        for turn in range(0, len(places.months(series.first, places.END)), series.every):
            due = places.workday(places.month_after(series.first, turn) + timedelta(days=dice.between(9, 20)))
            numbers[due.year] += 1
            handed = _handed(dice, due)
            yield Deliverable(kind, f"{series.prefix}-{due:%y}{numbers[due.year]:02}", due, handed)


def _handed(dice: Dice, due: date) -> date | None:
    if dice.chance(_IN_TIME[places.project_year(due)]):
        return due - timedelta(days=dice.between(0, 8))
    handed = due + timedelta(days=dice.between(4, 40))
    return handed if handed < places.END and dice.chance(_LATE) else None


def _sheet(dice: Dice, deliverable: Deliverable, day: date, *, handed: bool) -> Event:
    activity = SERIES[deliverable.kind].activity
    known = next(row for row in places.rows("activites") if row["name"] == activity)
    month = day.replace(day=1)
    given: Answers = {
        "objet": "livrable",
        "periode": month.isoformat(),
        "activite": activity,
        "act_resultat": known["resultat"],
        "act_fin_prevue": known["date_fin_prevue"],
        "g_act": None,
        "type_livrable": deliverable.kind,
        "ref_livrable": deliverable.ref,
        "date_due": deliverable.due.isoformat(),
        "remis": "oui" if handed else "non",
        "date_remise": str(deliverable.handed) if handed else None,
        "valide": dice.pick({"oui": 70, "non": 6, "nr": 14, "": 10}) if handed else None,
    }
    return team.sheet(dice, FORM, day, f"livrable {month} {activity}", given)
