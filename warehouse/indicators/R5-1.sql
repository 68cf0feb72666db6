-- One row per committee meeting in the calendar, at its planned date.
select
    comite_code as unit_id,
    date_prevue as event_date,
    coalesce(est_tenu and abs(date_diff('day', date_prevue, date_tenue)) <= 7, false) as in_numerator,
    comite_id as source_id,

    type_comite,
    province
from marts.fct_comite
