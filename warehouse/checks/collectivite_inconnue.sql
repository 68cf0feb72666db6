-- One row per planning document of an authority that is not in the list: it counts in no indicator.
select relation_id as submission_id, 'type_partenaire · province · commune' as detail
from marts.fct_relation
where type_relation = 'planification' and collectivite_code is null
