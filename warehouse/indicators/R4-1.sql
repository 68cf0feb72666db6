-- One row per reflective workshop or session of the witness group.
select
    seance_id as unit_id,
    date_seance as event_date,
    seance_id as source_id,

    type_espace,
    province,
    themes as theme
from marts.fct_seance
where type_espace in ('atelier', 'groupe_temoin')
