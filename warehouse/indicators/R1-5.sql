-- One row per case and day of referral, dated the thirtieth day after, when it can be judged.
with orientees as (
    select
        dossier_uuid,
        date_visite,
        arg_min(bureau_code, visite_id) as bureau_code,
        arg_min(groupe_cat, visite_id) as groupe_cat
    from marts.fct_visite
    where dossier_uuid is not null
        and visite_id in (
            select visite_id from marts.fct_orientation where reponse in ('oriente', 'accompagne', 'attente')
        )
    group by dossier_uuid, date_visite
)

select
    orientees.dossier_uuid as unit_id,
    orientees.date_visite + 30 as event_date,
    orientees.date_visite as recorded,
    exists (
        from marts.fct_suivi as suivi
        where suivi.dossier_uuid = orientees.dossier_uuid
            and suivi.date_suivi between orientees.date_visite and orientees.date_visite + 30
    ) as in_numerator,

    orientees.bureau_code as bureau,
    orientees.groupe_cat as groupe
from orientees
