-- One row per reception office.
with etats as (
    select
        bureau_code,
        date_controle,
        statut_bureau = 'ferme' as est_ferme,
        -- Checks of one day are told apart by their arrival.
        row_number() over (partition by bureau_code order by date_controle, submitted_at, controle_id) as rang
    from marts.fct_controle_bureau
    where date_controle is not null and statut_bureau is not null
),

ouverts as (
    select bureau_code, max(rang) as rang from etats where not est_ferme group by bureau_code
),

fermetures as (
    -- An office found closed is no longer expected from the first of the checks that did not find it open again.
    select etats.bureau_code, min(etats.date_controle) as fermeture_date
    from etats
    left join ouverts using (bureau_code)
    where etats.rang > coalesce(ouverts.rang, 0)
    group by etats.bureau_code
)

select
    bureau.code_bureau as bureau_code,
    bureau.nom_fr as bureau_nom,
    bureau.nom_ar as bureau_nom_ar,
    bureau.code_commune as commune,
    bureau.province,
    bureau.public,
    bureau.attendu_depuis as attendu_depuis_date,
    fermetures.fermeture_date
from reference.bureaux as bureau
left join fermetures on fermetures.bureau_code = bureau.code_bureau
