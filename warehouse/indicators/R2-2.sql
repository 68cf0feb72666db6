-- One row per co-development project, at the first follow-up that shows it under contract.
select
    projet_code as unit_id,
    date_suivi as event_date,
    osc_suivi_id as source_id,

    domaine_projet as domaine,
    province,
    forme_osc
from marts.fct_osc_suivi
where statut_projet in ('contractualise', 'en_cours', 'termine')
-- A project without its code stays, to be counted apart.
qualify row_number() over (
    partition by coalesce(projet_code, osc_suivi_id) order by date_suivi, submitted_at, osc_suivi_id
) = 1
