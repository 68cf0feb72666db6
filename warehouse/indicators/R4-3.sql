-- One row per session of the witness group: members present, members invited.
select
    seance_id as unit_id,
    date_seance as event_date,
    nb_presents as value,
    nb_prevus as weight,
    seance_id as source_id,

    num_seance::varchar as seance,
    province
from marts.fct_seance
where type_espace = 'groupe_temoin'
    and nb_presents is not null
    and nb_prevus is not null
