-- One row per follow-up in which the person rated the office.
select
    suivi.suivi_id as unit_id,
    suivi.date_suivi as event_date,
    suivi.sat_bureau as value,

    dossier.groupe_cat as groupe,
    dossier.sexe,
    suivi.bureau_code as bureau
from marts.fct_suivi as suivi
left join marts.dim_dossier as dossier using (dossier_uuid)
where suivi.sat_bureau is not null
