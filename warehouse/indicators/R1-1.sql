-- One row per check of an office; the latest one says whether the office works.
select
    controle.bureau_code as unit_id,
    controle.date_controle as event_date,
    {'received': controle.submitted_at, 'controle': controle.controle_id} as recorded,
    coalesce(controle.statut_bureau = 'actif' and controle.score >= 70, false) as in_numerator,
    controle.controle_id as source_id,

    bureau.province,
    bureau.public
from marts.fct_controle_bureau as controle
left join marts.dim_bureau as bureau using (bureau_code)
