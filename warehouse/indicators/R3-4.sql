-- One row per agreement, at its first record.
select
    convention_ref as unit_id,
    date_rel as event_date,
    relation_id as source_id,

    type_partenaire,
    province
from marts.fct_relation
where type_relation = 'convention'
-- An agreement without its reference stays, to be counted apart.
qualify row_number() over (
    partition by coalesce(convention_ref, relation_id) order by date_rel, submitted_at, relation_id
) = 1
