-- One row per follow-up of a case that no visit opened.
select suivi.suivi_id as submission_id, 'dossier' as detail
from marts.fct_suivi as suivi
anti join marts.dim_dossier as dossier using (dossier_uuid)
