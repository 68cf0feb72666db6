-- One row per consultancy, as the form of its latest stage tells it.
with formulaires as (
    select * from staging.tpm_tdr
    where review_state <> 'rejected'
    qualify row_number() over (
        partition by coalesce(ref_tdr, submission_id) order by submitted_at desc, submission_id desc
    ) = 1
)

select
    submission_id as consultation_id,
    ref_tdr as consultation_ref,
    projet,
    type_consult as type_consultation,
    procedure,
    budget as budget_prevu,
    date_tdr as tdr_date,
    date_pub as publication_date,
    nb_offres,
    nb_recevables,
    conforme = '1' as est_conforme,

    contrat = 'oui' as a_contrat,
    date_contrat as contrat_date,
    montant,
    liv_due as livrable_du_date,
    liv_recu as livrable_recu_date,
    liv_qualite as livrable_note,
    liv_valide = 'oui' as est_livrable_valide,
    submitted_at
from formulaires
