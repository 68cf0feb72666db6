-- One row per lesson drawn from an interview or a session that was not rejected.
with enseignements as (
    select submission_id, position, e_titre, e_type, e_destinataires, 'tpm_entretien' as source
    from staging.tpm_entretien__enseignements
    union all
    select submission_id, position, e_titre, e_type, e_destinataires, 'tpm_atelier' as source
    from staging.tpm_atelier__enseignements
),

sources as (
    select entretien_id as source_id, date_entretien as date_source from marts.fct_entretien
    union all
    select seance_id as source_id, date_seance as date_source from marts.fct_seance
)

select
    sources.source_id,
    enseignements.position as rang,
    enseignements.source,
    sources.date_source,
    enseignements.e_type as type_enseignement,
    enseignements.e_destinataires as destinataires
from enseignements
join sources on sources.source_id = enseignements.submission_id
where enseignements.e_titre is not null
