-- One row per visit of an office that the reference table does not know.
select visite.submission_id, 'bureau_code' as detail
from staging.tpm_visite as visite
anti join marts.dim_bureau as bureau on bureau.bureau_code = visite.bureau_code
