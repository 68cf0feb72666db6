-- One row per activity of the action plan.
select
    code as activite_code,
    nom_fr as activite_nom,
    nom_ar as activite_nom_ar,
    resultat,
    poids,
    debut_prevu_date,
    fin_prevue_date
from reference.plan_action
