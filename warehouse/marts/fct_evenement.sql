-- One row per training or event, as its latest form tells it.
with formulaires as (
    select * from staging.tpm_formation
    where review_state <> 'rejected'
    qualify row_number() over (
        partition by coalesce(code_evt, submission_id) order by submitted_at desc, submission_id desc
    ) = 1
)

select
    submission_id as evenement_id,
    code_evt as evenement_code,
    projet,
    resultat,
    type_evt,
    date_debut,
    date_fin,
    duree_h,
    province,
    if(commune in (select code_hcp from reference.communes), commune, null) as commune,

    publics,
    nb_prevus,
    try_cast(nb_presents as integer) as nb_presents,
    liste = 'oui' as a_liste,
    submitted_at
from formulaires
