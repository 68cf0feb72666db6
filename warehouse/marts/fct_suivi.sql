-- One row per follow-up contact that was not rejected.
with suivis as (
    select * from staging.tpm_suivi where review_state <> 'rejected'
)

select
    submission_id as suivi_id,
    dossier as dossier_uuid,
    if(bureau_code in (select bureau_code from marts.dim_bureau), bureau_code, null) as bureau_code,
    date_suivi,
    canal_suivi as canal,

    joint,
    consent_maintenu,
    decision,
    try_cast(sat_bureau as integer) as sat_bureau,
    try_cast(sat_institution as integer) as sat_institution,
    respect,
    plainte,
    echeance as echeance_date,
    submitted_at
from suivis
