-- One row per project whose contributions exceed its budget, or whose spending exceeds it by more than a tenth.
select osc_suivi_id as submission_id, if(depense > budget_total * 1.1, 'depense', 'budget_total') as detail
from marts.fct_osc_suivi
where coalesce(subvention, 0) + coalesce(apport_diaspora, 0) + coalesce(apport_local, 0) > budget_total
    or depense > budget_total * 1.1
