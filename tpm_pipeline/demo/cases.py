"""What a phone knows of a case, and what happens to it: the shape of everything the demo sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from tpm_pipeline.records import MediaFile

Value = str | None | Sequence["Answers"]
Answers = Mapping[str, Value]
"""Answers by question name: None is a question not asked, a missing one was left empty, a sequence is a repeat."""

SYNTHETIC: Final = "Données synthétiques (démonstration) : aucune personne réelle."


@dataclass(frozen=True)
class Entity:
    """What a submission declares about its case; `flags` are the create and update attributes."""

    id: str
    label: str
    base_version: str
    flags: Mapping[str, str]


@dataclass(frozen=True)
class Event:
    """One filled form: who held the phone, when, and what was answered.

    `case` is the row of the entity list the form looked into, or None; `replaces` the instance this one corrects.
    """

    form_id: str
    instance_id: str
    name: str
    device: str
    began: datetime
    ended: datetime
    answers: Answers
    entity: Entity | None = None
    attachments: tuple[MediaFile, ...] = ()
    case: Mapping[str, str] | None = None
    replaces: str = ""


@dataclass
class Case:
    """One person's case: the entity as the server holds it, and what the office remembers."""

    id: str
    profile: Answers = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    label: str = ""
    version: int = 0
    awaiting: dict[str, str] = field(default_factory=dict)  # service → institution
    unreached: int = 0
    follow_up_planned: bool = False

    @property
    def row(self) -> dict[str, str]:
        """The case's row in dossiers.csv."""
        return {"name": self.id, "label": self.label, "__version": str(self.version), **self.properties}

    @property
    def office(self) -> str:
        """The code of the office that follows the case."""
        return self.properties["code_bureau"]

    @property
    def opened(self) -> date:
        """The day the case was opened."""
        return date.fromisoformat(self.properties["date_ouverture"])

    @property
    def last_contact(self) -> date:
        """The day of the last visit or follow-up."""
        return date.fromisoformat(self.properties["date_dernier_contact"])

    @property
    def is_open(self) -> bool:
        """Whether a follow-up can still choose the case."""
        return self.properties["statut_dossier"] == "ouvert"

    def save(self, label: str, **properties: str | None) -> None:
        """Keep what a submission saves to the entity; a question not asked changes nothing."""
        self.properties.update({name: value for name, value in properties.items() if value is not None})
        self.label = label
        self.version += 1
