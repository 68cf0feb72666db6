-- One row per expected office without a visit for more than fourteen open days before the latest visit of all.
with jours as (
    select max(submitted_at)::date as dernier_jour from marts.fct_visite
),

bureaux as (
    select
        bureau.bureau_code,
        arg_max(visite.visite_id, (visite.date_visite, visite.visite_id)) as submission_id,
        coalesce(max(visite.date_visite), any_value(bureau.attendu_depuis_date)) as depuis_date
    from marts.dim_bureau as bureau
    left join marts.fct_visite as visite using (bureau_code)
    where bureau.fermeture_date is null
    group by bureau.bureau_code
)

select submission_id, bureau_code as detail
from bureaux, jours
where len(list_filter(range(depuis_date + 1, dernier_jour + 1, interval 1 day), lambda jour: isodow(jour) < 6)) > 14
