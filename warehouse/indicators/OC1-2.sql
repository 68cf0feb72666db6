-- One row per follow-up in which the person rated the office.
with profils as (
    select
        dossier_uuid,
        date_visite,
        arg_max({'groupe': groupe_cat, 'sexe': sexe}, {'received': submitted_at, 'visite': visite_id}) as profil
    from marts.fct_visite
    where dossier_uuid is not null and date_visite is not null
    group by dossier_uuid, date_visite
)

select
    suivi.suivi_id as unit_id,
    suivi.date_suivi as event_date,
    suivi.sat_bureau as value,
    suivi.suivi_id as source_id,

    -- The person as they were at the follow-up.
    profils.profil.groupe as groupe,
    profils.profil.sexe as sexe,
    suivi.bureau_code as bureau
from marts.fct_suivi as suivi
asof left join profils
    on profils.dossier_uuid = suivi.dossier_uuid
    and profils.date_visite <= suivi.date_suivi
where suivi.sat_bureau is not null
