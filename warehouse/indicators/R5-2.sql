-- One row per decision that was not cancelled, at its due date.
with revues as (
    -- The latest review speaks, even held after the due date: it tells when the decision was carried out.
    select
        decision_code,
        arg_max(
            {'statut': statut_decision, 'execution_date': execution_date},
            {'jour': revue_date, 'comite': comite_id, 'rang': rang}
        ) as derniere
    from marts.fct_decision_suivi
    where statut_decision is not null and revue_date is not null
    group by decision_code
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
