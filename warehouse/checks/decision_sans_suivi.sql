-- One row per decision that no committee reviewed, though one was held after it was due.
select decision.comite_id as submission_id, 'decisions · ligne ' || decision.rang as detail
from marts.fct_decision as decision
anti join marts.fct_decision_suivi as suivi using (decision_code)
where decision.decision_echeance_date < (select max(date_tenue) from marts.fct_comite)
