-- One row per office and day on which the office registered something.
select
    bureau_code,
    date_visite as saisie_date,
    count(*) as nb_saisies
from (
    select bureau_code, date_visite from marts.fct_visite
    union all
    select bureau_code, date_suivi from marts.fct_suivi
)
where bureau_code is not null and date_visite is not null
group by bureau_code, saisie_date
