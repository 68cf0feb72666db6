-- One row per report or deliverable, at its due date.
select
    livrable_ref as unit_id,
    livrable_du_date as event_date,
    coalesce(est_remis and remise_date <= livrable_du_date, false) as in_numerator,
    livrable_id as source_id,

    type_livrable
from marts.fct_livrable
