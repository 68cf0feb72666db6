-- One row per service whose outcome was noted in a follow-up.
with resultats as (
    select * from staging.tpm_suivi__issues
)

select
    suivi.suivi_id,
    resultats.position as rang,
    suivi.dossier_uuid,
    suivi.bureau_code,
    suivi.date_suivi,

    resultats.i_service as service,
    resultats.i_issue as issue,
    resultats.i_institution as institution,
    resultats.i_date as resultat_date,
    resultats.i_action as action,
    suivi.submitted_at
from resultats
join marts.fct_suivi as suivi on suivi.suivi_id = resultats.submission_id
-- A phone copies the service from the case: it is believed only if it is one of ours.
where resultats.i_service in (select code from reference.choix where liste = 'service')
