-- One row per capitalisation interview that was not rejected.
with entretiens as (
    select * from staging.tpm_entretien where review_state <> 'rejected'
)

select
    submission_id as entretien_id,
    date_entretien,
    modalite,
    langue,
    province,
    if(commune in (select code_hcp from reference.communes), commune, null) as commune,

    consent,
    type_acteur,
    sexe,
    tranche_age,
    cat_migrant,

    themes,
    coalesce(
        t_accueil_notes, t_codev_notes, t_gouvernance_notes, t_coordination_notes, t_genre_notes, t_participation_notes
    ) is not null as a_texte,
    coalesce(
        t_accueil_audio_pseudo, t_codev_audio_pseudo, t_gouvernance_audio_pseudo, t_coordination_audio_pseudo,
        t_genre_audio_pseudo, t_participation_audio_pseudo, msc_audio_pseudo
    ) is not null as a_audio,
    qualite_audio,
    msc_domaine,
    try_cast(msc_contribution as integer) as msc_contribution,
    nb_ens as nb_enseignements,
    confidentialite,
    duree_min
from entretiens
