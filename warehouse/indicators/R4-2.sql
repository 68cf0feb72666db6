-- One row per interview that can be used: agreed to, and written down or audible.
select
    entretien_id as unit_id,
    date_entretien as event_date,
    entretien_id as source_id,

    type_acteur,
    sexe,
    tranche_age as age,
    province,
    themes as theme
from marts.fct_entretien
where consent = 'oui'
    and (a_texte or qualite_audio in ('bonne', 'moyenne'))
