-- One row per participant with a score below 0 or above 20.
select evenement_id as submission_id, 'participants · ligne ' || rang as detail
from marts.fct_participant
where not coalesce(note_avant between 0 and 20, true) or not coalesce(note_apres between 0 and 20, true)
