from collections import defaultdict

import pytest

from tests.demo.rows import of
from tpm_pipeline.demo import partnerships, places
from tpm_pipeline.demo.cases import Answers, Event


@pytest.fixture
def relations(events: list[Event]) -> list[Answers]:
    return of(events, partnerships.FORM)


def test_an_agreement_has_a_reference_of_its_own(relations: list[Answers]) -> None:
    refs = [each["ref_conv"] for each in relations if each["type_relation"] == "convention"]
    assert len(set(refs)) == len(refs) == 18


def test_a_commune_is_named_by_its_code_in_its_province(relations: list[Answers]) -> None:
    provinces = {row["name"]: row["province"] for row in places.rows("communes")}
    communes = [each for each in relations if each["type_partenaire"] == "commune"]
    assert len({each["commune"] for each in communes}) == len(partnerships.communes()) == 12
    assert all(provinces[str(each["commune"])] == each["province"] for each in communes)


def test_migration_never_leaves_a_document_it_has_entered(relations: list[Answers]) -> None:
    levels: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for each in sorted(relations, key=lambda each: str(each["date_rel"])):
        if each["type_relation"] == "planification":
            levels[each["doc"], each["nom_partenaire"]].append(int(str(each["niveau"])))
            assert (each["budget_inscrit"] != "") == (int(str(each["niveau"])) >= 3)
    assert {doc for doc, _ in levels} == {"pdr", "pdp", "pac"}
    assert all(observed == sorted(observed) for observed in levels.values())


def test_the_region_has_a_service_of_its_own(relations: list[Answers]) -> None:
    regional = [each for each in relations if each.get("doc") == "pdr"]
    assert [each["service_dedie"] for each in regional] == ["oui"] * 3


def test_each_kind_of_relation_asks_its_own_questions(relations: list[Answers]) -> None:
    for each in relations:
        assert (each.get("ref_conv") is not None) == (each["type_relation"] == "convention")
        assert (each.get("doc") is not None) == (each["type_relation"] == "planification")
