"""Civil-society organisations and their co-development projects (form tpm_osc), followed over the years."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from tpm_pipeline.demo import outcomes, places, team
from tpm_pipeline.demo.cases import Answers, Case, Entity, Event
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.weights import Weights

FORM: Final = "tpm_osc"
COUNT: Final = 27
PROJECTS: Final = 12
_JOINED: Final = (9, 10, 8)  # organisations met in A1, A2, A3
_STARTED: Final = (4, 5, 3)  # projects identified in A1, A2, A3
_FORMS: Final[Weights] = {
    "association": 60, "cooperative": 16, "federation": 6, "asso_migrants": 10, "asso_diaspora": 8,
}  # fmt: skip
_PROVINCES: Final[Weights] = {"MA-AGD": 5, "MA-INE": 2, "MA-CHT": 5, "MA-TAR": 6, "MA-TIZ": 7, "MA-TAT": 2}
_DOMAINS: Final[Weights] = {
    "acces_droits": 4, "education": 3, "sante": 2, "agr": 4, "ess": 3, "agriculture": 3, "infrastructure": 2, "lien": 2,
}  # fmt: skip
_LEVERAGE: Final = (0.32, 0.42, 0.5)
_STATES: Final = ("identifie", "formulation", "contractualise", "en_cours", "termine")


@dataclass(frozen=True)
class Project:
    """One co-development project; `days` are the day each state was reached, `dropped` when it was given up."""

    code: str
    domain: str
    days: tuple[date, ...]
    grant: int
    diaspora: int
    local: int
    women: int
    men: int
    dropped: date | None = None

    @property
    def budget(self) -> int:
        """What the contributions add up to."""
        return self.grant + self.diaspora + self.local

    def state(self, day: date) -> str:
        """The state on a day."""
        reached = [state for state, since in zip(_STATES, self.days, strict=True) if since <= day]
        return "suspendu" if self.dropped and self.dropped <= day else reached[-1]

    def progress(self, day: date) -> float:
        """How much is done on a day, between 0 and 1."""
        began, ended = self.days[_STATES.index("contractualise")], self.days[-1]
        until = min(day, self.dropped or day)
        return min(1.0, max(0.0, (until - began) / (ended - began)))


@dataclass
class Organisation:
    """One organisation as the entity list holds it, where it is, its project if it has one."""

    case: Case
    province: str
    commune: str
    met: date
    project: Project | None

    @property
    def code(self) -> str:
        """The organisation's code."""
        return self.case.properties["code_osc"]


def events(dice: Dice) -> Iterator[Event]:
    """Yield every organisation's sheets: the first registers it unless the list holds it already."""
    for organisation in organisations(dice):
        for day in _visits(dice, organisation):
            yield _sheet(dice, organisation, day)


def organisations(dice: Dice) -> list[Organisation]:
    """Draw the organisations, those of the list first, and give the earliest of each year a project."""
    years = [year for year, count in enumerate(_JOINED) for _ in range(count)]
    with_project = {sum(_JOINED[:year]) + turn for year, count in enumerate(_STARTED) for turn in range(count)}
    numbers = iter(range(1, PROJECTS + 1))
    found = []
    for rank, year in enumerate(years):
        met = places.workday(_first_day(year) + timedelta(days=20 + dice.between(0, 220)))
        project = _project(dice, next(numbers), year) if rank in with_project else None
        met = min(met, project.days[0]) if project else met
        found.append(_organisation(dice, rank, met, project))
    return found


def _first_day(year: int) -> date:
    return date(places.START.year + year, places.START.month, 1)


def _organisation(dice: Dice, rank: int, met: date, project: Project | None) -> Organisation:
    province = dice.pick(_PROVINCES)
    commune = dice.one_of(places.communes(province))
    listed = places.rows("osc")
    if rank < len(listed):
        row = listed[rank]
        saved = {name: row[name] for name in ("code_osc", "nom_osc", "forme_osc")}
        case = Case(row["name"], properties=saved, label=row["label"], version=1)
    else:
        saved = {"code_osc": f"OSC{rank + 1:03}", "nom_osc": f"OSC fictive n° {rank + 1} (démonstration)"}
        case = Case(dice.uuid(), properties={**saved, "forme_osc": dice.pick(_FORMS)}, label=saved["nom_osc"])
    return Organisation(case, province, commune, met, project)


def _project(dice: Dice, number: int, year: int) -> Project:
    first = _first_day(year) + timedelta(days=dice.between(15, 110))
    steps = (0, 45, 130, 190, 190 + dice.between(260, 420))
    days = tuple(places.workday(first + timedelta(days=step)) for step in steps)
    grant = team.amount(dice, 90_000, 320_000)
    others = round(grant * dice.about(_LEVERAGE[year], 0.06) / 100) * 100
    diaspora = round(others * dice.between(20, 70) / 10_000) * 100
    dropped = days[-1] - timedelta(days=120) if number == 2 else None  # noqa: PLR2004 - one project is given up
    women, men = dice.between(20, 160), dice.between(20, 140)
    return Project(
        f"COD-{number:03}", dice.pick(_DOMAINS), days, grant, diaspora, others - diaspora, women, men, dropped
    )


def _visits(dice: Dice, organisation: Organisation) -> Iterator[date]:
    """Yield the days of the follow-ups: more often when there is a project, once more when it ends."""
    day, project = organisation.met, organisation.project
    while day < places.END:
        yield places.workday(day)
        if project and max(project.days[-1], organisation.met) <= day:
            return
        day += timedelta(days=dice.between(70, 110) if project else dice.between(130, 220))


def _sheet(dice: Dice, organisation: Organisation, day: date) -> Event:
    case = organisation.case
    is_new = case.version == 0
    row = None if is_new else case.row
    name = case.properties["nom_osc"]
    flags = {"create": str(int(is_new)), "update": str(int(not is_new))}
    entity = Entity(case.id, name, "" if is_new else str(case.version), flags)
    given = {**_identity(dice, organisation, day, is_new=is_new), **_support(dice, organisation, day)}
    case.save(name)
    return team.sheet(dice, FORM, day, f"OSC {day} {organisation.code}", given, entity=entity, row=row)


def _identity(dice: Dice, organisation: Organisation, day: date, *, is_new: bool) -> Answers:
    case = organisation.case
    known = case.properties
    return {
        "date_suivi": day.isoformat(),
        "osc_mode": "nouvelle" if is_new else "existante",
        "osc": None if is_new else case.id,
        "osc_nom_neuf": known["nom_osc"] if is_new else None,
        "osc_code_neuf": known["code_osc"] if is_new else None,
        "osc_uuid_neuf": case.id if is_new else dice.uuid(),
        "osc_uuid": case.id,
        "osc_code": known["code_osc"],
        "osc_nom": known["nom_osc"],
        "forme_osc": known["forme_osc"] if is_new else None,
        "province": organisation.province,
        "commune": organisation.commune,
    }


def _support(dice: Dice, organisation: Organisation, day: date) -> Answers:
    appuis = " ".join(dice.some(outcomes.THEMES, dice.between(1, 3)))
    project = organisation.project
    if project is None or day < project.days[0]:
        return {"appuis": appuis, "a_projet": "non", "g_projet": None}
    return {"appuis": appuis, "a_projet": "oui", **_progress(dice, project, day)}


def _progress(dice: Dice, project: Project, day: date) -> Mapping[str, str | None]:
    done = project.progress(day)
    state = project.state(day)
    light = "rouge" if state == "suspendu" else dice.pick({"vert": 70, "orange": 24, "rouge": 6})
    return {
        "code_projet": project.code,
        "domaine": project.domain,
        "statut_projet": state,
        "budget_total": team.decimal(project.budget),
        "subvention": team.decimal(project.grant),
        "apport_diaspora": team.decimal(project.diaspora),
        "apport_local": team.decimal(project.local),
        "depense": team.decimal(round(project.budget * done * 0.96 / 100) * 100),
        "avancement": str(int(done * 20) * 5),
        "benef_f": str(int(project.women * done)),
        "benef_h": str(int(project.men * done)),
        "migrants_impliques": str(dice.between(0, 14)),
        "feu": light,
        "difficultes": None if light == "vert" else "Difficultés fictives (données synthétiques)",
    }
