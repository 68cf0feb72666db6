-- One row per participant written again in the list of the same event.
select submission_id, 'participants · ligne ' || position as detail
from staging.tpm_formation__participants
where p_cle_pseudo is not null
qualify row_number() over (partition by submission_id, p_cle_pseudo order by position) > 1
