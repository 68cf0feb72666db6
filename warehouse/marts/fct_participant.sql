-- One row per person listed at a training or event.
with participants as (
    -- A key written twice in one list is one person, entered twice.
    select * from staging.tpm_formation__participants
    qualify row_number() over (
        partition by submission_id, coalesce(p_cle_pseudo, position::varchar) order by position
    ) = 1
)

select
    evenement.evenement_id,
    participants.position as rang,
    evenement.evenement_code,
    evenement.type_evt,
    evenement.date_debut,
    evenement.province,

    -- Initials, year and three digits, seen here only as a keyed pseudonym.
    participants.p_cle_pseudo as participant_id,
    participants.p_sexe as sexe,
    participants.p_age as tranche_age,
    participants.p_acteur as type_acteur,
    participants.p_jours as nb_demi_journees,
    participants.p_pre as note_avant,
    participants.p_post as note_apres,
    try_cast(participants.p_sat as integer) as satisfaction
from participants
join marts.fct_evenement as evenement on evenement.evenement_id = participants.submission_id
