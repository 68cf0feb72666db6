-- One row per partner authority: the Region, provinces and communes.
select
    code as collectivite_code,
    type as type_collectivite,
    nom_fr as collectivite_nom,
    nom_ar as collectivite_nom_ar,
    province,
    code_commune as commune
from reference.collectivites
