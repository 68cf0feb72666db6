-- One row per service answered in a visit.
with reponses as (
    select * from staging.tpm_visite__orientations
)

select
    visite.visite_id,
    reponses.position as rang,
    visite.dossier_uuid,
    visite.bureau_code,
    visite.date_visite,

    reponses.o_service as service,
    reponses.o_reponse as reponse,
    reponses.o_institution as institution,
    reponses.o_mode as mode,
    reponses.o_partage as partage,
    reponses.o_rdv as rdv_date,
    reponses.o_motif as motif
from reponses
join marts.fct_visite as visite on visite.visite_id = reponses.submission_id
-- A service unticked after its row was filled leaves a row behind: it was not asked for.
where list_contains(visite.services, reponses.o_service)
