-- One row per follow-up of an organisation that tells of support received.
select
    osc_code as unit_id,
    date_suivi as event_date,
    osc_suivi_id as source_id,

    forme_osc,
    -- An organisation may be supported in several provinces.
    if(province is null, null, [province]) as province,
    appuis as theme
from marts.fct_osc_suivi
where len(appuis) > 0 or a_projet
