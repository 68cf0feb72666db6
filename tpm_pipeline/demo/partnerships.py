"""Partners (form tpm_partenariat): meetings, agreements, and migration in the documents territories plan with."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

from tpm_pipeline.demo import outcomes, places, team
from tpm_pipeline.demo.cases import SYNTHETIC, Answers, Event
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.demo.weights import Weights

FORM: Final = "tpm_partenariat"


class Partner(NamedTuple):
    """An institution: its kind, its name, where it is; the commune is empty when it is no commune's."""

    kind: str
    name: str
    province: str
    commune: str = ""


def _commune(code: str, province: str) -> Partner:
    return Partner("commune", f"Commune de {places.commune_name(code)}", province, code)


REGION: Final = Partner("region", "Conseil régional Souss-Massa", "MA-AGD")
PROVINCES: Final = (
    Partner("province", "Conseil provincial de Tiznit", "MA-TIZ"),
    Partner("province", "Conseil provincial de Taroudannt", "MA-TAR"),
    Partner("province", "Conseil provincial de Chtouka-Aït Baha", "MA-CHT"),
    Partner("province", "Conseil préfectoral d’Inezgane-Aït Melloul", "MA-INE"),
)
OTHERS: Final = (
    Partner("wilaya", "Wilaya de la région Souss-Massa", "MA-AGD"),
    Partner("deconcentre", "Délégation de l’Entraide nationale", "MA-TIZ"),
    Partner("universite", "Université Ibn Zohr", "MA-AGD"),
    Partner("osc", "Réseau associatif (fictif)", "MA-TAR"),
    Partner("diaspora", "Fédération de la diaspora (fictive)", "hors_region"),
    Partner("bailleur", "Partenaire financier (fictif)", "hors_region"),
    Partner("media", "Radio locale (fictive)", "MA-AGD"),
)
# The documents observed: level of integration at the end of each project year, and from when a budget is written.
_LEVELS: Final[Mapping[str, tuple[int, int, int]]] = {
    "09.581.01.07": (3, 3, 4), "09.541.01.11": (2, 3, 4), "09.581.09.05": (1, 3, 3), "09.581.11.13": (1, 3, 3),
    "09.163.05.11": (1, 3, 3), "09.273.01.05": (0, 2, 3), "09.581.11.01": (1, 2, 2), "09.001.01.01": (1, 2, 3),
    "09.163.01.27": (0, 1, 3), "09.163.01.11": (0, 1, 2), "09.541.01.13": (0, 1, 2), "09.273.01.15": (0, 0, 1),
}  # fmt: skip
_PROVINCE_LEVELS: Final = ((2, 3, 3), (1, 2, 3), (1, 2, 2), (0, 1, 2))
_BUDGETED: Final = 3
_SIGNED: Final = (6, 7, 5)  # agreements in A1, A2, A3
_MEETINGS: Final = (23, 26, 27)
_KINDS: Final[Weights] = {"mobilisation": 38, "concertation": 40, "representation": 22}


def communes() -> list[Partner]:
    """The partner communes."""
    known = {row["name"]: row["province"] for row in places.rows("communes")}
    return [_commune(code, known[code]) for code in _LEVELS]


def events(dice: Dice) -> Iterator[Event]:
    """Yield meetings, agreements and observations of planning documents."""
    yield from _meetings(dice)
    yield from _agreements(dice)
    yield from _documents(dice)


def _meetings(dice: Dice) -> Iterator[Event]:
    everyone = (REGION, *PROVINCES, *communes(), *OTHERS)
    for year, count in enumerate(_MEETINGS):
        for turn in range(count):
            day = _day(dice, year, turn / count)
            kind = dice.pick(_KINDS)
            given = {"type_relation": kind, "g_conv": None, "g_plan": None}
            yield _sheet(dice, dice.one_of(everyone), day, given)


def _agreements(dice: Dice) -> Iterator[Event]:
    signatories = iter((*communes(), REGION, *PROVINCES, *OTHERS[1:3]))
    numbers: Counter[int] = Counter()
    for year, count in enumerate(_SIGNED):
        for turn in range(count):
            day = _day(dice, year, turn / count)
            numbers[day.year] += 1
            given = {
                "type_relation": "convention",
                "ref_conv": f"CONV-{day.year}-{numbers[day.year]:02}",
                "conv_fin": min(day + timedelta(days=730), places.END).isoformat() if dice.chance(0.6) else "",
                "conv_montant": team.decimal(team.amount(dice, 0, 150_000)),
                "g_plan": None,
            }
            yield _sheet(dice, next(signatories), day, given)


def _documents(dice: Dice) -> Iterator[Event]:
    """Yield what was read in each partner's document, once a year: late in the year, so that the year's end knows."""
    for year, level in enumerate((3, 3, 4)):
        yield _document(dice, REGION, "pdr", year, level)
    for partner, levels in zip(PROVINCES, _PROVINCE_LEVELS, strict=True):
        for year, level in enumerate(levels):
            yield _document(dice, partner, "pdp", year, level)
    for partner in communes():
        for year, level in enumerate(_LEVELS[partner.commune]):
            if level:
                yield _document(dice, partner, "pac", year, level)


def _document(dice: Dice, partner: Partner, kind: str, year: int, level: int) -> Event:
    budgeted = level >= _BUDGETED
    given = {
        "type_relation": "planification",
        "g_conv": None,
        "doc": kind,
        "niveau": str(level),
        "budget_inscrit": team.decimal(team.amount(dice, 20_000, 400_000)) if budgeted else "",
        "service_dedie": "oui" if kind == "pdr" else dice.yes(0.3 if budgeted else 0),
        "preuve": "Page fictive (données synthétiques)",
    }
    return _sheet(dice, partner, _day(dice, year, 0.7), given)


def _day(dice: Dice, year: int, share: float) -> date:
    first = date(places.START.year + year, places.START.month, 1)
    return places.workday(first + timedelta(days=int(330 * share) + dice.between(0, 25)))


def _sheet(dice: Dice, partner: Partner, day: date, given: Answers) -> Event:
    following = day + timedelta(days=dice.between(15, 90))
    known = {
        "date_rel": day.isoformat(),
        "type_partenaire": partner.kind,
        "nom_partenaire": partner.name,
        "province": partner.province,
        "commune": None if partner.province == "hors_region" else partner.commune,
        "modalite": dice.pick(outcomes.SETTINGS),
        "conclusions": SYNTHETIC,
        "prochaine": places.within_project(following).isoformat() if dice.chance(0.5) else "",
    }
    name = f"Rel {day} {given['type_relation']}"
    return team.sheet(dice, FORM, day + timedelta(days=dice.between(0, 6)), name, {**known, **given})
