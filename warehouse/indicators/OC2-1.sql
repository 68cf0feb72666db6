-- One row per follow-up of a contracted project with its money: what was raised, and the grant.
select
    projet_code as unit_id,
    date_suivi as event_date,
    {'received': submitted_at, 'suivi': osc_suivi_id} as recorded,
    apport_diaspora + apport_local as value,
    subvention as weight,
    osc_suivi_id as source_id,

    domaine_projet as domaine,
    province,
    forme_osc
from marts.fct_osc_suivi
where a_projet
    and projet_code is not null
    and statut_projet in ('contractualise', 'en_cours', 'termine')
    and apport_diaspora + apport_local + subvention is not null
