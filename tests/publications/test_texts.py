"""What the file says of tables and columns: in three languages, said once."""

from tpm_pipeline.publications import texts


def test_a_mart_s_column_is_described_by_the_warehouse_and_others_here() -> None:
    found = texts.read()
    sex, place = found.of_column("marts", "fct_visite", "sexe"), found.of_column("reference", "bureaux", "nom_ar")
    assert sex
    assert place
    assert (sex.fr, sex.liste) == ("Sexe déclaré.", "sexe")
    assert place.en == "Name in Arabic."
    assert found.of_column("reference", "bureaux", "sexe") is None


def test_a_table_is_described_with_its_source() -> None:
    found = texts.read()
    communes = found.of_table("reference", "communes")
    assert communes
    assert communes.fr.startswith("Une ligne par commune")
    assert found.of_table("reference", "agents") is None


def test_texts_are_in_three_languages() -> None:
    found = texts.read()
    described = [*found.own.items(), *found.columns.items(), *found.tables.items()]
    assert [name for name, text in described if not all(getattr(text, language) for language in texts.LANGUAGES)] == []


def test_labels_are_in_three_languages() -> None:
    declared = texts.labels()
    named = [
        *declared["dimensions"].values(),
        *(text for codes in declared["listes"].values() for text in codes.values()),
    ]
    named += [declared["yes"], declared["no"], declared["unknown"]["labels"], *declared["view"].values()]
    assert all({*texts.LANGUAGES} <= text.keys() and all(text.values()) for text in named)
