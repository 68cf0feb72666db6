"""The tables of the `indicators` schema, and the declarations that travel with the values."""

from tpm_pipeline.indicators import logframe, store
from tpm_pipeline.warehouse import db

FRAMEWORK = logframe.read()


def test_every_indicator_is_there_with_what_is_declared_of_it() -> None:
    with db.memory() as connection:
        store.create(connection, FRAMEWORK)
        found = db.rows(connection, "from indicators.indicateur")
    assert [row["code"] for row in found] == [one.code for one in FRAMEWORK.indicators]
    for row, one in zip(found, FRAMEWORK.indicators, strict=True):
        assert (row["nom_fr"], row["nom_ar"], row["nom_en"]) == (one.names.fr, one.names.ar, one.names.en)
        assert row["resultat_fr"] == FRAMEWORK.chain[one.result].fr
        assert (row["est_personnel"], row["est_publiable"], row["suivi"]) == (one.personal, True, one.reporting)
        assert row["limites_en"] == (one.limitations.en if one.limitations else None)
        assert row["reference"] == (one.baseline.value if one.baseline else None)
        assert row["lignes"] == [*one.lines]
        assert row["desagregations"] == [*one.disaggregation.dimensions]


def test_a_computation_starts_without_values() -> None:
    with db.memory() as connection:
        for _ in range(2):
            store.create(connection, FRAMEWORK)
        assert db.scalar(connection, "select count(*) from indicators.valeur") == 0
