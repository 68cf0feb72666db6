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


def shows(lab: Lab, folder: Path, *queries: str) -> list[str]:
    """The columns of the marts a, b … that are made of what was noted in a visit."""
    lab.connection.execute("create table staging.n (id varchar, note varchar, geo struct(lat double, lon double))")
    for name, sql in zip("ab", queries, strict=False):
        (folder / f"{name}.sql").write_text(f"-- One row per note.\n{sql}\n", encoding="utf-8")
    made = [model for model in graph.ordered(graph.read(lab.connection, "marts", folder)) if model.name in "ab"]
    found = lineage.shown(lab.connection, made, {("n", "note"), ("n", "geo")})
    return [f"{one.mart}.{one.column} {one.source[1]}" for one in found]


@pytest.mark.parametrize(
    "value",
    [
        "note",
        "coalesce(note, id)",
        "upper(trim(note))",
        "(select arg_max(note, id) from staging.n)",
        "{'dit': note, 'par': id}",
        "[note]",
        "if(note = 'a', 'b', 'c')",
        "(select max(note) from staging.n)",
        "list_transform([id], one -> one || note)",
    ],
)
def test_a_column_shows_what_its_values_are_made_of(lab: Lab, marts: list[graph.Model], value: str) -> None:
    assert shows(lab, marts[0].path.parent, f"select id, {value} as dit from staging.n") == ["a.dit note"]


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        (["select id, note as dit from staging.n where note is not null and id > 'a'"], ["a.dit note"]),
        (
            ["with n as (select * from staging.n), m as materialized (from n) select m.note as dit from m, n"],
            ["a.dit note"],
        ),
        (["select id from staging.n union select note from staging.n"], ["a.id note"]),
        (["select u.dit from staging.n, unnest([note]) as u(dit)"], ["a.dit note"]),
        (["select id, geo.lat as latitude from staging.n"], ["a.latitude geo"]),
        (["select note as a, id from staging.n", "select id, a as b from marts.a"], ["a.a note", "b.b note"]),
        (["select {'x': note, 'y': id} as s from staging.n", "select s.x as b from marts.a"], ["a.s note", "b.b note"]),
    ],
)
def test_no_name_and_no_detour_hides_what_a_column_shows(
    lab: Lab, marts: list[graph.Model], queries: list[str], expected: list[str]
) -> None:
    assert shows(lab, marts[0].path.parent, *queries) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "select distinct id from staging.n where note > 'a' order by note limit 3",
        "select n.id from staging.n as n join staging.v as v on v.sexe = n.note",
        "select id from staging.n as n where exists (from staging.n as m where m.note = n.note)",
        "select id from staging.n qualify row_number() over (partition by note) = 1",
        "with m as materialized (select distinct * from staging.n) select m.id, o.id as b from m join m as o on true",
        "select id, note is not null as a_note, count(*) filter (note is null) as nb_sans from staging.n group by all",
    ],
)
def test_what_chooses_rows_and_whether_there_is_an_answer_is_not_shown(
    lab: Lab, marts: list[graph.Model], sql: str
) -> None:
    assert shows(lab, marts[0].path.parent, sql) == []


def test_a_mart_that_does_not_bind_shows_nothing_nor_do_its_readers(lab: Lab, marts: list[graph.Model]) -> None:
    queries = "select absente, note from staging.n", "select note from marts.a"
    assert shows(lab, marts[0].path.parent, *queries) == []
