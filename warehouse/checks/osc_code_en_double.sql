-- One row per new organisation whose code another one already carries.
select submission_id, 'osc_code_neuf' as detail
from staging.tpm_osc
where osc_mode = 'nouvelle' and osc_code is not null and review_state <> 'rejected'
qualify osc_code in (select code_osc from reference.osc)
    or row_number() over (partition by osc_code order by submitted_at, submission_id) > 1
