-- One row per site (an office, or the project team) and day on which it registered something.
with saisies as (
    select bureau_code as site_code, date_visite as saisie_date from marts.fct_visite
    union all
    select bureau_code, date_suivi from marts.fct_suivi
    union all
    select 'equipe', date_entretien from marts.fct_entretien
    union all
    select 'equipe', date_seance from marts.fct_seance
    union all
    select 'equipe', date_debut from marts.fct_evenement
    union all
    select 'equipe', date_suivi from marts.fct_osc_suivi
    union all
    select 'equipe', date_prevue from marts.fct_comite
    union all
    select 'equipe', mois_date from marts.fct_activite
    union all
    select 'equipe', mois_date from marts.fct_livrable
    union all
    select 'equipe', tdr_date from marts.fct_consultation
    union all
    select 'equipe', date_com from marts.fct_com
    union all
    select 'equipe', date_controle from marts.fct_controle_bureau
    union all
    select 'equipe', date_rel from marts.fct_relation
)

select
    site_code,
    site_code <> 'equipe' as est_bureau,
    saisie_date,
    count(*) as nb_saisies
from saisies
where site_code is not null and saisie_date is not null
group by site_code, saisie_date
