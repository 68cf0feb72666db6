-- One row per communication action that was not rejected.
with actions as (
    select * from staging.tpm_com where review_state <> 'rejected'
)

select
    submission_id as com_id,
    projet,
    date_com,
    type_com,
    langues as langues_com,
    cibles as destinataires,
    portee as nb_personnes_touchees,
    conforme = '1' as est_conforme,

    partage = 'oui' as a_partage,
    regexp_extract_all(codes_ens, 'ENS-\d{3}') as enseignement_codes,
    nb_acteurs,
    repris = 'oui' as est_repris,
    submitted_at
from actions
