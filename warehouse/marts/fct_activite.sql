-- One row per activity of the action plan and month, as its latest form tells it.
with formulaires as (
    -- A phone may send any day of the month it speaks of.
    select *, date_trunc('month', periode)::date as mois_date
    from staging.tpm_activite
    where objet = 'activite' and review_state <> 'rejected'
    qualify row_number() over (
        partition by coalesce(activite, submission_id), mois_date order by submitted_at desc, submission_id desc
    ) = 1
)

select
    formulaires.submission_id as activite_id,
    formulaires.projet,
    formulaires.mois_date,
    -- What a phone sent is believed only if it is in the plan.
    activite.activite_code,
    activite.resultat,

    formulaires.statut as statut_activite,
    formulaires.avancement as avancement_pct,
    formulaires.date_fin_reelle as fin_reelle_date,
    formulaires.motif as motif_retard,
    formulaires.engage as depense_engagee,
    formulaires.pieces_total as nb_pieces_attendues,
    formulaires.pieces_ok as nb_pieces_conformes,
    formulaires.submitted_at
from formulaires
left join marts.dim_activite as activite on activite.activite_code = formulaires.activite
