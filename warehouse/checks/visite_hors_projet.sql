-- One row per visit dated before offices existed, or without a date.
select submission_id, 'date_visite' as detail
from staging.tpm_visite
where date_visite is null or date_visite < date '2020-10-01'
