-- One row per state of an orientation (case × service): at sixty days, then at each later outcome.
with orientations as (
    select
        dossier_uuid,
        service,
        min(date_visite) + 60 as jugee_date,
        arg_min(institution, date_visite) as institution,
        arg_min(bureau_code, date_visite) as bureau_code
    from marts.fct_orientation
    where reponse in ('oriente', 'accompagne') and dossier_uuid is not null
    group by dossier_uuid, service
),

resultats as (
    select dossier_uuid, service, date_suivi, arg_max(issue, (submitted_at, suivi_id, rang)) as issue
    from marts.fct_issue
    group by dossier_uuid, service, date_suivi
),

etats as (
    select
        orientations.*,
        jugee_date as event_date,
        (
            select arg_max(issue, date_suivi) from resultats
            where resultats.dossier_uuid = orientations.dossier_uuid
                and resultats.service = orientations.service
                and resultats.date_suivi <= orientations.jugee_date
        ) as issue
    from orientations
    union all
    select orientations.*, resultats.date_suivi, resultats.issue
    from orientations
    join resultats using (dossier_uuid, service)
    where resultats.date_suivi > orientations.jugee_date
)

select
    etats.dossier_uuid || ' ' || etats.service as unit_id,
    etats.event_date,
    etats.event_date as recorded,
    coalesce(etats.issue in ('obtenu', 'partiel'), false) as in_numerator,

    etats.service,
    etats.institution,
    dossier.groupe_cat as groupe,
    dossier.sexe,
    etats.bureau_code as bureau
from etats
left join marts.dim_dossier as dossier using (dossier_uuid)
