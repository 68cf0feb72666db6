-- One row per visit with consent but without a case: counted as a visit, never as a person.
select visite_id as submission_id, 'dossier_uuid' as detail
from marts.fct_visite
where consent_dossier = 'oui' and dossier_uuid is null
