-- One row per open case whose next contact was due more than fifteen days before the latest submission.
with contacts as (
    select visite_id as submission_id, dossier_uuid, date_visite as jour, submitted_at, echeance_date, null as decision
    from marts.fct_visite
    union all
    select suivi_id, dossier_uuid, date_suivi, submitted_at, echeance_date, decision
    from marts.fct_suivi
),

derniers as (
    select * from contacts
    where dossier_uuid is not null
    qualify row_number() over (
        partition by dossier_uuid order by jour desc nulls last, submitted_at desc, submission_id desc
    ) = 1
)

select submission_id, 'echeance' as detail
from derniers
where not starts_with(coalesce(decision, ''), 'clos_')
    and echeance_date < (select max(submitted_at)::date from contacts) - 15
