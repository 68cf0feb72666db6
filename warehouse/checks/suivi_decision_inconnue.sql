-- One row per review of a decision that no committee took.
select suivi.comite_id as submission_id, 'suivi_decisions · ligne ' || suivi.rang as detail
from marts.fct_decision_suivi as suivi
anti join marts.fct_decision as decision using (decision_code)
