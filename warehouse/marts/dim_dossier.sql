-- One row per case (person), with its profile as of its latest visit.
with visites as (
    -- A visit without a date is the oldest, not the newest.
    select *, (date_visite is not null, date_visite, submitted_at, visite_id) as moment
    from marts.fct_visite
    where dossier_uuid is not null
)

select
    dossier_uuid,
    min(date_visite) as premiere_visite_date,
    max(date_visite) as derniere_visite_date,
    count(*) as nb_visites,

    arg_max(bureau_code, moment) as bureau_code,
    arg_max(sexe, moment) as sexe,
    arg_max(tranche_age, moment) as tranche_age,
    arg_max(cat_migrant, moment) as cat_migrant,
    arg_max(groupe_cat, moment) as groupe_cat,
    arg_max(province, moment) as province
from visites
group by dossier_uuid
