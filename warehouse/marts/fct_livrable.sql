-- One row per report or deliverable, as its latest form tells it.
with formulaires as (
    select *, date_trunc('month', periode)::date as mois_date
    from staging.tpm_activite
    where objet = 'livrable' and review_state <> 'rejected'
    qualify row_number() over (
        partition by coalesce(ref_livrable, submission_id)
        order by mois_date desc nulls last, submitted_at desc, submission_id desc
    ) = 1
)

select
    formulaires.submission_id as livrable_id,
    formulaires.ref_livrable as livrable_ref,
    formulaires.projet,
    formulaires.mois_date,
    activite.activite_code,
    formulaires.type_livrable,
    formulaires.date_due as livrable_du_date,
    formulaires.remis = 'oui' as est_remis,
    formulaires.date_remise as remise_date,
    formulaires.valide as validation,
    formulaires.submitted_at
from formulaires
left join marts.dim_activite as activite on activite.activite_code = formulaires.activite
