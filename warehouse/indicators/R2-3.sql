-- One row per follow-up of a contracted project: the budget spent on what is done, and the whole budget.
select
    projet_code as unit_id,
    date_suivi as event_date,
    {'received': submitted_at, 'suivi': osc_suivi_id} as recorded,
    avancement_pct / 100 * budget_total as value,
    budget_total as weight,
    osc_suivi_id as source_id,

    domaine_projet as domaine,
    osc_code as osc,
    forme_osc,
    province
from marts.fct_osc_suivi
where a_projet
    and projet_code is not null
    and statut_projet in ('contractualise', 'en_cours', 'termine')
    and avancement_pct + budget_total is not null
