-- One row per training or event.
select
    evenement_code as unit_id,
    date_debut as event_date,
    evenement_id as source_id,

    type_evt as type_evenement,
    province,
    publics as public
from marts.fct_evenement
