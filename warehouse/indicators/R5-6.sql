-- One row per communication action.
select
    com_id as unit_id,
    date_com as event_date,
    coalesce(est_conforme, false) as in_numerator,
    com_id as source_id,

    type_com,
    langues_com as langue,
    destinataires as destinataire
from marts.fct_com
