"""Every code the demo can draw is a choice its question offers."""

from collections.abc import Iterable, Mapping

import pytest
from lxml import etree

from tpm_pipeline.demo import (
    checks,
    committees,
    communications,
    deliverables,
    organisations,
    outcomes,
    partnerships,
    places,
    sessions,
    team,
    trainings,
    weights,
)
from tpm_pipeline.records import CompiledForm

Items = Mapping[str, list[dict[str, str]]]

LISTS: Mapping[str, tuple[Iterable[str], ...]] = {
    "canal": (weights.CHANNELS, outcomes.CONTACT_CHANNELS),
    "forme_consent": (weights.CONSENT_FORMS,),
    "langue": (*weights.LANGUAGES.values(), outcomes.INTERVIEW_LANGUAGES),
    "cat_migrant": (*weights.CATEGORIES.values(), weights.WOMEN_SHARE),
    "tranche_age": tuple(weights.AGES.values()),
    "profil_mre": (weights.MRE_PROFILES,),
    "instruction": (weights.EDUCATION,),
    "emploi": tuple(weights.WORK.values()),
    "service": (
        *weights.SERVICES.values(),
        weights.SUMMER_SERVICES,
        weights.ANSWERS_BY_SERVICE,
        weights.INSTITUTIONS,
    ),
    "situation_sejour": (weights.STAY,),
    "vulnerabilite": (weights.VULNERABILITIES,),
    "reponse": (weights.ANSWERS_GIVEN, *weights.ANSWERS_BY_SERVICE.values()),
    "institution": tuple(weights.INSTITUTIONS.values()),
    "mode_orientation": (weights.MODES, weights.ESCORTS),
    "motif_impossible": (weights.REASONS,),
    "mode_contact": (weights.CONTACTS,),
    "satisfaction": (weights.FIRST_RATING, *weights.RATINGS),
    "joint": (outcomes.REACHED,),
    "issue": (outcomes.OUTCOMES, outcomes.SUCCESSES, outcomes.CONCLUDED, outcomes.DATED),
    "obstacle": (outcomes.OBSTACLES,),
    "action_suite": (outcomes.ACTIONS,),
    "oui_non_nr": (outcomes.RESPECT,),
    "decision_dossier": (outcomes.UNREACHED_DECISIONS,),
    "type_acteur": (outcomes.ACTORS, *trainings._ACTORS.values()),
    "modalite": (outcomes.SETTINGS,),
    "lieu_type": (outcomes.PLACES,),
    "province": (outcomes.INTERVIEW_PROVINCES, organisations._PROVINCES),
    "citation": (outcomes.QUOTES,),
    "theme": (outcomes.THEMES,),
    "accord": (outcomes.AGREEMENT,),
    "domaine_changement": (outcomes.CHANGES,),
    "type_enseignement": (outcomes.LESSON_TYPES,),
    "facteur": (outcomes.FACTORS,),
    "destinataire": (outcomes.AUDIENCES,),
    "qualite": (outcomes.SOUND,),
    "confidentialite": (outcomes.CIRCULATION,),
    "type_espace": (sessions.MONTHS,),
    "type_evt": (trainings._PREFIXES,),
    "public_cible": tuple(planned.publics for planned in trainings.PROGRAMME),
    "forme_osc": (organisations._FORMS,),
    "domaine_projet": (organisations._DOMAINS,),
    "statut_projet": (organisations._STATES,),
    "type_comite": (committees._RHYTHMS, committees._REVIEWED_BY, committees._PARTIES, committees._DECISIONS),
    "motif_retard": (team.DELAYS,),
    "type_livrable": (deliverables.SERIES,),
    "type_com": (communications._KINDS, communications._SHARING),
    "langue_com": (communications._LANGUAGES,),
    "equipement": (checks._EQUIPMENT,),
    "type_relation": (partnerships._KINDS,),
    "type_partenaire": (
        *committees._PARTIES.values(),
        [each.kind for each in (*partnerships.PROVINCES, *partnerships.OTHERS, partnerships.REGION)],
    ),
}
SEVERAL = (
    *("service", "vulnerabilite", "obstacle", "theme", "facteur", "destinataire"),
    *("langue_com", "equipement", "type_partenaire"),
)


@pytest.fixture(scope="module")
def items(compiled: Mapping[str, CompiledForm]) -> Items:
    """The choices of every list of the forms, with their extra columns."""
    found: dict[str, list[dict[str, str]]] = {}
    for form in compiled.values():
        for instance in etree.fromstring(form.xform).iterfind(".//{*}instance"):
            rows = [
                {etree.QName(cell).localname: cell.text or "" for cell in item} for item in instance.iter("{*}item")
            ]
            found.setdefault(instance.get("id", ""), rows)
    return found


@pytest.mark.parametrize("name", LISTS)
def test_codes_exist(name: str, items: Items) -> None:
    offered = {item["name"] for item in items[name]}
    for codes in LISTS[name]:
        assert set(codes) <= offered


@pytest.mark.parametrize("name", SEVERAL)
def test_several_answers_are_drawn_in_the_forms_order(name: str, items: Items) -> None:
    order = [item["name"] for item in items[name]]
    for codes in LISTS[name]:
        if isinstance(codes, Mapping) and codes is not weights.ANSWERS_BY_SERVICE:
            assert list(codes) == [code for code in order if code in codes]


def test_services_are_offered_to_their_public(items: Items) -> None:
    public = {item["name"]: item["pub"] for item in items["service"]}
    for group in ("mre", "rpt"):
        assert {public[service] for service in weights.SERVICES[group]} <= {"tous", group}


def test_institutions_are_offered_for_their_service(items: Items) -> None:
    serves = {item["name"]: item["srv"] for item in items["institution"]}
    for service, institutions in weights.INSTITUTIONS.items():
        assert all(serves[code] == "tous" or service in serves[code].split() for code in institutions)


def test_countries_and_offices_are_in_the_lists() -> None:
    countries = {row["name"] for row in places.rows("pays")}
    assert {*weights.RESIDENCES, *weights.NATIONALITIES} <= countries
    assert {office.code for office in weights.OFFICES} == set(places.offices())
