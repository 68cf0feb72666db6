"""Which table needs which: read from the SQL itself, ordered, and held to the layers' law."""

from pathlib import Path

import pytest

from tests.warehouse.lab import Lab
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.paths import WAREHOUSE
from tpm_pipeline.warehouse import graph


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", set()),
        ("from staging.a", {"staging.a"}),
        (
            "select * from staging.a as x join marts.b using (k) left join reference.c on true",
            {"staging.a", "marts.b", "reference.c"},
        ),
        ("with x as (select * from staging.a), y as (select * from x) select * from y", {"staging.a"}),
        ("with a as (select * from staging.a) select * from a", {"staging.a"}),
        (
            "with recursive n as (select 1 as i union all select i + 1 from n where i < 3) select * from n, staging.a",
            {"staging.a"},
        ),
        ("select (select max(d) from staging.a) as m from staging.b", {"staging.a", "staging.b"}),
        ("select * from staging.a where exists (from staging.b where b.k = a.k)", {"staging.a", "staging.b"}),
        ("select * from staging.a where k in (select k from marts.b)", {"staging.a", "marts.b"}),
        ("select * from (select * from staging.a union all select * from staging.b)", {"staging.a", "staging.b"}),
        (
            "select * from staging.a anti join marts.b using (k) semi join marts.c using (k)",
            {"staging.a", "marts.b", "marts.c"},
        ),
        ("select unnest(x) from staging.a, unnest([1, 2]) as u(i), range(3)", {"staging.a"}),
        ("select 'from raw.submission' as x -- from raw.submission\nfrom staging.a", {"staging.a"}),
        ('select * from "staging"."nom avec espace"', {"staging.nom avec espace"}),
    ],
)
def test_what_a_query_reads(lab: Lab, sql: str, expected: set[str]) -> None:
    assert graph.check_reads(lab.connection, "marts", "x.sql", sql) == expected


@pytest.mark.parametrize(
    ("schema", "sql", "named"),
    [
        ("marts", "select * from raw.submission", "raw.submission"),
        ("marts", "select * from raw.as_of(now())", "raw.as_of"),
        ("marts", "select * from indicators.valeur", "indicators.valeur"),
        ("marts", "select * from sans_schema", "sans_schema"),
        ("marts", "select * from 'fichier.csv'", "fichier.csv"),
        ("marts", "select * from read_csv('fichier.csv')", "read_csv"),
        ("marts", "select * from query_table('raw.submission')", "query_table"),
        ("marts", "with t as (select * from raw.submission) select * from t", "raw.submission"),
        ("indicators", "select * from marts.a where k in (from staging.b)", "staging.b"),
        ("indicators", "select * from indicators.valeur", "indicators.valeur"),
        ("checks", "select * from checks.constat", "checks.constat"),
    ],
)
def test_a_layer_reads_only_what_stands_below_it(lab: Lab, schema: str, sql: str, named: str) -> None:
    with pytest.raises(WarehouseError, match=r"WH-012 · x.sql") as caught:
        graph.check_reads(lab.connection, schema, "x.sql", sql)
    assert f"It reads {named}, which {schema} may not read." in str(caught.value)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("selec 1", "WH-011"),
        ("select * from", "WH-011"),
        ("create table x as select 1", "WH-011"),
        ("delete from staging.a", "WH-011"),
        ("select 1; select 2", "WH-014"),
        ("", "WH-014"),
    ],
)
def test_a_file_holds_one_select(lab: Lab, sql: str, code: str) -> None:
    with pytest.raises(WarehouseError, match=f"{code} · x.sql"):
        graph.check_reads(lab.connection, "marts", "x.sql", sql)


def write(folder: Path, **models: str) -> Path:
    for name, sql in models.items():
        (folder / f"{name}.sql").write_text(f"-- One row per {name}.\n{sql}\n", encoding="utf-8")
    return folder


def test_a_model_says_its_grain_first(lab: Lab, tmp_path: Path) -> None:
    (model,) = graph.read(lab.connection, "marts", write(tmp_path, visite="from staging.a"))
    assert (model.full_name, model.grain, model.reads) == (
        "marts.visite",
        "One row per visite.",
        frozenset({"staging.a"}),
    )
    (tmp_path / "visite.sql").write_text("select * from staging.a")
    with pytest.raises(WarehouseError, match=r"WH-010 · visite.sql.*grain"):
        graph.read(lab.connection, "marts", tmp_path)


def test_each_model_comes_after_those_it_reads(lab: Lab, tmp_path: Path) -> None:
    write(tmp_path, a="from marts.b, marts.c", b="from marts.d", c="from marts.b, staging.x", d="from staging.x")
    names = [model.name for model in graph.ordered(graph.read(lab.connection, "marts", tmp_path))]
    assert names.index("d") < names.index("b") < names.index("c") < names.index("a")


def test_models_in_a_circle_are_named(lab: Lab, tmp_path: Path) -> None:
    write(tmp_path, a="from marts.b", b="from marts.c", c="from marts.a")
    with pytest.raises(WarehouseError, match=r"WH-013 · marts.[abc] → marts.[abc] → marts.[abc] → marts.[abc]"):
        graph.ordered(graph.read(lab.connection, "marts", tmp_path))


def test_a_model_that_reads_itself_is_a_circle(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="WH-013"):
        graph.ordered(graph.read(lab.connection, "marts", write(tmp_path, a="from marts.a")))


def test_what_follows_from_a_table_is_found_through_others() -> None:
    reads = {"marts.a": {"staging.x"}, "marts.b": {"marts.a"}, "R1": {"marts.b"}, "R2": {"marts.c"}}
    known = {name: frozenset(tables) for name, tables in reads.items()}

    assert graph.downstream(known, "marts.a") == {"marts.b", "R1"}
    assert graph.downstream(known, "R1") == set()


@pytest.mark.parametrize("schema", ["marts", "checks", "indicators"])
def test_our_own_queries_obey(lab: Lab, schema: str) -> None:
    assert graph.read(lab.connection, schema, WAREHOUSE / schema)
