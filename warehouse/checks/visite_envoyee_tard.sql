-- One row per visit that reached the server more than sixty days after its date.
select submission_id, 'date_visite' as detail
from staging.tpm_visite
where date_visite < submitted_at::date - 60
