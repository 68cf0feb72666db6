-- One row per visit of a person with a case; a person is counted once a period.
select
    dossier_uuid as unit_id,
    date_visite as event_date,
    {'received': submitted_at, 'visit': visite_id} as recorded,
    visite_id as source_id,

    groupe_cat as groupe,
    cat_migrant as categorie,
    sexe,
    tranche_age as age,
    province,
    bureau_code as bureau
from marts.fct_visite
where consent_dossier = 'oui'
