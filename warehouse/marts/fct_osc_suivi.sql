-- One row per organisation, project when it has one, and day of follow-up, as its latest form tells it.
with suivis as (
    select * from staging.tpm_osc
    where review_state <> 'rejected'
    qualify row_number() over (
        partition by coalesce(osc_code, submission_id), code_projet, date_suivi
        order by submitted_at desc, submission_id desc
    ) = 1
)

select
    suivis.submission_id as osc_suivi_id,
    suivis.projet,
    suivis.date_suivi,
    -- What a phone sent is believed only if it is one of our organisations; their form is said once, when registered.
    osc.osc_code,
    osc.forme_osc,
    suivis.province,
    if(suivis.commune in (select code_hcp from reference.communes), suivis.commune, null) as commune,
    suivis.appuis,

    suivis.a_projet = 'oui' as a_projet,
    suivis.code_projet as projet_code,
    suivis.domaine as domaine_projet,
    suivis.statut_projet,
    suivis.budget_total,
    suivis.subvention,
    suivis.apport_diaspora,
    suivis.apport_local,
    suivis.depense,
    suivis.avancement as avancement_pct,

    suivis.benef_f as nb_beneficiaires_f,
    suivis.benef_h as nb_beneficiaires_h,
    suivis.migrants_impliques as nb_migrants_impliques,
    suivis.feu,
    suivis.submitted_at
from suivis
left join marts.dim_osc as osc on osc.osc_code = suivis.osc_code
