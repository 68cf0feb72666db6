-- One row per authority at the project's start, then one per observation of a planning document of its own.
with observations as (
    select
        collectivite_code,
        date_rel,
        niveau_integration >= 3 as est_budgetee,
        relation_id,
        {'observee': true, 'received': submitted_at, 'relation': relation_id} as recorded
    from marts.fct_relation
    where type_relation = 'planification'
        and collectivite_code is not null
        and niveau_integration is not null
    union all
    -- An authority never observed counts among the partners, not among those that budgeted.
    select
        collectivite_code,
        date '2020-10-01',
        false,
        null,
        {'observee': false, 'received': null, 'relation': null}
    from marts.dim_collectivite
)

select
    observations.collectivite_code as unit_id,
    observations.date_rel as event_date,
    observations.recorded,
    observations.est_budgetee as in_numerator,
    observations.relation_id as source_id,

    collectivite.type_collectivite,
    collectivite.province
from observations
join marts.dim_collectivite as collectivite using (collectivite_code)
