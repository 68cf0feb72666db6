-- One row per visit of an office that the reference table does not know.
select visite.visite_id as submission_id, coalesce(visite.bureau_code, 'vide') as detail
from marts.fct_visite as visite
anti join marts.dim_bureau as bureau using (bureau_code)
