-- One row per decision whose code was written before, or is not of its own meeting.
select decisions.submission_id, 'decisions · ligne ' || decisions.position as detail
from staging.tpm_comite__decisions as decisions
join marts.fct_comite as comite on comite.comite_id = decisions.submission_id
where decisions.d_code is not null
qualify row_number() over (
        partition by decisions.d_code order by comite.date_tenue, comite.comite_id, decisions.position
    ) > 1
    or not starts_with(decisions.d_code, comite.comite_code || '-')
