-- One row per civil-society organisation, from the list kept by hand or from the form that registered it.
with nouvelles as (
    -- Two phones may give the same code while offline: the first to arrive keeps it.
    select osc_code as code_osc, osc_nom as nom_osc, forme_osc
    from staging.tpm_osc
    where osc_mode = 'nouvelle' and osc_code is not null and review_state <> 'rejected'
    qualify row_number() over (partition by osc_code order by submitted_at, submission_id) = 1
)

select code_osc as osc_code, nom_osc as osc_nom, forme_osc
from reference.osc
union all
select code_osc, nom_osc, forme_osc
from nouvelles
anti join reference.osc using (code_osc)
