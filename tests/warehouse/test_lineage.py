"""Which questions a mart's column and a query read: shown, joined, filtered or sorted by, and no other."""

from pathlib import Path

import pytest

from tests.warehouse.lab import Lab
from tpm_pipeline.warehouse import graph, lineage
from tpm_pipeline.warehouse.lineage import Lineage

MARTS = {
    "visite": "with v as (select * from staging.v where etat <> 'rejected')\n"
    "select id as visite_id, sexe, jour, services, if(consent = 'oui', dossier, null) as dossier from v",
    "orientation": "select visite.visite_id, o.service, o.reponse, visite.jour from staging.o as o\n"
    "join marts.visite on visite.visite_id = o.id where list_contains(visite.services, o.service)",
}


@pytest.fixture
def marts(lab: Lab, tmp_path: Path) -> list[graph.Model]:
    lab.connection.execute("""
        create schema staging; create schema marts;
        create table staging.v (
            id varchar, etat varchar, sexe varchar, jour date, services varchar[], consent varchar, dossier varchar,
            age varchar);
        create table staging.o (id varchar, position integer, service varchar, reponse varchar);
    """)
    for name, sql in MARTS.items():
        (tmp_path / f"{name}.sql").write_text(f"-- One row per {name}.\n{sql}\n", encoding="utf-8")
    return graph.ordered(graph.read(lab.connection, "marts", tmp_path))


def reads(found: Lineage, name: str) -> set[str]:
    """The staging columns that a mart's column, or a query, reads."""
    return {".".join(column) for column, reach in found.reach.items() if name in (*reach.marts, *reach.queries)}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("visite.sexe", {"v.sexe", "v.etat"}),
        ("visite.visite_id", {"v.id", "v.etat"}),
        ("visite.dossier", {"v.dossier", "v.consent", "v.etat"}),
        ("orientation.reponse", {"o.reponse", "o.id", "o.service", "v.id", "v.services", "v.etat"}),
        ("orientation.jour", {"v.jour", "o.id", "o.service", "v.id", "v.services", "v.etat"}),
    ],
)
def test_a_mart_column_reads_what_it_shows_joins_and_filters_by(
    lab: Lab, marts: list[graph.Model], column: str, expected: set[str]
) -> None:
    assert reads(lineage.reached(lab.connection, marts, {}), column) == expected


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select count(*) from marts.visite", {"v.etat"}),
        ("select count(*) filter (sexe = 'femme') from marts.visite", {"v.sexe", "v.etat"}),
        ("select visite_id from marts.visite where sexe in ('femme', 'homme')", {"v.id", "v.sexe", "v.etat"}),
        ("select visite_id from marts.visite order by jour limit 1", {"v.id", "v.jour", "v.etat"}),
        (
            "select visite_id from marts.visite qualify row_number() over (partition by sexe order by jour) = 1",
            {"v.id", "v.sexe", "v.jour", "v.etat"},
        ),
        (
            "with v as (select * from marts.visite) select sexe from v where visite_id in (select visite_id from v)",
            {"v.sexe", "v.id", "v.etat"},
        ),
        (
            "select sexe from marts.visite as v where exists (from marts.orientation as o where o.jour = v.jour)",
            {"v.sexe", "v.jour", "v.etat", "v.id", "v.services", "o.id", "o.service"},
        ),
        ("select unnest(services) as service from marts.visite", {"v.services", "v.etat"}),
    ],
)
def test_a_query_reads_no_more_than_it_needs(lab: Lab, marts: list[graph.Model], sql: str, expected: set[str]) -> None:
    assert reads(lineage.reached(lab.connection, marts, {"Q": sql}), "Q") == expected


def test_a_question_nobody_reads_reaches_nothing(lab: Lab, marts: list[graph.Model]) -> None:
    assert ("v", "age") not in lineage.reached(lab.connection, marts, {}).reach


def test_what_does_not_bind_is_named(lab: Lab, marts: list[graph.Model]) -> None:
    lab.connection.execute("alter table staging.v drop column services")

    found = lineage.reached(lab.connection, marts, {"Q": "select reponse from marts.orientation"})

    assert found.unbound == ("marts.visite", "marts.orientation", "Q")
