-- One row per reception office.
select
    code_bureau as bureau_code,
    nom_fr as bureau_nom,
    nom_ar as bureau_nom_ar,
    code_commune as commune,
    province,
    public,
    attendu_depuis as attendu_depuis_date
from reference.bureaux
