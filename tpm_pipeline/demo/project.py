"""Every event of the three years, the offices' and the team's, in the order phones were opened."""

import heapq
from collections.abc import Iterator, Mapping

from tpm_pipeline.demo import (
    activities,
    checks,
    committees,
    communications,
    consultations,
    deliverables,
    organisations,
    partnerships,
    population,
    sessions,
    trainings,
)
from tpm_pipeline.demo.cases import Event
from tpm_pipeline.demo.dice import Dice


def events(seed: int, visits: int, labels: Mapping[str, str]) -> Iterator[Event]:
    """Yield every filled form; only visits, follow-ups and interviews grow with the number of visits."""
    return heapq.merge(population.events(seed, visits, labels), team_events(seed), key=lambda event: event.began)


def team_events(seed: int) -> list[Event]:
    """What the team fills; each form throws dice of its own, so that one does not change another."""

    def dice(part: str) -> Dice:
        return Dice(f"{seed} {part}")

    held = list(sessions.events(dice("sessions")))
    found = [
        *held,
        *trainings.events(dice("trainings")),
        *organisations.events(dice("organisations")),
        *committees.events(dice("committees")),
        *activities.events(dice("activities")),
        *deliverables.events(dice("deliverables")),
        *consultations.events(dice("consultations")),
        *communications.events(dice("communications"), held),
        *checks.events(dice("checks")),
        *partnerships.events(dice("partnerships")),
    ]
    return sorted(found, key=lambda event: event.began)
