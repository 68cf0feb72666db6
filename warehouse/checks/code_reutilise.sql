-- One row per submission replaced by a later one of the same code that speaks of another day or another kind.
with fiches as (
    select submission_id, submitted_at, 'code_evt' as question, code_evt as code, (date_debut, type_evt) as objet
    from staging.tpm_formation
    where review_state <> 'rejected'
    union all
    select submission_id, submitted_at, 'code_comite', code_comite, (date_prevue, type_comite)
    from staging.tpm_comite
    where review_state <> 'rejected'
    union all
    select submission_id, submitted_at, 'ref_tdr', ref_tdr, (null, type_consult)
    from staging.tpm_tdr
    where review_state <> 'rejected'
    union all
    select submission_id, submitted_at, 'ref_livrable', ref_livrable, (date_due, type_livrable)
    from staging.tpm_activite
    where review_state <> 'rejected' and objet = 'livrable'
),

suivies as (
    select *, lead(objet) over (partition by question, code order by submitted_at, submission_id) as suivant
    from fiches
    where code is not null
)

select submission_id, question as detail
from suivies
where suivant is not null and objet is distinct from suivant
