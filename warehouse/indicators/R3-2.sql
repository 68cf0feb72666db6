-- One row per person present at a training; a person is counted once a period.
select
    participant_id as unit_id,
    date_debut as event_date,
    {'evenement': evenement_id, 'rang': rang} as recorded,
    evenement_id as source_id,

    sexe,
    tranche_age as age,
    type_acteur,
    province
from marts.fct_participant
where type_evt = 'formation'
    -- Listed without having followed anything is not present.
    and coalesce(nb_demi_journees, 1) > 0
