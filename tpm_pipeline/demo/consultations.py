"""Consultancies (form tpm_tdr): the same sheet again at each stage, the last one holds."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from tpm_pipeline.demo import places, team
from tpm_pipeline.demo.cases import Answers, Event
from tpm_pipeline.demo.dice import Dice

FORM: Final = "tpm_tdr"
_CONTROLS: Final = ("c_tdr", "c_grille", "c_comite", "c_conflit", "c_pv")


class Consultancy(NamedTuple):
    """One consultancy; `flaw` is the control it failed for good, if any, `signed` whether it came to a contract."""

    ref: str
    approved: date
    kind: str
    procedure: str
    budget: int
    flaw: str = ""
    signed: bool = True


CONSULTANCIES: Final = (
    Consultancy("TDR-2011", date(2020, 11, 16), "etude", "appel_offres", 240_000),
    Consultancy("TDR-2101", date(2021, 1, 11), "formation", "appel_candidatures", 96_000),
    Consultancy("TDR-2104", date(2021, 4, 5), "communication", "demande_prix", 45_000, flaw="c_conflit"),
    Consultancy("TDR-2106", date(2021, 6, 14), "capitalisation", "appel_offres", 310_000),
    Consultancy("TDR-2110", date(2021, 10, 4), "formation", "demande_prix", 88_000),
    Consultancy("TDR-2112", date(2021, 12, 6), "appui", "gre_a_gre", 32_000),
    Consultancy("TDR-2202", date(2022, 2, 7), "evaluation", "appel_offres", 180_000),
    Consultancy("TDR-2205", date(2022, 5, 9), "etude", "appel_candidatures", 75_000, signed=False),
    Consultancy("TDR-2207", date(2022, 7, 4), "communication", "demande_prix", 52_000),
    Consultancy("TDR-2210", date(2022, 10, 10), "formation", "demande_prix", 84_000, flaw="nb_recevables"),
    Consultancy("TDR-2302", date(2023, 2, 6), "capitalisation", "gre_a_gre", 60_000),
    Consultancy("TDR-2304", date(2023, 4, 10), "appui", "demande_prix", 40_000),
    Consultancy("TDR-2306", date(2023, 6, 5), "evaluation", "appel_offres", 220_000),
)


def contract_for(kind: str, day: date) -> str:
    """The reference of the latest contract of a kind under way on a day, or nothing."""
    known = [each.ref for each in CONSULTANCIES if each.kind == kind and each.approved + timedelta(days=60) < day]
    return known[-1] if known else ""


def events(dice: Dice) -> Iterator[Event]:
    """Yield each consultancy's sheets: offers awaited, contract signed, deliverable received."""
    for consultancy in CONSULTANCIES:
        common = _common(dice, consultancy)
        offers = _offers(dice, consultancy)
        signed = consultancy.approved + timedelta(days=dice.between(35, 55))
        stages = [(consultancy.approved + timedelta(days=3), {**_AWAITED, **_controls(consultancy, done=False)})]
        if consultancy.signed:
            contract = _contract(dice, consultancy, signed)
            received = date.fromisoformat(str(contract["liv_due"])) + timedelta(days=dice.between(-12, 25))
            stages.append((signed, {**offers, **contract, **_PENDING}))
            stages.append((received, {**offers, **contract, **_received(dice, received)}))
        else:
            stages.append((signed, {**offers, "contrat": "non", "g_contrat": None}))
        for day, given in stages:
            if day <= places.END:
                conforming = {"conforme": _conforming(consultancy, given)}
                yield team.sheet(dice, FORM, day, f"TdR {consultancy.ref}", {**common, **given, **conforming})


def _common(dice: Dice, consultancy: Consultancy) -> Answers:
    published = consultancy.approved + timedelta(days=dice.between(1, 6))
    direct = consultancy.procedure == "gre_a_gre"
    return {
        "ref_tdr": consultancy.ref,
        "objet": "Consultation fictive (données synthétiques)",
        "type_consult": consultancy.kind,
        "procedure": consultancy.procedure,
        "budget": team.decimal(consultancy.budget),
        "date_tdr": consultancy.approved.isoformat(),
        "date_pub": None if direct else published.isoformat(),
    }


_AWAITED: Final[Answers] = {"nb_offres": "0", "nb_recevables": "0", "contrat": "non", "g_contrat": None}
_PENDING: Final[Answers] = {"liv_recu": "", "liv_qualite": None, "liv_valide": None}


def _offers(dice: Dice, consultancy: Consultancy) -> Answers:
    admissible = 1 if consultancy.procedure == "gre_a_gre" else dice.between(3, 6)
    admissible = 2 if consultancy.flaw == "nb_recevables" else admissible
    offers = admissible + dice.between(0, 3)
    return {"nb_offres": str(offers), "nb_recevables": str(admissible), **_controls(consultancy, done=True)}


def _controls(consultancy: Consultancy, *, done: bool) -> Answers:
    late = set() if done else {"c_comite", "c_conflit", "c_pv"}
    return {name: "non" if name in {*late, consultancy.flaw} else "oui" for name in _CONTROLS}


def _conforming(consultancy: Consultancy, given: Answers) -> str:
    enough = consultancy.procedure != "demande_prix" or int(str(given["nb_recevables"])) >= 3  # noqa: PLR2004 - the rule
    return "1" if enough and all(given[name] == "oui" for name in _CONTROLS) else "0"


def _contract(dice: Dice, consultancy: Consultancy, signed: date) -> Answers:
    due = min(signed + timedelta(days=dice.between(60, 150)), date(2023, 12, 15))
    return {
        "contrat": "oui",
        "date_contrat": signed.isoformat(),
        "montant": team.decimal(round(consultancy.budget * dice.between(88, 100) / 100)),
        "liv_due": due.isoformat(),
    }


def _received(dice: Dice, day: date) -> Answers:
    return {
        "liv_recu": places.within_project(places.workday(day)).isoformat(),
        "liv_qualite": str(dice.between(11, 18)),
        "liv_valide": "oui",
    }
