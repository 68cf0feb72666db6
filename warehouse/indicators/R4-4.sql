-- One row per lesson and communication action that shared it.
with partages as (
    select *, unnest(list_distinct(enseignement_codes)) as enseignement_code
    from marts.fct_com
    where a_partage
)

select
    enseignement_code as unit_id,
    date_com as event_date,
    com_id as source_id,

    destinataires as destinataire,
    langues_com as langue
from partages
where enseignement_code <> ''
