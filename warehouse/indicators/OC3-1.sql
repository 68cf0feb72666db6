-- One row per participation with both marks, when there was something left to learn.
select
    evenement_id || ' ' || rang as unit_id,
    date_debut as event_date,
    (note_apres - note_avant) / (20 - note_avant) as value,
    evenement_id as source_id,

    sexe,
    tranche_age as age,
    type_acteur,
    evenement_code as formation,
    province
from marts.fct_participant
where note_apres is not null and note_avant < 20
