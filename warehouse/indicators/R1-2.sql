-- One row per visit.
select
    visite_id as unit_id,
    date_visite as event_date,
    visite_id as source_id,

    bureau_code as bureau,
    commune,
    province,
    groupe_cat as groupe,
    cat_migrant as categorie,
    sexe,
    tranche_age as age,
    services as service,
    if(consent_dossier = 'oui', 'dossier', 'anonyme') as mode
from marts.fct_visite
