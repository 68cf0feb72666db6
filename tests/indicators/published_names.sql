-- Our marts under the names that the published formulas use.
create or replace temp view fct_visite as from marts.fct_visite;

create or replace temp view fct_suivi as from marts.fct_suivi;

create or replace temp view fct_orientation as
select * exclude (service, reponse), service as o_service, reponse as o_reponse
from marts.fct_orientation;

create or replace temp view fct_issue as
select * exclude (service, issue), service as i_service, issue as i_issue
from marts.fct_issue;

create or replace temp view fct_entretien as
select *, a_texte as has_texte
from marts.fct_entretien;

create or replace temp view fct_seance as from marts.fct_seance;

create or replace temp view fct_evenement as
select *, evenement_code as code_evt
from marts.fct_evenement;

create or replace temp view fct_participant as
select *, participant_id as p_cle, note_avant as p_pre, note_apres as p_post
from marts.fct_participant;

create or replace temp view fct_osc_suivi as
select
    * replace (if(a_projet, 'oui', 'non') as a_projet),
    projet_code as code_projet,
    avancement_pct as avancement
from marts.fct_osc_suivi;

create or replace temp view fct_comite as
select *, if(est_tenu, 'oui', 'non') as tenue
from marts.fct_comite;

create or replace temp view fct_decision as
select decision_code as d_code, decision_echeance_date as d_echeance
from marts.fct_decision;

create or replace temp view fct_decision_suivi as
select decision_code as s_code, statut_decision as s_statut, execution_date as s_date, revue_date as date_tenue
from marts.fct_decision_suivi;

create or replace temp view fct_activite as
select
    activite_code as activite,
    statut_activite as statut,
    avancement_pct as avancement,
    mois_date as periode,
    nb_pieces_attendues as pieces_total,
    nb_pieces_conformes as pieces_ok
from marts.fct_activite;

create or replace temp view ref_activite as
select activite_code as activite, poids
from marts.dim_activite;

create or replace temp view fct_livrable as
select
    livrable_ref as ref_livrable,
    submitted_at as periode,
    if(est_remis, 'oui', 'non') as remis,
    remise_date as date_remise,
    livrable_du_date as date_due
from marts.fct_livrable;

create or replace temp view fct_consultation as
select
    consultation_ref as ref_tdr,
    submitted_at as saisie_le,
    if(a_contrat, 'oui', 'non') as contrat,
    if(est_conforme, '1', '0') as conforme,
    livrable_du_date as liv_due,
    if(est_livrable_valide, 'oui', 'non') as liv_valide
from marts.fct_consultation;

create or replace temp view fct_com as
select
    date_com,
    if(est_conforme, '1', '0') as conforme,
    if(a_partage, 'oui', 'non') as partage,
    if(est_repris, 'oui', 'non') as repris,
    array_to_string(enseignement_codes, ' ') as codes_ens
from marts.fct_com;

create or replace temp view fct_controle_bureau as
select *, statut_bureau as statut
from marts.fct_controle_bureau;

create or replace temp view ref_collectivite as from marts.dim_collectivite;

create or replace temp view fct_relation as
select
    type_relation,
    date_rel,
    partenaire_nom as nom_partenaire,
    doc_planif as doc,
    niveau_integration as niveau,
    if(a_service_dedie, 'oui', 'non') as service_dedie,
    convention_ref as ref_conv
from marts.fct_relation;
