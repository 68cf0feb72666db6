-- One row per activity and month: supporting documents expected, and those in order.
select
    activite_id as unit_id,
    mois_date as event_date,
    nb_pieces_conformes as value,
    nb_pieces_attendues as weight,
    activite_id as source_id,

    activite_code as activite,
    resultat
from marts.fct_activite
where nb_pieces_conformes is not null and nb_pieces_attendues is not null
