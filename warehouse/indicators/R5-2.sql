-- One row per decision that was not cancelled, at its due date.
with revues as (
    -- The latest review speaks, even held after the due date: it tells when the decision was carried out.
    select
        revue.decision_code,
        arg_max(
            {'statut': revue.statut_decision, 'execution_date': revue.execution_date},
            {'jour': revue.revue_date, 'received': comite.submitted_at, 'comite': revue.comite_id, 'rang': revue.rang}
        ) as derniere
    from marts.fct_decision_suivi as revue
    left join marts.fct_comite as comite using (comite_id)
    where revue.statut_decision is not null and revue.revue_date is not null
    group by revue.decision_code
)

select
    decision.decision_code as unit_id,
    decision.decision_echeance_date as event_date,
    coalesce(
        revues.derniere.statut = 'faite' and revues.derniere.execution_date <= decision.decision_echeance_date, false
    ) as in_numerator,
    decision.comite_id as source_id,

    decision.type_comite
from marts.fct_decision as decision
left join revues using (decision_code)
where revues.derniere.statut is distinct from 'annulee'
