"""The marts' own decisions, on answers as phones send them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.warehouse import real
from tests.warehouse.lab import PADS, Lab, Row
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.records import Choice, FormSchema
from tpm_pipeline.warehouse import build, db, raw

MORNING, EVENING = "2021-06-01T08:00:00Z", "2021-06-01T18:00:00Z"
VISIT = {
    "date_visite": "2021-01-05",
    "bureau_code": "TIZ01",
    "consent_dossier": "oui",
    "dossier_mode": "nouveau",
    "dossier_uuid": "d1",
    "services": "retraite foncier",
    "service_principal": "foncier",
    "groupe_cat": "mre",
    "commune": "09.581.01.07",
    "orientations": [{"o_service": "retraite"}, {"o_service": "foncier"}],
}
OUTCOMES = [{"i_service": "retraite", "i_issue": "obtenu"}, {"i_issue": "refuse"}, {"i_service": "Amina"}]
MEETING = {"code_comite": "COM-2101", "tenue": "oui", "type_comite": "suivi", "date_tenue": "2021-03-02"}
TRAINING = {"code_evt": "FOR-2101", "type_evt": "formation", "liste": "oui", "date_debut": "2021-03-01"}
PROJECT = {"a_projet": "oui", "code_projet": "COD-001", "date_suivi": "2021-03-01", "osc_mode": "existante"}
CHECK = {"bureau_code": "TIZ01", "date_controle": "2021-03-01", "statut": "actif"}
PLAN = {"date_rel": "2021-03-01", "type_relation": "planification"}


def decisions(*ranks: int, code: str = "COM-2101") -> list[dict[str, str]]:
    return [{"d_code": f"{code}-0{rank}", "d_echeance": "2021-05-01"} for rank in ranks]


SENT: list[tuple[str, str, str, dict[str, Any]]] = [
    # Visits and follow-ups.
    ("visite", "v1", MORNING, VISIT),
    ("visite", "v2", MORNING, {**VISIT, "consent_dossier": "non"}),
    ("visite", "v3", MORNING, {**VISIT, "services": "retraite"}),
    (
        "visite",
        "v4",
        MORNING,
        {**VISIT, "bureau_code": "Amina", "commune": "Tiznit", "groupe_cat": "Amina", "service_principal": "sante"},
    ),
    ("suivi", "s1", MORNING, {"dossier": "d1", "date_suivi": "2021-01-20", "issues": OUTCOMES}),
    # An event registered twice: the second form, shorter, replaces the first; two others have no code.
    ("formation", "e1", MORNING, {**TRAINING, "participants": [{"p_cle": "AB80-111"}, {"p_cle": "CD81-222"}]}),
    (
        "formation",
        "e2",
        EVENING,
        {**TRAINING, "participants": [{"p_cle": "AB80-111"}, {"p_sexe": "f"}, {"p_sexe": "f"}, {"p_cle": "AB80-111"}]},
    ),
    ("formation", "e3", MORNING, {"date_debut": "2021-04-01"}),
    ("formation", "e4", MORNING, {"date_debut": "2021-04-01"}),
    # A committee first postponed, then held, then corrected; a later one reviews its decisions and copies one.
    ("comite", "c1", MORNING, {**MEETING, "tenue": "non", "motif": "rh"}),
    ("comite", "c2", "2021-06-01T12:00:00Z", {**MEETING, "decisions": decisions(1, 2, 3)}),
    ("comite", "c3", EVENING, {**MEETING, "decisions": decisions(1, 2)}),
    (
        "comite",
        "c4",
        EVENING,
        {
            **MEETING,
            "code_comite": "COM-2102",
            "date_tenue": "2021-06-01",
            "suivi_decisions": [{"s_code": "COM-2101-01", "s_statut": "faite", "s_date": "2021-04-01"}, {}],
            "decisions": [*decisions(2), *decisions(1, code="COM-2102")],
        },
    ),
    # Organisations: one of the list, one registered by two phones under one code, one that nobody registered.
    ("osc", "o1", MORNING, {**PROJECT, "osc_code": "OSC003", "avancement": 10}),
    ("osc", "o2", EVENING, {**PROJECT, "osc_code": "OSC003", "avancement": 20}),
    ("osc", "o3", EVENING, {**PROJECT, "osc_code": "OSC003", "code_projet": "COD-002"}),
    ("osc", "o4", MORNING, {"osc_mode": "nouvelle", "osc_code": "OSC901", "forme_osc": "federation"}),
    ("osc", "o5", EVENING, {"osc_mode": "nouvelle", "osc_code": "OSC901", "forme_osc": "cooperative"}),
    ("osc", "o6", EVENING, {**PROJECT, "osc_code": "OSC901"}),
    ("osc", "o7", EVENING, {**PROJECT, "osc_code": "Amina"}),
    # The action plan: a month told twice, on two of its days; a deliverable due long before and after it is told.
    ("activite", "a1", MORNING, {"objet": "activite", "activite": "A1.1", "periode": "2021-03-01", "avancement": 10}),
    ("activite", "a2", EVENING, {"objet": "activite", "activite": "A1.1", "periode": "2021-03-17", "avancement": 15}),
    ("activite", "a3", EVENING, {"objet": "activite", "activite": "Z9.9", "periode": "2021-03-17"}),
    ("activite", "l1", EVENING, {"objet": "livrable", "ref_livrable": "RAP-2101", "periode": "2021-03-20"}),
    (
        "activite",
        "l2",
        MORNING,
        {"objet": "livrable", "ref_livrable": "RAP-2101", "periode": "2021-04-01", "date_due": "2022-12-31"},
    ),
    # Offices: TIZ01 closed, reopened, closed for good; TIZ02 closed then reopened; TIZ03 corrected the same day.
    ("bureau", "b1", MORNING, {**CHECK, "statut": "ferme", "date_controle": "2021-01-15"}),
    ("bureau", "b2", MORNING, CHECK),
    ("bureau", "b3", MORNING, {**CHECK, "statut": "ferme", "date_controle": "2021-05-01"}),
    ("bureau", "b4", MORNING, {**CHECK, "statut": "ferme", "date_controle": "2021-06-01"}),
    ("bureau", "b5", MORNING, {**CHECK, "bureau_code": "TIZ02", "statut": "ferme"}),
    ("bureau", "b6", MORNING, {**CHECK, "bureau_code": "TIZ02", "date_controle": "2021-05-01"}),
    ("bureau", "b7", MORNING, {**CHECK, "bureau_code": "TIZ03", "statut": "ferme"}),
    ("bureau", "b8", EVENING, {**CHECK, "bureau_code": "TIZ03", "position": "29.7 -9.7 100 100.0"}),
    ("bureau", "b9", EVENING, {**CHECK, "bureau_code": "TIZ04", "position": "29.7 -9.7 100 100.1"}),
    # Partners, known by their kind and their territory whatever their name.
    ("partenariat", "r1", MORNING, {**PLAN, "type_partenaire": "region", "province": "MA-AGD"}),
    ("partenariat", "r2", MORNING, {**PLAN, "type_partenaire": "province", "province": "MA-TIZ"}),
    (
        "partenariat",
        "r3",
        MORNING,
        {**PLAN, "type_partenaire": "commune", "province": "MA-TIZ", "commune": "09.581.01.07"},
    ),
    ("partenariat", "r4", MORNING, {**PLAN, "type_partenaire": "province", "province": "hors_region"}),
    ("partenariat", "r5", MORNING, {**PLAN, "type_partenaire": "wilaya", "province": "MA-TIZ"}),
    # The rest.
    ("com", "k1", MORNING, {"codes_ens": "ENS-001 ENS-002", "conforme": "1"}),
    ("com", "k2", MORNING, {"partage": "non", "conforme": "0"}),
    ("tdr", "t1", MORNING, {"ref_tdr": "TDR-2101", "nb_offres": 3}),
    ("tdr", "t2", EVENING, {"ref_tdr": "TDR-2101", "nb_offres": 3, "contrat": "oui"}),
    ("atelier", "w1", MORNING, {"date_seance": "2021-03-01", "enseignements": [{"e_titre": "Une leçon."}, {}]}),
]


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with db.memory() as connection:
        raw.create(connection)
        lab = Lab(connection, tmp_path_factory.mktemp("pages"))
        real.deploy(lab)
        for form, name, submitted, answers in SENT:
            row = Row(name, real.placed(f"tpm_{form}", answers), submitted=submitted)
            lab.store(row, form_id=f"tpm_{form}")
        real.rebuild(lab)
        yield lab


def test_a_visit_without_consent_has_no_case_whatever_the_phone_sent(marts: Lab) -> None:
    assert marts.column("select dossier_uuid from marts.fct_visite order by visite_id") == ["d1", None, "d1", "d1"]


def test_a_service_that_was_unticked_has_no_orientation(marts: Lab) -> None:
    assert marts.column("select service from marts.fct_orientation where visite_id = 'v3'") == ["retraite"]


def test_an_outcome_without_a_service_is_left_out(marts: Lab) -> None:
    assert marts.column("select issue from marts.fct_issue") == ["obtenu"]


def test_a_code_that_is_not_ours_is_not_known_and_the_visit_still_counts(marts: Lab) -> None:
    found = marts.rows("select commune, groupe_cat, service_principal from marts.fct_visite where visite_id = 'v4'")
    assert found == [dict.fromkeys(("commune", "groupe_cat", "service_principal"))]
    found = marts.rows("select commune, groupe_cat, service_principal from marts.fct_visite where visite_id = 'v1'")
    assert found == [{"commune": "09.581.01.07", "groupe_cat": "mre", "service_principal": "foncier"}]
    assert marts.column("select bureau_code from marts.fct_visite order by visite_id") == [*["TIZ01"] * 3, None]
    assert marts.column("select distinct site_code from marts.fct_saisie where est_bureau") == ["TIZ01"]


def test_a_second_form_of_an_event_replaces_the_first_with_its_participants(marts: Lab) -> None:
    assert marts.column("select evenement_id from marts.fct_evenement order by 1") == ["e2", "e3", "e4"]
    assert marts.column("select distinct evenement_id from marts.fct_participant") == ["e2"]


def test_a_participant_written_twice_is_one_and_those_without_a_key_are_several(marts: Lab) -> None:
    assert marts.column("select rang from marts.fct_participant order by rang") == [1, 2, 3]


def test_a_corrected_committee_is_one_meeting_with_the_decisions_of_its_last_form(marts: Lab) -> None:
    assert marts.column("select comite_id from marts.fct_comite order by comite_code") == ["c3", "c4"]
    assert marts.column("select est_tenu from marts.fct_comite where comite_id = 'c3'") == [True]
    found = marts.rows("select decision_code, comite_id from marts.fct_decision order by 1")
    assert {row["decision_code"]: row["comite_id"] for row in found} == {
        "COM-2101-01": "c3",
        "COM-2101-02": "c3",
        "COM-2102-01": "c4",
    }


def test_a_decision_is_followed_at_a_later_committee(marts: Lab) -> None:
    assert marts.rows(
        "select decision_code, revue_date::varchar as le, statut_decision from marts.fct_decision_suivi"
    ) == [{"decision_code": "COM-2101-01", "le": "2021-06-01", "statut_decision": "faite"}]


def test_the_last_form_of_the_day_tells_of_each_project_of_an_organisation(marts: Lab) -> None:
    followed = "select osc_suivi_id from marts.fct_osc_suivi where osc_code = 'OSC003' order by 1"
    assert marts.column(followed) == ["o2", "o3"]


def test_an_organisation_is_what_its_first_form_or_the_list_says(marts: Lab) -> None:
    forms = "select osc_suivi_id, forme_osc from marts.fct_osc_suivi order by 1"
    assert {row["osc_suivi_id"]: row["forme_osc"] for row in marts.rows(forms)} == {
        "o2": "cooperative",
        "o3": "cooperative",
        "o5": "federation",
        "o6": "federation",
        "o7": None,
    }
    assert marts.column("select osc_code from marts.dim_osc group by 1 having count(*) > 1") == []


def test_a_project_of_an_unknown_organisation_still_counts(marts: Lab) -> None:
    row = {"osc_code": None, "projet_code": "COD-001"}
    assert marts.rows("select osc_code, projet_code from marts.fct_osc_suivi where osc_suivi_id = 'o7'") == [row]


def test_a_month_is_told_once_whichever_day_the_phone_gave_it(marts: Lab) -> None:
    told = (
        "select activite_code, mois_date::varchar as mois, avancement_pct from marts.fct_activite order by activite_id"
    )
    assert marts.rows(told) == [
        {"activite_code": "A1.1", "mois": "2021-03-01", "avancement_pct": 15},
        {"activite_code": None, "mois": "2021-03-01", "avancement_pct": None},
    ]


def test_a_deliverable_is_what_its_latest_month_says_and_reports_for_that_month(marts: Lab) -> None:
    assert marts.column("select livrable_id from marts.fct_livrable") == ["l2"]
    assert marts.column("select max(saisie_date)::varchar from marts.fct_saisie") == ["2021-06-01"]


def test_an_office_is_closed_from_the_first_check_that_never_found_it_open_again(marts: Lab) -> None:
    closed = marts.rows("select bureau_code, fermeture_date::varchar as le from marts.dim_bureau where le is not null")
    assert closed == [{"bureau_code": "TIZ01", "le": "2021-05-01"}]


def test_a_check_made_again_the_same_day_replaces_the_first(marts: Lab) -> None:
    assert marts.column("select controle_id from marts.fct_controle_bureau where bureau_code = 'TIZ03'") == ["b8"]


def test_a_position_known_to_more_than_a_hundred_metres_is_left_out(marts: Lab) -> None:
    where = "select latitude, longitude from marts.fct_controle_bureau where bureau_code in ('TIZ03', 'TIZ04')"
    assert marts.rows(f"{where} order by bureau_code") == [
        {"latitude": 29.7, "longitude": -9.7},
        {"latitude": None, "longitude": None},
    ]


def test_an_authority_is_known_by_its_kind_and_its_territory(marts: Lab) -> None:
    found = "select collectivite_code from marts.fct_relation order by relation_id"
    assert marts.column(found) == ["REG", "PRO-TIZ", "COM-5810107", None, None]


def test_an_authority_listed_twice_never_counts_a_meeting_twice(marts: Lab) -> None:
    connection = marts.connection
    connection.execute(
        "begin; insert into marts.dim_collectivite select * replace ('Z' as collectivite_code) from"
        " marts.dim_collectivite where type_collectivite <> 'commune'"
    )
    query = (WAREHOUSE / "marts" / "fct_relation.sql").read_text(encoding="utf-8")
    codes = [row["collectivite_code"] for row in db.rows(connection, f"select * from ({query}\n) order by relation_id")]
    connection.execute("rollback")
    assert codes == ["REG", "PRO-TIZ", "COM-5810107", None, None]
    double = "select type, province, code_commune from reference.collectivites group by all having count(*) > 1"
    assert marts.rows(double) == []


def test_codes_of_lessons_are_a_list(marts: Lab) -> None:
    found = "select enseignement_codes as codes, est_conforme from marts.fct_com order by com_id"
    assert marts.rows(found) == [
        {"codes": ["ENS-001", "ENS-002"], "est_conforme": True},
        {"codes": None, "est_conforme": False},
    ]


def test_the_last_stage_of_a_consultancy_wins(marts: Lab) -> None:
    assert marts.rows("select consultation_id, a_contrat from marts.fct_consultation") == [
        {"consultation_id": "t2", "a_contrat": True}
    ]


def test_a_lesson_without_words_is_none(marts: Lab) -> None:
    assert marts.rows("select source, rang, date_source::varchar as le from marts.fct_enseignement") == [
        {"source": "tpm_atelier", "rang": 1, "le": "2021-03-01"}
    ]


def test_the_team_reports_for_itself(marts: Lab) -> None:
    sites = marts.rows("select distinct site_code, est_bureau from marts.fct_saisie order by 1")
    assert sites == [{"site_code": "TIZ01", "est_bureau": True}, {"site_code": "equipe", "est_bureau": False}]


KEPT = {"objet", "osc_mode", "consent_dossier", "tenue"}


def with_canaries(form: FormSchema) -> FormSchema:
    """The form, with one more choice in each list, named after the list."""
    return replace(form, lists={name: (*known, Choice(f"canari_{name}", {})) for name, known in form.lists.items()})


def canaries(form: FormSchema) -> dict[str, str]:
    """Each list's canary as the answer to the questions that use it, but for those that decide whether a row counts."""
    tables = (form.root, *form.root.repeats)
    asked = [question for table in tables for question in table.questions if question.choices in form.lists]
    given = {question.name: f"canari_{question.choices}" for question in asked if question.name not in KEPT}
    return {
        **given,
        "o_service": "canari_service",
        "i_service": "canari_service",
        "service_principal": "canari_service",
    }


def test_a_choice_passed_on_by_a_mart_is_explained_by_the_list_it_comes_from(lab: Lab) -> None:
    real.deploy(lab)
    forms = [with_canaries(form) for form in real.schemas().values()]
    for form in forms:
        for objet in ("activite", "livrable") if form.form_id == "tpm_activite" else ("activite",):
            row = Row(f"{form.form_id}-{objet}", real.answers(form.root, {**canaries(form), "objet": objet}))
            lab.store(row, form_id=form.form_id)
    build.build(lab.connection, forms, PADS)
    described = build.descriptions(WAREHOUSE / "columns.yml")
    columns = lab.rows(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and data_type like 'VARCHAR%'"
    )
    seen = set()
    for column in columns:
        name = column["column_name"]
        values = lab.column(f'select distinct "{name}"::varchar from marts.{column["table_name"]}')
        found = {value.strip("[]") for value in values if value and "canari_" in value}
        assert found <= {f"canari_{described[name].liste}"}, (column, found)
        seen |= {name} if found else set()
    passed_on = {name for name, one in described.items() if one.liste in {key for form in forms for key in form.lists}}
    assert passed_on - seen == {"consent_dossier", "type_collectivite"}
