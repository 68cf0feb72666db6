-- One row per visit of an office after the check that found it closed.
select visite.visite_id as submission_id, 'date_visite' as detail
from marts.fct_visite as visite
join marts.dim_bureau as bureau using (bureau_code)
where visite.date_visite > bureau.fermeture_date
