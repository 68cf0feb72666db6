-- One row per answer left behind by a service that was unticked afterwards.
select reponses.submission_id, 'orientations · ligne ' || reponses.position as detail
from staging.tpm_visite__orientations as reponses
join marts.fct_visite as visite on visite.visite_id = reponses.submission_id
where not coalesce(list_contains(visite.services, reponses.o_service), false)
