"""Checks: each query finds the rows it was written for, and leaves the others alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.warehouse import real
from tests.warehouse.lab import Lab, Row
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.warehouse import checks, db, raw

NOT_FREE = re.compile(r".*code.*|ref_(tdr|livrable)|carte_scan|username|deviceid|lien")
VISIT: dict[str, Any] = {
    "bureau_code": "TIZ01",
    "agent_code": "AB01",
    "date_visite": "2021-01-05",
    "consent_dossier": "oui",
    "dossier_mode": "nouveau",
    "services": "retraite foncier",
    "orientations": [{"o_service": "retraite"}, {"o_service": "foncier"}],
    "observations": "Vu le 12.03.2021 pour 15 000 MAD, avec OSC017 et RAP-2102.",
    "duree_min": 20,
}
EARLY = {"bureau_code": "TAR01", "date_visite": "2020-10-05"}
PEOPLE = [{"p_cle": "AB80-111", "p_pre": 8, "p_post": 12}, {"p_cle": "CD81-222", "p_pre": 0, "p_post": 20}]
SAME = [{"p_cle": f"AB80-{number}", "p_pre": 10, "p_post": 15} for number in range(111, 114)]
BUDGET = {"budget_total": 100, "subvention": 50, "apport_diaspora": 30, "apport_local": 20, "depense": 110}
PLAN = {"type_relation": "planification", "type_partenaire": "commune"}


@dataclass(frozen=True)
class Sent:
    """A submission, its answers without their groups."""

    submission_id: str
    form_id: str
    given: dict[str, Any]
    submitted: str = "2021-01-05T10:00:00.000Z"


def visit(name: str, submitted: str = "2021-01-05T10:00:00.000Z", **answers: Any) -> Sent:
    case = {"dossier_uuid": f"dossier-{name}", "code_dossier": f"TIZ01-2101-{name}"}
    return Sent(name, "tpm_visite", {**VISIT, **case, **answers}, submitted)


def sent(name: str, form_id: str, **answers: Any) -> Sent:
    return Sent(name, f"tpm_{form_id}", answers)


TIDY = [
    visit("bon", "2020-10-06T10:00:00.000Z", echeance="2020-10-01", **EARLY),
    sent("bon-suivi", "suivi", dossier="dossier-bon", date_suivi="2020-10-10", decision="clos_resolu"),
    sent("bon-entretien", "entretien", enqueteur_code="ACE01", msc_recit="En 2021, 120 personnes."),
    sent("bon-atelier", "atelier", agent_code="ACE01", synthese="Séance 3."),
    sent("bon-formation", "formation", code_evt="FOR-2101", date_debut="2020-10-05", participants=PEOPLE),
    sent("bon-osc", "osc", osc_mode="existante", osc_code="OSC001", code_projet="COD-001", **BUDGET),
    sent("bon-comite", "comite", code_comite="COM-2100", tenue="oui", date_tenue="2020-10-05"),
    sent("bon-activite", "activite", objet="activite", activite="A1.4", periode="2020-10-01", avancement=10),
    sent("bon-tdr", "tdr", ref_tdr="TDR-2101", objet="Étude"),
    sent("bon-com", "com", agent_code="COM01", lien="https://exemple.org/posts/123456789012"),
    sent("bon-bureau", "bureau", bureau_code="TAR01", date_controle="2020-10-05", statut="actif"),
    sent("bon-partenariat", "partenariat", **PLAN, province="MA-TIZ", commune="09.581.01.07"),
]

FLAWED = [
    # Offices: TAR01 has been silent since October; TIZ02 was found closed in December.
    visit("inconnu", bureau_code="XXX99"),
    sent("fermé", "bureau", bureau_code="TIZ02", date_controle="2020-12-01", statut="ferme"),
    visit("après-fermeture", bureau_code="TIZ02"),
    # Days: the server received these on the fifth of January.
    visit("demain", date_visite="2021-01-06"),
    visit("après-demain", date_visite="2021-01-07"),
    visit("soixante-jours", date_visite="2020-11-06"),
    visit("soixante-et-un-jours", date_visite="2020-11-05"),
    visit("avant-projet", "2020-10-02T10:00:00.000Z", date_visite="2020-09-30"),
    visit("sans-date", date_visite="2021-02-31"),
    visit("vingt", duree_min="vingt"),
    # Cases.
    visit("code-a", code_dossier="TIZ01-2101-000001"),
    visit("code-b", code_dossier="TIZ01-2101-000001"),
    visit("sans-dossier", dossier_uuid=None, code_dossier=None),
    visit("fois-1", dossier_uuid="double", dossier_mode="existant"),
    visit("fois-2", dossier_uuid="double", dossier_mode="existant", services="foncier retraite"),
    visit("décoché", services="retraite"),
    visit("en-retard", echeance="2020-12-20"),
    visit("à-temps", echeance="2020-12-21"),
    visit("clos", echeance="2020-12-20", date_visite="2021-01-04"),
    sent("clôture", "suivi", dossier="dossier-clos", date_suivi="2021-01-05", decision="clos_perdu"),
    sent("égaré", "suivi", dossier="dossier-jamais-ouvert", date_suivi="2021-01-05"),
    # Texts.
    visit("téléphone", observations="Rappeler au 06 12 34 56 78."),
    visit(
        "chiffres",
        orientations=[
            {"o_priorite": " "},
            {"o_institution_autre": "x"},
            {"o_service": "foncier", "o_institution_autre": "212612345678"},
        ],
    ),
    sent("carte", "atelier", synthese="CIN JB123456."),
    sent("agent", "com", agent_code="Amina"),
    # Events.
    sent("barème", "formation", code_evt="FOR-2102", participants=[*PEOPLE, {"p_cle": "EF82-333", "p_post": 21}]),
    sent("identiques", "formation", code_evt="FOR-2103", participants=SAME),
    sent("deux-fois", "formation", code_evt="FOR-2104", participants=[*PEOPLE, PEOPLE[0]]),
    sent("autre-1", "formation", code_evt="FOR-2105", date_debut="2020-11-05"),
    sent("autre-2", "formation", code_evt="FOR-2105", date_debut="2020-11-06"),
    sent("corrigée-1", "formation", code_evt="FOR-2106", date_debut="2020-11-05", nb_prevus=10),
    sent("corrigée-2", "formation", code_evt="FOR-2106", date_debut="2020-11-05", nb_prevus=12),
    # Organisations and projects.
    sent("osc-inconnue", "osc", osc_mode="existante", osc_code="OSC999"),
    sent("osc-prise", "osc", osc_mode="nouvelle", osc_code="OSC002"),
    sent("osc-a", "osc", osc_mode="nouvelle", osc_code="OSC901", date_suivi="2020-11-05"),
    sent("osc-b", "osc", osc_mode="nouvelle", osc_code="OSC901", date_suivi="2020-11-06"),
    sent("parts", "osc", osc_code="OSC001", code_projet="COD-002", **{**BUDGET, "subvention": 51}),
    sent("dépense", "osc", osc_code="OSC001", code_projet="COD-003", **{**BUDGET, "depense": 110.5}),
    sent("a-1", "activite", objet="activite", activite="A1.1", periode="2020-11-15", avancement=50),
    sent("a-2", "activite", objet="activite", activite="A1.1", periode="2020-12-01", avancement=45),
    sent("a-3", "activite", objet="activite", activite="A1.1", periode="2021-01-01", avancement=45),
    sent("hors-plan", "activite", objet="activite", activite="Z9.9", periode="2020-12-01", avancement=45),
    # Committees: the first decision is reviewed, the second forgotten, the third not yet due and written again.
    sent(
        "comité-1",
        "comite",
        code_comite="COM-2101",
        tenue="oui",
        date_tenue="2020-11-02",
        decisions=[
            {"d_code": f"COM-2101-0{rank}", "d_echeance": due}
            for rank, due in enumerate(("2020-11-15", "2020-11-15", "2021-06-01"), start=1)
        ],
    ),
    sent(
        "comité-2",
        "comite",
        code_comite="COM-2102",
        tenue="oui",
        date_tenue="2020-12-01",
        suivi_decisions=[{"s_code": "COM-2101-01"}, {"s_code": "COM-2099-01"}],
        decisions=[{"d_code": "COM-2101-03", "d_echeance": "2021-06-01"}],
    ),
    # Partners.
    sent("hors-liste", "partenariat", **PLAN, province="MA-AGD", commune="09.001.05.01"),
    sent("rencontre", "partenariat", type_relation="concertation", type_partenaire="wilaya"),
]

FOUND: dict[str, list[tuple[str, str]]] = {
    "activite_inconnue": [("hors-plan", "activite")],
    "agent_code_inattendu": [("agent", "agent_code")],
    "avancement_en_baisse": [("a-2", "avancement")],
    "budget_incoherent": [("dépense", "depense"), ("parts", "budget_total")],
    "bureau_inconnu": [("inconnu", "bureau_code")],
    "bureau_silencieux": [("bon", "TAR01")],
    "code_dossier_en_double": [("code-a", "code_dossier"), ("code-b", "code_dossier")],
    "code_reutilise": [("autre-1", "code_evt")],
    "collectivite_inconnue": [("hors-liste", "type_partenaire · province · commune")],
    "decision_en_double": [("comité-2", "decisions · ligne 1")],
    "decision_sans_suivi": [("comité-1", "decisions · ligne 2")],
    "dossier_en_retard": [("en-retard", "echeance")],
    "dossier_sans_identifiant": [("sans-dossier", "dossier_uuid")],
    "notes_hors_bareme": [("barème", "participants · ligne 3")],
    "notes_identiques": [("identiques", "p_pre · p_post")],
    "orientation_sans_service": [("chiffres", "orientations · ligne 1"), ("décoché", "orientations · ligne 2")],
    "osc_code_en_double": [("osc-b", "osc_code_neuf"), ("osc-prise", "osc_code_neuf")],
    "osc_inconnue": [("osc-inconnue", "osc_code")],
    "participant_en_double": [("deux-fois", "participants · ligne 3")],
    "reponse_illisible": [("sans-date", "tpm_visite · date_visite"), ("vingt", "tpm_visite · duree_min")],
    "soumission_chiffree": [("chiffrée", "tpm_tdr · 1")],
    "suivi_decision_inconnue": [("comité-2", "suivi_decisions · ligne 2")],
    "suivi_sans_dossier": [("égaré", "dossier")],
    "texte_identifiant": [
        ("carte", "synthese"),
        ("chiffres", "o_institution_autre · ligne 2"),
        ("téléphone", "observations"),
    ],
    "visite_apres_fermeture": [("après-fermeture", "date_visite")],
    "visite_apres_reception": [("après-demain", "date_visite")],
    "visite_en_double": [("fois-2", "dossier_uuid · date_visite · services")],
    "visite_envoyee_tard": [("soixante-et-un-jours", "date_visite")],
    "visite_hors_projet": [("avant-projet", "date_visite"), ("sans-date", "date_visite")],
}

SEALED = """
insert into raw.submission select * replace (
    'chiffrée' as submission_id, true as is_sealed, '{"__id":"chiffrée"}' as payload)
from raw.submission where submission_id = 'bon-tdr'
"""


def receive(lab: Lab, *submissions: Sent) -> None:
    """Deploy the forms, receive the submissions and build."""
    real.deploy(lab)
    for one in submissions:
        row = Row(one.submission_id, real.placed(one.form_id, one.given), submitted=one.submitted)
        lab.store(row, form_id=one.form_id)
    real.rebuild(lab)


@pytest.fixture(scope="module")
def flawed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A warehouse with every flaw once, beside what comes close to it."""
    with db.memory() as connection:
        raw.create(connection)
        lab = Lab(connection, tmp_path_factory.mktemp("pages"))
        receive(lab, *TIDY, *FLAWED)
        connection.execute(SEALED)
        checks.run(connection)
        yield lab


def test_what_is_tidy_is_found_by_none(lab: Lab) -> None:
    receive(lab, *TIDY)
    assert checks.run(lab.connection) == {}


@pytest.mark.parametrize("name", [path.stem for path in sorted((WAREHOUSE / "checks").glob("*.sql"))])
def test_each_check_finds_its_rows_and_no_other(flawed: Lab, name: str) -> None:
    query = "select submission_id, detail from checks.constat where constat = ? order by all"
    found = flawed.rows(query, name)
    assert sorted((row["submission_id"], row["detail"]) for row in found) == sorted(FOUND[name])


def test_the_findings_are_counted_by_check(flawed: Lab) -> None:
    expected = {name: len(found) for name, found in sorted(FOUND.items())}
    assert checks.run(flawed.connection) == checks.run(flawed.connection) == expected


def test_every_text_a_person_types_freely_is_scanned() -> None:
    scanned = (WAREHOUSE / "checks" / "texte_identifiant.sql").read_text(encoding="utf-8")
    tables = [table for form in real.schemas().values() for table in (form.root, *form.root.repeats)]
    typed = [one for table in tables for one in table.questions if one.type == "string" and not one.calculated]
    free = {one.name for one in typed if one.privacy != "identifying" and not NOT_FREE.fullmatch(one.name)}
    assert [name for name in sorted(free) if not re.search(rf"\b{name}\b", scanned)] == []


def test_cases_without_a_code_are_not_one_code(lab: Lab) -> None:
    receive(lab, *(visit(name, "2020-10-06T10:00:00.000Z", code_dossier=None, **EARLY) for name in ("un", "deux")))
    assert checks.run(lab.connection) == {}


def test_a_check_that_cannot_run_is_named(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "faux.sql").write_text(
        "-- One row per nothing.\nselect x from marts.absente", encoding="utf-8"
    )
    monkeypatch.setattr(checks, "WAREHOUSE", tmp_path)
    with pytest.raises(WarehouseError, match=r"WH-024 · warehouse/checks/faux.sql.*absente"):
        checks.run(lab.connection)
