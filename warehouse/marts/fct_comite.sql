-- One row per committee meeting, held or not, as its latest form tells it.
with formulaires as (
    select * from staging.tpm_comite
    where review_state <> 'rejected'
    qualify row_number() over (
        partition by coalesce(code_comite, submission_id) order by submitted_at desc, submission_id desc
    ) = 1
)

select
    submission_id as comite_id,
    code_comite as comite_code,
    projet,
    type_comite,
    date_prevue,
    tenue = 'oui' as est_tenu,
    date_tenue,
    motif as motif_retard,
    province,
    if(commune in (select code_hcp from reference.communes), commune, null) as commune,

    parties as types_partenaires,
    nb_f as nb_femmes,
    nb_h as nb_hommes,
    pv_diffuse = 'oui' as est_pv_diffuse,
    submitted_at
from formulaires
