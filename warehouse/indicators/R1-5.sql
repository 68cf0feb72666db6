-- One row per case and day of referral, dated the thirtieth day after, when it can be judged.
with orientees as (
    select
        dossier_uuid,
        date_visite,
        arg_min({'visite_id': visite_id, 'bureau': bureau_code, 'groupe': groupe_cat}, visite_id) as premiere
    from marts.fct_visite
    where dossier_uuid is not null
        and visite_id in (
            select visite_id from marts.fct_orientation where reponse in ('oriente', 'accompagne', 'attente')
        )
    group by dossier_uuid, date_visite
),

suivies as (
    select distinct orientees.dossier_uuid, orientees.date_visite
    from orientees
    join marts.fct_suivi as suivi
        on suivi.dossier_uuid = orientees.dossier_uuid
        and suivi.date_suivi between orientees.date_visite and orientees.date_visite + 30
)

select
    orientees.dossier_uuid as unit_id,
    orientees.date_visite + 30 as event_date,
    orientees.date_visite as recorded,
    suivies.dossier_uuid is not null as in_numerator,
    orientees.premiere.visite_id as source_id,

    orientees.premiere.bureau,
    orientees.premiere.groupe
from orientees
left join suivies using (dossier_uuid, date_visite)
