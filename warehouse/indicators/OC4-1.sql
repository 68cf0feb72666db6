-- One row per lesson and communication action in which somebody's use of it is documented.
with repris as (
    select *, unnest(list_distinct(enseignement_codes)) as enseignement_code
    from marts.fct_com
    where a_partage and est_repris
)

select
    enseignement_code as unit_id,
    date_com as event_date,
    com_id as source_id,

    destinataires as destinataire
from repris
where enseignement_code <> ''
