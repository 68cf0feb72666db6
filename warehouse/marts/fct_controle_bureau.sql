-- One row per office and day of check, as its latest form tells it.
with controles as (
    select * from staging.tpm_bureau
    where review_state <> 'rejected'
    qualify row_number() over (
        partition by coalesce(bureau_code, submission_id), date_controle order by submitted_at desc, submission_id desc
    ) = 1
)

select
    submission_id as controle_id,
    date_controle,
    if(bureau_code in (select code_bureau from reference.bureaux), bureau_code, null) as bureau_code,
    statut as statut_bureau,
    date_ouverture as ouverture_date,

    try_cast(score as integer) as score,
    k_convention = 'oui' as a_convention,
    k_agent = 'oui' as a_agent,
    k_horaires = 'oui' as a_horaires,
    k_confidentiel = 'oui' as a_espace_confidentiel,
    k_registre = 'oui' as a_registre,
    k_fiches = 'oui' as a_fiches,
    k_securite = 'oui' as a_donnees_protegees,
    k_accessible = 'oui' as est_accessible,
    k_budget = 'oui' as a_budget,

    equip_ok as equipements,
    jours_sem as nb_jours_semaine,
    nb_agents_f,
    nb_agents_h,
    nb_formes as nb_agents_formes,
    -- A position known to more than a hundred metres says nothing of the office.
    if(position.accuracy <= 100, position.latitude, null) as latitude,
    if(position.accuracy <= 100, position.longitude, null) as longitude,
    submitted_at
from controles
