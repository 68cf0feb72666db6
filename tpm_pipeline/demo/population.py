"""A synthetic population: who comes to which office, comes back, is called again; every event of the project."""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import count

from tpm_pipeline.demo import follow_ups, interviews, outcomes, places, team, visits
from tpm_pipeline.demo import weights as w
from tpm_pipeline.demo.cases import Answers, Case, Entity, Event
from tpm_pipeline.demo.dice import Dice

_INTERVIEWS_PER_VISIT = 1 / 36
_FIRST_INTERVIEW = 45  # workdays after the start


def events(seed: int, visit_count: int, labels: Mapping[str, str]) -> Iterator[Event]:
    """Yield every filled form in chronological order; `labels` are the services' names as the phone shows them."""
    return _Project(Dice(seed), labels).run(visit_count)


class _Project:
    """The three years, one event after the other."""

    def __init__(self, dice: Dice, labels: Mapping[str, str]) -> None:
        self._dice = dice
        self._labels = labels
        self._agenda: list[tuple[datetime, int, w.Office | Case | None]] = []
        self._turn = count()
        self._known: defaultdict[str, list[Case]] = defaultdict(list)
        self._codes: set[str] = set()

    def run(self, visit_count: int) -> Iterator[Event]:
        for code, day in self._dice.many(_attendance(), visit_count):
            self._plan(day, _OFFICES[code])
        for _ in range(round(visit_count * _INTERVIEWS_PER_VISIT)):
            self._plan(self._dice.one_of(places.WORKDAYS[_FIRST_INTERVIEW:]), None)
        while self._agenda:
            began, _, subject = heapq.heappop(self._agenda)
            if isinstance(subject, w.Office):
                yield self._visit(began, subject)
            elif subject is None:
                yield self._interview(began)
            else:
                yield self._follow_up(began, subject)

    def _plan(self, day: date, subject: w.Office | Case | None) -> None:
        at = time(self._dice.between(8, 15), self._dice.between(0, 59), self._dice.between(0, 59))
        heapq.heappush(self._agenda, (datetime.combine(day, at, team.CLOCK), next(self._turn), subject))

    def _visit(self, began: datetime, office: w.Office) -> Event:
        visit = self._draw_visit(began.date(), office)
        case = visit.case
        row = case.row if case else None
        given = visits.answers(self._dice, visit, self._labels)
        entity = Entity(
            id=visit.case_id,
            label=f"{visit.code} · {visit.day}",
            base_version=str(case.version) if case else "",
            flags={"create": str(int(visit.is_new)), "update": str(int(case is not None))},
        )
        if visit.consent:
            self._remember(visit, given, entity.label)
        return Event(
            form_id="tpm_visite",
            instance_id=f"uuid:{self._dice.uuid()}",
            name=f"Visite {visit.day} {office.code} {visit.code}",
            device=f"demo:{office.code}",
            began=began,
            ended=self._ended(began, visit.minutes),
            answers=given,
            entity=entity,
            case=row,
        )

    def _draw_visit(self, day: date, office: w.Office) -> visits.Visit:
        dice = self._dice
        known = self._known[office.code]
        case = dice.recent(known) if known and dice.chance(w.RETURNING) else None
        group = dice.pick({key: share * w.SEASONS[key][day.month - 1] for key, share in office.publics.items()})
        person = case.profile if case else visits.profile(dice, day, office, group)
        return visits.Visit(
            day=day,
            office=office,
            agent=dice.one_of(office.agents),
            profile=person,
            consent=case is not None or not dice.chance(w.ANONYMOUS[group]),
            minutes=dice.between(8, 55),
            id=dice.uuid(),
            alea=self._code(),
            case=case,
        )

    def _code(self) -> str:
        code = self._dice.digits(6, self._codes)
        self._codes.add(code)
        return code

    def _remember(self, visit: visits.Visit, given: Answers, label: str) -> None:
        """Keep the case as the server would, and plan its follow-up."""
        case = visit.case or Case(visit.id, visit.profile)
        if visit.is_new:
            self._known[visit.office.code].append(case)
        case.save(
            label,
            code_dossier=visit.code,
            code_bureau=visit.office.code,
            groupe_cat=_text(given, "groupe_cat"),
            prochaine_echeance=_text(given, "echeance"),
            **{name: _text(given, name) for name in _SAVED_BY_VISIT},
        )
        for row in _rows(given, "orientations"):
            if row["o_reponse"] in visits.TO_FOLLOW:
                service = str(row["o_service"])
                case.awaiting[service] = _text(row, "o_institution") or self._dice.pick(w.INSTITUTIONS[service])
        if given["nb_a_suivre"] != "0":
            self._plan_first_follow_up(visit, case, agreed=given["contact_accepte"] == "oui")

    def _plan_first_follow_up(self, visit: visits.Visit, case: Case, *, agreed: bool) -> None:
        dice = self._dice
        in_time = w.FOLLOWED_IN_TIME[places.project_year(visit.day)] * (1.05 if agreed else 0.6)
        if dice.chance(in_time):
            self._plan_follow_up(case, visit.day + timedelta(days=dice.between(6, 28)))
        elif dice.chance(w.FOLLOWED_LATE):
            self._plan_follow_up(case, visit.day + timedelta(days=dice.between(32, 90)))

    def _plan_follow_up(self, case: Case, day: date) -> None:
        working = None if case.follow_up_planned else places.next_open_day(case.office, day)
        if working:
            case.follow_up_planned = True
            self._plan(working, case)

    def _follow_up(self, began: datetime, case: Case) -> Event:
        dice = self._dice
        office = _OFFICES[case.office]
        follow_up = follow_ups.FollowUp(
            day=began.date(),
            office=office.code,
            agent=dice.one_of(office.agents),
            case=case,
            reached=dice.pick(outcomes.REACHED),
            consent=dice.chance(outcomes.KEEPS_CONSENT),
        )
        row = case.row
        given = follow_ups.answers(dice, follow_up, self._labels)
        code = case.properties["code_dossier"]
        entity = Entity(case.id, f"{code} · {follow_up.day}", str(case.version), {"update": "1"})
        self._conclude(follow_up, given, entity.label)
        return Event(
            form_id="tpm_suivi",
            instance_id=f"uuid:{dice.uuid()}",
            name=f"Suivi {follow_up.day} {code}",
            device=f"demo:{office.code}",
            began=began,
            ended=self._ended(began, dice.between(4, 20)),
            answers=given,
            entity=entity,
            case=row,
        )

    def _conclude(self, follow_up: follow_ups.FollowUp, given: Answers, label: str) -> None:
        """Keep the case as the server would, and plan the next follow-up."""
        case = follow_up.case
        case.follow_up_planned = False
        case.unreached = 0 if follow_up.reached == "oui" else case.unreached + 1
        case.save(
            label,
            prochaine_echeance=_text(given, "echeance"),
            code_bureau=_text(given, "code_bureau_ent"),
            **{name: _text(given, name) for name in _SAVED_BY_FOLLOW_UP},
        )
        for row in _rows(given, "issues"):
            if row["i_issue"] in outcomes.CONCLUDED:
                del case.awaiting[str(row["i_service"])]
            elif new := _text(row, "i_institution_new"):
                case.awaiting[str(row["i_service"])] = new
        self._move(case, follow_up)
        if case.is_open and self._dice.chance(outcomes.KEEPS_APPOINTMENT):
            due = date.fromisoformat(str(given["echeance"]))
            self._plan_follow_up(
                case, max(due + timedelta(days=self._dice.between(-4, 8)), follow_up.day + timedelta(days=1))
            )

    def _move(self, case: Case, follow_up: follow_ups.FollowUp) -> None:
        """A withdrawn case is not used again; a transferred one is met in its new office."""
        if follow_up.withdrawn or case.office != follow_up.office:
            self._known[follow_up.office].remove(case)
        if case.office != follow_up.office:
            self._known[case.office].append(case)

    def _interview(self, began: datetime) -> Event:
        dice = self._dice
        consent = dice.chance(0.92)
        instance = dice.uuid()
        interview = interviews.Interview(
            day=began.date(),
            interviewer=dice.one_of(outcomes.INTERVIEWERS),
            alea=self._dice.digits(4),
            minutes=dice.between(25, 75),
            consent=consent,
            sound=f"demo-synthetique-{instance[:8]}" if consent and dice.chance(0.55) else "",
        )
        given = interviews.answers(dice, interview)
        return Event(
            form_id="tpm_entretien",
            instance_id=f"uuid:{instance}",
            name=f"Entretien {interview.code}",
            device="demo:MD",
            began=began,
            ended=self._ended(began, interview.minutes),
            answers=given,
            attachments=tuple(interviews.recordings(given)),
        )

    def _ended(self, began: datetime, minutes: int) -> datetime:
        return began + timedelta(minutes=minutes, seconds=self._dice.between(20, 400))


_OFFICES = {office.code: office for office in w.OFFICES}
_SAVED_BY_VISIT = ("services_dossier", "statut_dossier", "date_ouverture", "date_dernier_contact", "nb_visites")
_SAVED_BY_FOLLOW_UP = ("statut_dossier", "date_dernier_contact", "nb_suivis")


def _attendance() -> Mapping[tuple[str, date], float]:
    """How likely a visit is on each day of each office."""
    return {
        (office.code, day): office.size * w.ACTIVITY[places.project_year(day)] * _season(office, day)
        for office in w.OFFICES
        for day in places.WORKDAYS
        if places.is_open(office, day)
    }


def _season(office: w.Office, day: date) -> float:
    return sum(share * w.SEASONS[group][day.month - 1] for group, share in office.publics.items()) / 100


def _text(answers: Answers, name: str) -> str | None:
    value = answers.get(name)
    return value if isinstance(value, str) else None


def _rows(answers: Answers, name: str) -> list[Answers]:
    value = answers.get(name)
    return [] if value is None or isinstance(value, str) else list(value)
