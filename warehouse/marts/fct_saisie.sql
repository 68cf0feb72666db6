-- One row per site (an office, or the project team) and day on which it registered something.
with bureaux as (
    select bureau_code, date_visite as saisie_date from marts.fct_visite
    union all
    select bureau_code, date_suivi from marts.fct_suivi
),

equipe as (
    select date_entretien as saisie_date from marts.fct_entretien
    union all
    select date_seance from marts.fct_seance
    union all
    select date_debut from marts.fct_evenement
    union all
    select date_suivi from marts.fct_osc_suivi
    union all
    select date_prevue from marts.fct_comite
    union all
    select mois_date from marts.fct_activite
    union all
    select mois_date from marts.fct_livrable
    union all
    select tdr_date from marts.fct_consultation
    union all
    select date_com from marts.fct_com
    union all
    select date_controle from marts.fct_controle_bureau
    union all
    select date_rel from marts.fct_relation
),

saisies as (
    select bureau_code as site_code, true as est_bureau, saisie_date from bureaux
    union all
    select 'equipe', false, saisie_date from equipe
)

select
    site_code,
    est_bureau,
    saisie_date,
    count(*) as nb_saisies
from saisies
where site_code is not null and saisie_date is not null
group by site_code, est_bureau, saisie_date
