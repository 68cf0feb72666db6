-- One row per contracted consultancy when signed, then one when its deliverable is due.
with contrats as (
    select * from marts.fct_consultation where a_contrat
),

etats as (
    select *, contrat_date as event_date, 0 as etape, coalesce(est_conforme, false) as in_numerator
    from contrats
    where livrable_du_date > contrat_date or livrable_du_date is null
    union all
    select *, greatest(livrable_du_date, contrat_date), 1, coalesce(est_conforme and est_livrable_valide, false)
    from contrats
    where livrable_du_date is not null
)

select
    consultation_ref as unit_id,
    event_date,
    etape as recorded,
    in_numerator,
    consultation_id as source_id,

    type_consultation,
    procedure
from etats
