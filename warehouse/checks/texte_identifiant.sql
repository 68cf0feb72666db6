-- One row per free text that holds what looks like a telephone or an identity-card number; the text itself is not shown.
with textes as (
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_visite on
        service_autre, observations
        into name question value texte
    )
    union all
    select submission_id, position, question, texte
    from (
        unpivot staging.tpm_visite__orientations on
        o_institution_autre
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_suivi on
        observations
        into name question value texte
    )
    union all
    select submission_id, position, question, texte
    from (
        unpivot staging.tpm_suivi__issues on
        i_obstacle_autre
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_entretien on
        t_accueil_notes, t_codev_notes, t_gouvernance_notes, t_coordination_notes, t_genre_notes,
        t_participation_notes, msc_recit, msc_preuve, observations
        into name question value texte
    )
    union all
    select submission_id, position, question, texte
    from (
        unpivot staging.tpm_entretien__enseignements on
        e_titre
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_atelier on
        synthese
        into name question value texte
    )
    union all
    select submission_id, position, question, texte
    from (
        unpivot staging.tpm_atelier__enseignements on
        e_titre
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_formation on
        intitule, consultant, bilan
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_osc on
        osc_nom_neuf, difficultes
        into name question value texte
    )
    union all
    select submission_id, position, question, texte
    from (
        unpivot staging.tpm_comite__decisions on
        d_texte, d_responsable
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_activite on
        appui_equipe, mesures
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_tdr on
        objet
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_com on
        titre, reprise
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_bureau on
        besoins
        into name question value texte
    )
    union all
    select submission_id, null as position, question, texte
    from (
        unpivot staging.tpm_partenariat on
        nom_partenaire, ref_conv, preuve, conclusions
        into name question value texte
    )
)

select submission_id, concat_ws(' · ', question, 'ligne ' || position) as detail
from textes
-- Nine figures and more, a Moroccan number written with spaces, one or two capitals then five or six figures.
where regexp_matches(texte, '\d{9,}|(\+212|00212|\b0)[ .-]?[5-7]([ .-]?\d){8}|\b[A-Z]{1,2}\d{5,6}\b')
