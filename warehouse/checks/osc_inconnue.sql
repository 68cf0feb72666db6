-- One row per follow-up of an organisation that neither the list nor a form registered.
select suivi.submission_id, 'osc_code' as detail
from staging.tpm_osc as suivi
anti join marts.dim_osc as osc using (osc_code)
where suivi.review_state <> 'rejected'
