-- One row per check of an office that gave a score.
select
    controle.bureau_code as unit_id,
    controle.date_controle as event_date,
    {'received': controle.submitted_at, 'controle': controle.controle_id} as recorded,
    controle.score as value,
    controle.controle_id as source_id,

    bureau.province,
    -- The criteria the office meets, by the names of their columns in the mart.
    list_filter([
        if(controle.a_convention, 'a_convention', null),
        if(controle.a_agent, 'a_agent', null),
        if(controle.a_horaires, 'a_horaires', null),
        if(controle.a_espace_confidentiel, 'a_espace_confidentiel', null),
        if(controle.a_registre, 'a_registre', null),
        if(controle.a_fiches, 'a_fiches', null),
        if(controle.a_donnees_protegees, 'a_donnees_protegees', null),
        if(controle.est_accessible, 'est_accessible', null),
        if(controle.a_budget, 'a_budget', null)
    ], lambda critere: critere is not null) as critere
from marts.fct_controle_bureau as controle
left join marts.dim_bureau as bureau using (bureau_code)
where controle.bureau_code is not null and controle.score is not null
