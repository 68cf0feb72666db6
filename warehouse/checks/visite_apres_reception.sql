-- One row per visit dated more than a day after the server received it.
select submission_id, 'date_visite' as detail
from staging.tpm_visite
where date_visite > submitted_at::date + 1
