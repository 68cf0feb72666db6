-- One row per record of an activity that the action plan does not hold.
select fiche.submission_id, 'activite' as detail
from staging.tpm_activite as fiche
anti join marts.dim_activite as activite on activite.activite_code = fiche.activite
where fiche.review_state <> 'rejected'
