-- One row per decision of a committee, as the latest form of its meeting tells it.
with decisions as (
    -- A form that was replaced takes its decisions with it: the one that replaces it tells the whole meeting.
    select comite.*, decisions.position as rang, decisions.d_code, decisions.d_echeance
    from staging.tpm_comite__decisions as decisions
    join marts.fct_comite as comite on comite.comite_id = decisions.submission_id
    where decisions.d_code is not null
    -- A code written again is the same decision, as it was first taken.
    qualify row_number() over (partition by decisions.d_code order by comite.date_tenue, comite.comite_id, rang) = 1
)

select
    comite_id,
    rang,
    d_code as decision_code,
    comite_code,
    type_comite,
    date_tenue as decision_date,
    d_echeance as decision_echeance_date
from decisions
