-- One row per visit of a person with a case whose sex is known.
select
    dossier_uuid as unit_id,
    date_visite as event_date,
    {'received': submitted_at, 'visit': visite_id} as recorded,
    sexe = 'femme' as in_numerator,
    visite_id as source_id,

    groupe_cat as groupe,
    tranche_age as age,
    province,
    bureau_code as bureau
from marts.fct_visite
where dossier_uuid is not null and sexe in ('femme', 'homme')
