-- One row per activity or project that went further back than where it was.
with avancements as (
    select activite_id as submission_id, activite_code as code, mois_date as jour, avancement_pct
    from marts.fct_activite
    union all
    select osc_suivi_id, projet_code, date_suivi, avancement_pct
    from marts.fct_osc_suivi
)

select submission_id, 'avancement' as detail
from avancements
where code is not null and avancement_pct is not null
qualify avancement_pct < lag(avancement_pct) over (partition by code order by jour)
