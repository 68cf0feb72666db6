-- One row per visit that tells again, later, what another visit of the same case told of the same day.
with repetees as (
    select dossier_uuid, date_visite
    from marts.fct_visite
    where dossier_uuid is not null and date_visite is not null
    group by dossier_uuid, date_visite
    having count(*) > 1
)

select visite.visite_id as submission_id, 'dossier_uuid · date_visite · services' as detail
from marts.fct_visite as visite
join repetees using (dossier_uuid, date_visite)
qualify row_number() over (
    partition by dossier_uuid, date_visite, list_sort(visite.services) order by visite.submitted_at, visite.visite_id
) > 1
