-- One row per submission whose agent's code does not look like one: two to four capitals, then two figures.
with fiches as (
    select submission_id, agent_code as code, 'agent_code' as detail from staging.tpm_visite
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_suivi
    union all select submission_id, enqueteur_code, 'enqueteur_code' from staging.tpm_entretien
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_atelier
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_formation
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_osc
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_comite
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_activite
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_tdr
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_com
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_bureau
    union all select submission_id, agent_code, 'agent_code' from staging.tpm_partenariat
)

select submission_id, detail
from fiches
where not regexp_full_match(code, '[A-Z]{2,4}[0-9]{2}')
