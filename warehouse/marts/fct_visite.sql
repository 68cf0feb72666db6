-- One row per reception visit that was not rejected.
with visites as (
    select * from staging.tpm_visite where review_state <> 'rejected'
)

select
    submission_id as visite_id,
    date_visite,
    -- What a phone calculated or took from a file is believed only if it is one of our codes.
    if(bureau_code in (select bureau_code from marts.dim_bureau), bureau_code, null) as bureau_code,
    canal,
    langue_entretien,

    consent_dossier,
    dossier_mode,
    if(consent_dossier = 'oui', dossier_uuid, null) as dossier_uuid,

    sexe,
    tranche_age,
    cat_migrant,
    if(groupe_cat in (select code from reference.listes where liste = 'groupe_cat'), groupe_cat, null) as groupe_cat,
    province,
    if(commune in (select code_hcp from reference.communes), commune, null) as commune,

    services,
    if(list_contains(services, service_principal), service_principal, null) as service_principal,
    try_cast(satisfaction as integer) as satisfaction,
    duree_min,
    echeance as echeance_date,
    submitted_at
from visites
