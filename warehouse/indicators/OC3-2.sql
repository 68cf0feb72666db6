-- One row per observation of the regional development programme.
select
    'pdr' as unit_id,
    date_rel as event_date,
    {'received': submitted_at, 'relation': relation_id} as recorded,
    niveau_integration >= 3 and a_service_dedie as in_numerator,
    relation_id as source_id
from marts.fct_relation
where type_relation = 'planification'
    and doc_planif = 'pdr'
    and niveau_integration is not null
    and a_service_dedie is not null
