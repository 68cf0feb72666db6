-- The 33 figures of the whole project as a hurried analyst would write them: one value each, no disaggregation.

-- IMP-1
select 100.0 * count(*) filter (niveau >= 3) / nullif((select count(*) from marts.dim_collectivite), 0)
from (
    select collectivite_code, arg_max(niveau_integration, date_rel) as niveau from marts.fct_relation
    where type_relation = 'planification' and collectivite_code is not null and date_rel <= $fin
    group by collectivite_code
);

-- IMP-2
select sum((score_acces + score_accueil + score_participation) / 3 * nb_votants) / nullif(sum(nb_votants), 0)
from marts.fct_seance where type_espace = 'groupe_temoin' and date_seance between $debut and $fin;

-- OC1-1
with orientees as (
    select dossier_uuid, service, min(date_visite) as jour from marts.fct_orientation
    where reponse in ('oriente', 'accompagne') and dossier_uuid is not null
    group by dossier_uuid, service
),

resultats as (
    select dossier_uuid, service, arg_max(issue, date_suivi) as issue from marts.fct_issue
    where date_suivi <= $fin
    group by dossier_uuid, service
)

select 100.0 * count(*) filter (issue in ('obtenu', 'partiel')) / nullif(count(*), 0)
from orientees left join resultats using (dossier_uuid, service)
where jour <= $fin - 60;

-- OC1-2
select avg(sat_bureau) from marts.fct_suivi where date_suivi between $debut and $fin;

-- OC2-1
select sum(apport_diaspora + apport_local) / nullif(sum(subvention), 0)
from (
    from marts.fct_osc_suivi
    where a_projet and statut_projet in ('contractualise', 'en_cours', 'termine') and date_suivi <= $fin
    qualify row_number() over (partition by projet_code order by date_suivi desc) = 1
);

-- OC3-1
select avg((note_apres - note_avant) / (20 - note_avant)) from marts.fct_participant
where note_apres is not null and note_avant < 20 and date_debut between $debut and $fin;

-- OC3-2
select arg_max(niveau_integration, date_rel) >= 3 and arg_max(a_service_dedie, date_rel) from marts.fct_relation
where type_relation = 'planification' and doc_planif = 'pdr' and date_rel <= $fin;

-- OC4-1
select count(distinct code)
from (select unnest(enseignement_codes) as code from marts.fct_com where est_repris and date_com <= $fin);

-- R1-1
select count(*)
from (
    select arg_max(statut_bureau, date_controle) as statut, arg_max(score, date_controle) as score
    from marts.fct_controle_bureau where date_controle <= $fin
    group by bureau_code
)
where statut = 'actif' and score >= 70;

-- R1-2
select count(*) from marts.fct_visite where date_visite between $debut and $fin;

-- R1-3
select count(distinct dossier_uuid) from marts.fct_visite where date_visite between $debut and $fin;

-- R1-4
select
    100.0 * count(distinct dossier_uuid) filter (sexe = 'femme')
    / nullif(count(distinct dossier_uuid) filter (sexe in ('femme', 'homme')), 0)
from marts.fct_visite where date_visite between $debut and $fin;

-- R1-5
with orientees as (
    select dossier_uuid, min(date_visite) as jour from marts.fct_orientation
    where reponse in ('oriente', 'accompagne', 'attente') and dossier_uuid is not null
        and date_visite between $debut and $fin - 30
    group by dossier_uuid
)

select
    100.0 * count(*) filter (
        exists (
            from marts.fct_suivi as suivi
            where suivi.dossier_uuid = orientees.dossier_uuid
                and suivi.date_suivi between orientees.jour and orientees.jour + 30
        )
    ) / nullif(count(*), 0)
from orientees;

-- R1-6
select avg(score)
from (
    select arg_max(score, date_controle) as score from marts.fct_controle_bureau
    where date_controle <= $fin
    group by bureau_code
);

-- R2-1
select count(distinct osc_code) from marts.fct_osc_suivi
where (len(appuis) > 0 or a_projet) and date_suivi between $debut and $fin;

-- R2-2
select count(distinct projet_code) from marts.fct_osc_suivi
where statut_projet in ('contractualise', 'en_cours', 'termine') and date_suivi <= $fin;

-- R2-3
select sum(avancement_pct * budget_total) / nullif(sum(budget_total), 0)
from (
    from marts.fct_osc_suivi
    where a_projet and statut_projet in ('contractualise', 'en_cours', 'termine') and date_suivi <= $fin
    qualify row_number() over (partition by projet_code order by date_suivi desc) = 1
);

-- R3-1
select count(distinct evenement_code) from marts.fct_evenement where date_debut between $debut and $fin;

-- R3-2
select count(distinct participant_id) from marts.fct_participant
where type_evt = 'formation' and date_debut between $debut and $fin;

-- R3-3
select 100.0 * count(*) filter (note_apres - note_avant >= 4) / nullif(count(*), 0) from marts.fct_participant
where note_avant is not null and note_apres is not null and date_debut between $debut and $fin;

-- R3-4
select count(distinct convention_ref) from marts.fct_relation where type_relation = 'convention' and date_rel <= $fin;

-- R4-1
select count(*) from marts.fct_seance
where type_espace in ('atelier', 'groupe_temoin') and date_seance between $debut and $fin;

-- R4-2
select count(*) from marts.fct_entretien
where consent = 'oui' and (a_texte or qualite_audio in ('bonne', 'moyenne'))
    and date_entretien between $debut and $fin;

-- R4-3
select 100.0 * sum(nb_presents) / nullif(sum(nb_prevus), 0) from marts.fct_seance
where type_espace = 'groupe_temoin' and date_seance between $debut and $fin;

-- R4-4
select count(distinct code)
from (select unnest(enseignement_codes) as code from marts.fct_com where a_partage and date_com <= $fin);

-- R5-1
select 100.0 * count(*) filter (est_tenu and abs(date_tenue - date_prevue) <= 7) / nullif(count(*), 0)
from marts.fct_comite where date_prevue between $debut and $fin;

-- R5-2
with revues as (
    select decision_code, arg_max(statut_decision, revue_date) as statut, max(execution_date) as jour
    from marts.fct_decision_suivi where revue_date <= $fin
    group by decision_code
)

select 100.0 * count(*) filter (statut = 'faite' and jour <= decision_echeance_date) / nullif(count(*), 0)
from marts.fct_decision left join revues using (decision_code)
where decision_echeance_date between $debut and $fin and coalesce(statut, '') <> 'annulee';

-- R5-3
with avancements as (
    select activite_code, arg_max(if(statut_activite = 'annulee', 0, avancement_pct), mois_date) as avancement
    from marts.fct_activite where mois_date <= $fin
    group by activite_code
)

select sum(poids * coalesce(avancement, 0)) / nullif(sum(poids), 0)
from marts.dim_activite left join avancements using (activite_code);

-- R5-4
select 100.0 * count(*) filter (est_remis and remise_date <= livrable_du_date) / nullif(count(*), 0)
from marts.fct_livrable where livrable_du_date between $debut and $fin;

-- R5-5
select
    100.0 * count(*) filter (est_conforme and (livrable_du_date > $fin or est_livrable_valide))
    / nullif(count(*), 0)
from marts.fct_consultation where a_contrat;

-- R5-6
select 100.0 * count(*) filter (est_conforme) / nullif(count(*), 0)
from marts.fct_com where date_com between $debut and $fin;

-- R5-7
select 100.0 * sum(nb_pieces_conformes) / nullif(sum(nb_pieces_attendues), 0)
from marts.fct_activite where mois_date between $debut and $fin;

-- R5-8
select count(*) from marts.fct_relation
where type_relation in ('mobilisation', 'concertation', 'representation') and date_rel between $debut and $fin;
