-- One row per session of a capitalisation space that was not rejected.
with seances as (
    select * from staging.tpm_atelier where review_state <> 'rejected'
)

select
    submission_id as seance_id,
    projet,
    date_seance,
    type_espace,
    num_seance,
    province,
    if(commune in (select code_hcp from reference.communes), commune, null) as commune,

    themes,
    nb_prevus,
    try_cast(nb_presents as integer) as nb_presents,
    nb_femmes,
    nb_hommes,
    nb_mre,
    nb_rpt,

    score_acces,
    score_accueil,
    score_participation,
    nb_votants,
    nb_ens as nb_enseignements,
    submitted_at
from seances
