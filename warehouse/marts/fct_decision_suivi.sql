-- One row per review of an earlier decision at a later committee.
with revues as (
    select * from staging.tpm_comite__suivi_decisions
)

select
    comite.comite_id,
    revues.position as rang,
    revues.s_code as decision_code,
    comite.date_tenue as revue_date,
    revues.s_statut as statut_decision,
    revues.s_date as execution_date
from revues
join marts.fct_comite as comite on comite.comite_id = revues.submission_id
where revues.s_code is not null
