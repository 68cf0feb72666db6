-- One row per meeting, agreement or planning document with a partner that was not rejected.
with relations as (
    -- Names are typed in many ways: an authority is known by its kind and its territory.
    select *, case type_partenaire when 'region' then '' when 'province' then province when 'commune' then commune end
        as territoire
    from staging.tpm_partenariat
    where review_state <> 'rejected'
),

collectivites as (
    -- One authority for a kind and a territory, whatever the list says: a meeting is never counted twice.
    select
        min(collectivite_code) as collectivite_code,
        type_collectivite,
        case type_collectivite when 'region' then '' when 'province' then province else commune end as territoire
    from marts.dim_collectivite
    group by type_collectivite, territoire
)

select
    relations.submission_id as relation_id,
    relations.projet,
    relations.date_rel,
    relations.type_relation,
    relations.type_partenaire,
    relations.nom_partenaire as partenaire_nom,
    collectivites.collectivite_code,
    relations.province,
    if(relations.commune in (select code_hcp from reference.communes), relations.commune, null) as commune,
    relations.modalite,

    relations.ref_conv as convention_ref,
    relations.conv_fin as convention_fin_date,
    relations.conv_montant as convention_montant,

    relations.doc as doc_planif,
    try_cast(relations.niveau as integer) as niveau_integration,
    relations.budget_inscrit,
    relations.service_dedie = 'oui' as a_service_dedie,
    relations.prochaine as prochaine_etape_date,
    relations.submitted_at
from relations
left join collectivites
    on collectivites.type_collectivite = relations.type_partenaire
    and collectivites.territoire = relations.territoire
