"""The sheets the project's own team fills, at its desk or in the field."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tpm_pipeline.demo import places
from tpm_pipeline.demo.cases import Answers, Entity, Event
from tpm_pipeline.demo.dice import Dice

CLOCK: Final = ZoneInfo("Africa/Casablanca")
TEAM: Final = ("MD01", "MD02", "MD03", "MD04")
DELAYS: Final[Mapping[str, float]] = {"aucun": 0, "partenaire": 28, "administratif": 26, "budget": 12, "rh": 12,
                                      "contexte": 18, "autre": 4}  # fmt: skip


def sheet(
    dice: Dice,
    form_id: str,
    day: date,
    name: str,
    given: Answers,
    *,
    entity: Entity | None = None,
    row: Mapping[str, str] | None = None,
) -> Event:
    """A form the team fills on a day, or on the first working day after it."""
    at = time(dice.between(9, 17), dice.between(0, 59), dice.between(0, 59))
    began = datetime.combine(places.workday(day), at, CLOCK)
    return Event(
        form_id=form_id,
        instance_id=f"uuid:{dice.uuid()}",
        name=name,
        device="demo:MD",
        began=began,
        ended=began + timedelta(minutes=dice.between(4, 35), seconds=dice.between(0, 59)),
        answers={"agent_code": dice.one_of(TEAM), "projet": "tpm_1", **given},
        entity=entity,
        case=row,
    )


def decimal(value: float) -> str:
    """A decimal as a phone writes it, with its point."""
    return str(float(value))


def amount(dice: Dice, low: int, high: int) -> int:
    """An amount in MAD, in whole hundreds."""
    return dice.between(low // 100, high // 100) * 100
