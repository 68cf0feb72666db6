-- One row per state of an orientation (case × service): at sixty days, then at each later outcome.
with premieres as (
    select
        dossier_uuid,
        service,
        min(date_visite) + 60 as jugee_date,
        arg_min({'visite_id': visite_id, 'institution': institution}, {'jour': date_visite, 'visite': visite_id})
            as premiere
    from marts.fct_orientation
    where reponse in ('oriente', 'accompagne') and dossier_uuid is not null and date_visite is not null
    group by dossier_uuid, service
),

orientations as (
    -- The profile is the person's at that visit: a later one would restate the past.
    select
        premieres.dossier_uuid,
        premieres.service,
        premieres.jugee_date,
        premieres.premiere.visite_id as visite_id,
        premieres.premiere.institution as institution,
        visite.groupe_cat as groupe,
        visite.sexe,
        visite.bureau_code as bureau
    from premieres
    left join marts.fct_visite as visite on visite.visite_id = premieres.premiere.visite_id
),

resultats as (
    select
        dossier_uuid,
        service,
        date_suivi,
        arg_max(
            {'issue': issue, 'suivi_id': suivi_id}, {'received': submitted_at, 'suivi': suivi_id, 'rang': rang}
        ) as dernier
    from marts.fct_issue
    where issue is not null and date_suivi is not null
    group by dossier_uuid, service, date_suivi
),

etats as (
    select orientations.*, orientations.jugee_date as event_date, resultats.dernier
    from orientations
    asof left join resultats
        on resultats.dossier_uuid = orientations.dossier_uuid
        and resultats.service = orientations.service
        and resultats.date_suivi <= orientations.jugee_date
    union all
    select orientations.*, resultats.date_suivi, resultats.dernier
    from orientations
    join resultats using (dossier_uuid, service)
    where resultats.date_suivi > orientations.jugee_date
)

select
    dossier_uuid || ' ' || service as unit_id,
    event_date,
    event_date as recorded,
    coalesce(dernier.issue in ('obtenu', 'partiel'), false) as in_numerator,
    coalesce(dernier.suivi_id, visite_id) as source_id,

    service,
    institution,
    groupe,
    sexe,
    bureau
from etats
