-- One row per meeting with a partner.
select
    relation_id as unit_id,
    date_rel as event_date,
    relation_id as source_id,

    type_relation as objet,
    type_partenaire,
    province
from marts.fct_relation
where type_relation in ('mobilisation', 'concertation', 'representation')
