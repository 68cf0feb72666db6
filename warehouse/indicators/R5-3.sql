-- One row per activity of the plan at the project's start, then one per month in which it was reported.
with avancements as (
    select
        activite_code,
        mois_date,
        if(statut_activite = 'annulee', 0, avancement_pct) as avancement_pct,
        activite_id,
        true as est_rapporte
    from marts.fct_activite
    where statut_activite = 'annulee' or avancement_pct is not null
    union all
    -- An activity nobody reported yet weighs on the plan, and has not advanced.
    select
        activite_code,
        date '2020-10-01',
        0,
        null,
        false
    from marts.dim_activite
)

select
    avancements.activite_code as unit_id,
    avancements.mois_date as event_date,
    avancements.est_rapporte as recorded,
    avancements.avancement_pct / 100 * activite.poids as value,
    activite.poids as weight,
    avancements.activite_id as source_id,

    activite.resultat,
    avancements.activite_code as activite
from avancements
join marts.dim_activite as activite using (activite_code)
