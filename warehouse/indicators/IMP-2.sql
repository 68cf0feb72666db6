-- One row per session of the witness group with a vote, weighted by its voters.
select
    seance_id as unit_id,
    date_seance as event_date,
    (score_acces + score_accueil + score_participation) / 3 * nb_votants as value,
    nb_votants as weight,
    seance_id as source_id,

    num_seance::varchar as seance,
    province
from marts.fct_seance
where type_espace = 'groupe_temoin'
    and score_acces + score_accueil + score_participation + nb_votants is not null
