-- One row per case (person), with its profile as of its latest visit.
select
    dossier_uuid,
    min(date_visite) as premiere_visite_date,
    max(date_visite) as derniere_visite_date,
    count(*) as nb_visites,

    arg_max(bureau_code, (date_visite, submitted_at)) as bureau_code,
    arg_max(sexe, (date_visite, submitted_at)) as sexe,
    arg_max(tranche_age, (date_visite, submitted_at)) as tranche_age,
    arg_max(cat_migrant, (date_visite, submitted_at)) as cat_migrant,
    arg_max(groupe_cat, (date_visite, submitted_at)) as groupe_cat,
    arg_max(province, (date_visite, submitted_at)) as province
from marts.fct_visite
where dossier_uuid is not null
group by dossier_uuid
