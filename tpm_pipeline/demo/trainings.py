"""Trainings and events (form tpm_formation) and who attends: a person keeps the same key from one to the next."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from tpm_pipeline.demo import consultations, places, team
from tpm_pipeline.demo import weights as w
from tpm_pipeline.demo.cases import SYNTHETIC, Answers, Event
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.weights import Weights

FORM: Final = "tpm_formation"
_LETTERS: Final = "ABCDEFGHIJKLMNOPRSTYZ"


class Planned(NamedTuple):
    """One event of the programme; attendance is listed unless `counted`."""

    month: str
    kind: str
    publics: tuple[str, ...]
    counted: tuple[int, int] | None = None


PROGRAMME: Final = (
    Planned("2020-12", "conference", ("elus", "etat", "osc"), counted=(30, 60)),
    Planned("2021-02", "formation", ("elus", "agents")),
    Planned("2021-03", "formation", ("agents",)),
    Planned("2021-05", "voyage", ("elus", "diaspora")),
    Planned("2021-06", "formation", ("osc",)),
    Planned("2021-09", "formation", ("elus",)),
    Planned("2021-11", "formation", ("agents", "etat")),
    Planned("2022-01", "sensibilisation", ("jeunes", "public"), counted=(60, 140)),
    Planned("2022-02", "formation", ("osc", "rpt")),
    Planned("2022-03", "formation", ("elus", "agents")),
    Planned("2022-05", "atelier", ("elus", "osc", "diaspora")),
    Planned("2022-06", "formation", ("agents",)),
    Planned("2022-08", "evenement", ("diaspora", "public"), counted=(180, 420)),
    Planned("2022-09", "formation", ("elus", "etat")),
    Planned("2022-11", "formation", ("agents",)),
    Planned("2022-12", "voyage", ("elus", "agents")),
    Planned("2023-02", "formation", ("osc", "diaspora")),
    Planned("2023-03", "formation", ("elus", "agents")),
    Planned("2023-05", "formation", ("agents", "etat")),
    Planned("2023-06", "atelier", ("osc", "rpt")),
)
_PREFIXES: Final = {
    "formation": "FOR", "atelier": "ATE", "conference": "CON", "voyage": "VOY", "sensibilisation": "SEN",
    "evenement": "EVE",
}  # fmt: skip
_ACTORS: Final[Mapping[str, Weights]] = {
    "elus": {"elu": 1}, "agents": {"agent_baom": 3, "agent_ct": 5}, "etat": {"deconcentre": 1}, "osc": {"osc": 1},
    "diaspora": {"migrant_mre": 1, "diaspora": 3}, "rpt": {"migrant_rpt": 1},
}  # fmt: skip
_WOMEN: Final = (0.31, 0.39, 0.46)
_GAINS: Final = (0.31, 0.37, 0.41)
_OLDEST: Final = ((60, "a60_99"), (35, "a35_59"), (25, "a25_34"), (0, "a18_24"))


@dataclass(frozen=True)
class Person:
    """Someone who may come again: never a name, only the key the form asks for."""

    key: str
    sex: str
    actor: str
    born: int

    def age(self, day: date) -> str:
        """The age group on a day."""
        return next(group for youngest, group in _OLDEST if day.year - self.born >= youngest)


def events(dice: Dice) -> Iterator[Event]:
    """Yield every training's or event's sheet, in chronological order."""
    known: defaultdict[str, list[Person]] = defaultdict(list)
    numbers: Counter[str] = Counter()
    for planned in PROGRAMME:
        day = places.workday(date.fromisoformat(f"{planned.month}-01") + timedelta(days=dice.between(2, 20)))
        prefix = f"{_PREFIXES[planned.kind]}-{day:%y}"
        numbers[prefix] += 1
        code = f"{prefix}{numbers[prefix]:02}"
        days = dice.between(2, 4) if planned.kind in {"formation", "voyage"} else 1
        last = places.workday(day + timedelta(days=days - 1))
        given = {**_frame(dice, planned, code, day, last), **_attendance(dice, planned, day, days, known)}
        yield team.sheet(dice, FORM, last + timedelta(days=dice.between(0, 6)), f"Evt {day} {code}", given)


def _frame(dice: Dice, planned: Planned, code: str, day: date, last: date) -> Answers:
    province = dice.pick({"MA-AGD": 4, "MA-INE": 1, "MA-CHT": 2, "MA-TAR": 2, "MA-TIZ": 4})
    contract = consultations.contract_for("formation", day) if planned.kind == "formation" else ""
    return {
        "resultat": "R2" if "osc" in planned.publics else "R3",
        "code_evt": code,
        "type_evt": planned.kind,
        "intitule": "Événement fictif (données synthétiques)",
        "date_debut": day.isoformat(),
        "date_fin": last.isoformat(),
        "duree_h": team.decimal(((last - day).days + 1) * dice.pick({5: 1, 6: 3, 5.5: 1})),
        "province": province,
        "commune": dice.one_of(places.communes(province)),
        "publics": " ".join(planned.publics),
        "consultant": contract if dice.chance(0.6) else "",
        "bilan": SYNTHETIC,
    }


def _attendance(
    dice: Dice, planned: Planned, day: date, days: int, known: defaultdict[str, list[Person]]
) -> Mapping[str, str | list[Answers] | None]:
    if planned.counted:
        women, men = (dice.between(*planned.counted) // 2 for _ in range(2))
        presence = {"nb_femmes": str(women), "nb_hommes": str(men), "nb_presents": str(women + men)}
        unlisted = {"nb_lignes": None, "participants": None}
        return {"liste": "non", "nb_prevus": str(planned.counted[1]), **unlisted, **presence}
    invited = dice.between(20, 34)
    people = _people(dice, planned, day, invited - dice.between(0, 6), known)
    return {
        "nb_prevus": str(invited),
        "liste": "oui",
        "g_comptage": None,
        "nb_lignes": str(len(people)),
        "participants": [_participant(dice, planned, person, day, days) for person in people],
        "nb_presents": str(len(people)),
    }


def _people(dice: Dice, planned: Planned, day: date, count: int, known: defaultdict[str, list[Person]]) -> list[Person]:
    """Draw who comes: some came before, and nobody twice."""
    people: dict[str, Person] = {}
    while len(people) < count:
        public = dice.one_of(planned.publics)
        met = [person for person in known[public] if person.key not in people]
        again = bool(met) and dice.chance(0.28)
        person = dice.one_of(met) if again else _person(dice, public, day)
        if not again:
            known[public].append(person)
        people[person.key] = person
    return list(people.values())


def _person(dice: Dice, public: str, day: date) -> Person:
    born = day.year - dice.between(22, 64)
    initials = dice.one_of(_LETTERS) + dice.one_of(_LETTERS)
    sex = "femme" if dice.chance(_WOMEN[places.project_year(day)]) else "homme"
    key = f"{initials}{born % 100:02}-{dice.between(0, 999):03}"
    return Person(key, "nr" if dice.chance(0.02) else sex, dice.pick(_ACTORS[public]), born)


def _participant(dice: Dice, planned: Planned, person: Person, day: date, days: int) -> Answers:
    return {
        "p_cle": person.key,
        "p_sexe": person.sex,
        "p_age": person.age(day),
        "p_acteur": person.actor,
        "p_jours": str(dice.pick({days * 2: 7, days * 2 - 1: 2, 1: 1})),
        **(_marks(dice, day) if planned.kind == "formation" else {"p_pre": None, "p_post": None}),
        "p_sat": dice.pick(w.FIRST_RATING),
    }


def _marks(dice: Dice, day: date) -> Answers:
    before = min(18.0, max(1.0, dice.about(8.5, 3)))
    gain = dice.about(_GAINS[places.project_year(day)], 0.2)
    after = min(20.0, max(0.0, before + gain * (20 - before)))
    return {"p_pre": team.decimal(round(before * 2) / 2), "p_post": team.decimal(round(after * 2) / 2)}
