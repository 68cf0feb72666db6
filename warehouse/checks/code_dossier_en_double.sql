-- One row per new case whose printed code is already carried by another case.
select submission_id, 'code_dossier' as detail
from staging.tpm_visite
where dossier_mode = 'nouveau' and code_dossier is not null
qualify count(distinct dossier_uuid) over (partition by code_dossier) > 1
