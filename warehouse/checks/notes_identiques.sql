-- One row per training whose participants all have the same scores, before and after.
select evenement_id as submission_id, 'p_pre · p_post' as detail
from marts.fct_participant
where note_avant is not null and note_apres is not null
group by evenement_id
having count(*) >= 3 and count(distinct (note_avant, note_apres)) = 1
