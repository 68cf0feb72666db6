"""The action plan month by month (form tpm_activite, sheets « activite »)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tpm_pipeline.demo import places, team
from tpm_pipeline.demo.cases import SYNTHETIC, Answers, Event
from tpm_pipeline.demo.dice import Dice

FORM: Final = "tpm_activite"

STARTS: Final[Mapping[str, date]] = {
    "A1.1": date(2020, 11, 1), "A1.2": date(2021, 3, 1), "A1.3": date(2021, 3, 1), "A1.4": date(2021, 6, 1),
    "A2.1": date(2020, 12, 1), "A2.2": date(2021, 3, 1), "A2.3": date(2021, 9, 1), "A3.1": date(2021, 2, 1),
    "A3.2": date(2021, 5, 1), "A3.3": date(2020, 11, 1), "A4.1": date(2021, 4, 1), "A4.2": date(2021, 4, 1),
    "A4.3": date(2021, 9, 1), "A4.4": date(2022, 3, 1), "A5.1": date(2020, 10, 1), "A5.2": date(2020, 11, 1),
    "A5.3": date(2020, 12, 1), "A5.4": date(2020, 11, 1), "A5.5": date(2020, 11, 1), "A5.6": date(2020, 10, 1),
    "A5.7": date(2020, 10, 1),
}  # fmt: skip
CANCELLED: Final[Mapping[str, date]] = {"A3.2": date(2023, 2, 1)}
_SLIPS: Final[Mapping[int, float]] = {0: 58, 1: 14, 2: 14, 4: 10, 5: 4}  # months after the planned end
_STALLS: Final[Mapping[int, float]] = {0: 70, 2: 18, 3: 12}
_CONFORMING: Final = (0.84, 0.92, 0.95)


@dataclass(frozen=True)
class Course:
    """How one activity went: its months, and those in which nothing moved."""

    code: str
    result: str
    planned_end: date
    months: tuple[date, ...]
    stalled: frozenset[date]

    def progress(self, month: date) -> int:
        """Progress at the end of a month, in steps of five: the last month completes it."""
        moved = [each for each in self.months if each not in self.stalled]
        return 5 * (20 * sum(each <= month for each in moved) // len(moved))

    def is_behind(self, month: date) -> bool:
        """Whether the plan expected clearly more by then."""
        planned = len(places.months(self.months[0], self.planned_end))
        expected = 100 * (self.months.index(month) + 1) / planned
        return self.progress(month) < min(100, expected) - 8


def events(dice: Dice) -> Iterator[Event]:
    """Yield one sheet per open activity and month, up to its end or its cancellation."""
    for row in places.rows("activites"):
        course = _course(dice, row)
        for month in course.months:
            day = places.month_after(month, 1) + timedelta(days=dice.between(-2, 6))
            name = f"activite {month} {course.code}"
            yield team.sheet(dice, FORM, day, name, {**_frame(course, month), **_body(dice, course, month)})
            if CANCELLED.get(course.code) == month:
                break


def _course(dice: Dice, row: Mapping[str, str]) -> Course:
    planned_end = date.fromisoformat(row["date_fin_prevue"])
    end = min(places.month_after(planned_end, dice.pick(_SLIPS)), date(places.END.year, places.END.month, 1))
    months = tuple(places.months(STARTS[row["name"]], end))
    stall = dice.pick(_STALLS)
    first = dice.between(2, len(months) - 4)
    return Course(row["name"], row["resultat"], planned_end, months, frozenset(months[first : first + stall]))


def _frame(course: Course, month: date) -> Answers:
    return {
        "objet": "activite",
        "periode": month.isoformat(),
        "activite": course.code,
        "act_resultat": course.result,
        "act_fin_prevue": course.planned_end.isoformat(),
        "g_liv": None,
    }


def _body(dice: Dice, course: Course, month: date) -> Answers:
    progress = course.progress(month)
    state = _state(course, month, progress)
    delayed = state in {"annulee", "reportee"} or course.is_behind(month)
    finished = places.month_after(month, 1) - timedelta(days=dice.between(3, 20))
    vouchers = dice.between(0, 24)
    share = _CONFORMING[places.project_year(month)]
    return {
        "statut": state,
        "avancement": str(progress),
        "date_fin_reelle": finished.isoformat() if state == "realisee" else None,
        "motif": dice.pick(team.DELAYS) if delayed else "aucun",
        "engage": team.decimal(team.amount(dice, 0, 60_000)),
        "pieces_total": str(vouchers),
        "pieces_ok": str(sum(dice.chance(share) for _ in range(vouchers))),
        "appui_equipe": SYNTHETIC,
        "mesures": "Mesures fictives (données synthétiques)" if delayed else None,
    }


def _state(course: Course, month: date, progress: int) -> str:
    if CANCELLED.get(course.code) == month:
        return "annulee"
    if month in course.stalled:
        return "reportee"
    if progress in {0, 100}:
        return "realisee" if progress else "planifiee"
    return "en_cours"
