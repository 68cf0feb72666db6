"""Codes that queries name: followed from the lists through any SELECT, and never a false alarm."""

import pytest

from tests.warehouse.lab import Lab, form
from tpm_pipeline.forms import schema
from tpm_pipeline.warehouse import codes, graph

SURVEY = """
| type                    | name    | privacy     |
| select_one lettre       | lettre  | public      |
| select_multiple lettre  | lettres | public      |
| select_one lettre       | secret  | identifying |
| text                    | texte   | public      |
| begin repeat            | lignes  |             |
| select_one lettre       | l_choix | public      |
| end repeat              |         |             |
"""
STAGING = codes.of_forms([schema.read(form(SURVEY).xform)])


def followed(lab: Lab, sql: str, **marts: str) -> list[tuple[str, str]]:
    """The codes no list has (lists here hold a and b), with the column they are compared with."""
    catalog = dict(STAGING)
    for name, query in marts.items():
        catalog[f"marts.{name}"], _ = codes.follow(graph.parsed(lab.connection, name, query), catalog)
    _, uses = codes.follow(graph.parsed(lab.connection, "x.sql", sql), catalog)
    return [(use.column, use.code) for use in codes.unlisted(uses)]


@pytest.mark.parametrize(
    "condition",
    [
        "lettre = 'z'",
        "'z' <> lettre",
        "lettre is distinct from 'z'",
        "lettre in ('a', 'z')",
        "lettre not in ('z', 'b')",
        "lettre in ['a', 'z']",
        "case lettre when 'z' then 1 end = 1",
        "case when lettre = 'z' then 1 end = 1",
        "if(lettre = 'z', 1, 0) = 1",
        "coalesce(lettre, 'b') = 'z'",
        "nullif(lettre, 'a') = 'z'",
        "lettre::varchar = 'z'",
        "exists (select 1 from staging.essai__lignes where lettre = 'z')",
        "submission_id in (select submission_id from staging.essai where lettre = 'z')",
        "(select max(lettre) from staging.essai) = 'z'",
        "e.lettre = 'z'",
    ],
)
def test_a_code_that_no_list_has_is_found(lab: Lab, condition: str) -> None:
    assert [code for _, code in followed(lab, f"select 1 from staging.essai as e where {condition}")] == ["z"]


@pytest.mark.parametrize(
    "condition",
    [
        "list_contains(lettres, 'z')",
        "'z' in lettres",
        "list_has_any(lettres, ['a', 'z'])",
        "lettres && ['z']",
        "list_position(lettres, 'z') > 0",
        "len(list_intersect(lettres, ['z'])) > 0",
    ],
)
def test_a_code_is_looked_for_in_a_list_of_answers(lab: Lab, condition: str) -> None:
    assert followed(lab, f"select 1 from staging.essai where {condition}") == [("lettres", "z")]


@pytest.mark.parametrize(
    "sql",
    [
        "select unnest(lettres) as x from staging.essai",
        "select lettre as x from staging.essai",
        "select any_value(lettre) as x from staging.essai",
        "select arg_max(lettre, (submission_id, 1)) as x from staging.essai",
        "select first_value(lettre) over (order by submission_id) as x from staging.essai",
        "select if(texte = 'q', lettre, null) as x from staging.essai",
        "select case when true then lettre else 'b' end as x from staging.essai",
        "select l_choix as x from staging.essai__lignes union all select lettre from staging.essai",
        "select x from (select lettre as x from staging.essai)",
        "select d.* from (select lettre as x from staging.essai) as d",
        "select * exclude (texte) from (select lettre as x, texte from staging.essai)",
        "select * replace (l_choix as x) from (select texte as x, l_choix from staging.essai__lignes, staging.essai)",
        "select (select min(lettre) from staging.essai) as x",
        "with e as (select * from staging.essai) select lettre as x from e join staging.essai__lignes using (server)",
        "from (select lettre as x from staging.essai)",
        "select arg_max({'l': lettre, 't': texte}, submission_id).l as x from staging.essai",
        "with s as (select max({'t': 1, 'l': lettre}) as d from staging.essai) select d.l as x from s",
        "with s as (select max({'t': 1, 'l': lettre}) as d from staging.essai) select s.d.l as x from s",
    ],
)
def test_a_column_is_followed_through_a_mart(lab: Lab, sql: str) -> None:
    assert followed(lab, "select 1 from marts.m where x = 'z' or x = 'a'", m=sql) == [("x", "z")]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1 from staging.essai where lettre in ('a', 'b') and list_contains(lettres, 'a')",
        "select 1 from staging.essai where texte = 'z' or secret_pseudo = 'z'",
        "select 1 from staging.essai where review_state <> 'rejected'",
        "select max({'l': texte, 'm': lettre}) as d from staging.essai having d.l = 'z'",
        "select 1 from staging.essai where contains(lettre, 'z') or lettre like 'z%'",
        "select 1 from staging.essai where lower(lettre) = 'z' or lettre || 'z' = 'zz'",
        "select 1 from reference.inconnue where lettre = 'z'",
        "select 1 from staging.essai, reference.inconnue as i where i.lettre = 'z'",
        "select coalesce(lettre, 'aucune') as lettre from staging.essai qualify lettre = 'aucune'",
        "select 1 from (select coalesce(lettre, 'aucune') as l from staging.essai) where l = 'aucune'",
        "select list_filter(['z'], lambda lettre: lettre = 'z') from staging.essai",
        "select 1 from (values ('z')) as v(lettre) where lettre = 'z'",
        "select 1 from staging.essai, unnest(['z']) as u(x) where x = 'z'",
        "with recursive r as (select 'a' as x union all select x || 'z' from r) select * from r where x = 'z'",
        "select 1 from (select lettre as x from staging.essai union all select texte from staging.essai) where x = 'z'",
        "select 1 from staging.essai where lettre is null or lettre = null",
        "select {'lettre': texte} as e from staging.essai where e.lettre = 'z'",
    ],
)
def test_what_cannot_be_known_is_no_alarm(lab: Lab, sql: str) -> None:
    assert followed(lab, sql) == []


def test_a_review_state_is_a_code_too(lab: Lab) -> None:
    assert followed(lab, "select 1 from staging.essai where review_state <> 'rejeted'") == [("review_state", "rejeted")]


def test_a_code_a_query_writes_itself_is_known(lab: Lab) -> None:
    mart = "select if(lettre = 'a', 'oui', 'non') as reponse from staging.essai"

    assert followed(lab, "select 1 from marts.m where reponse in ('oui', 'peut_etre')", m=mart) == [
        ("reponse", "peut_etre")
    ]


def test_a_use_names_the_list_that_is_followed(lab: Lab) -> None:
    tree = graph.parsed(lab.connection, "x.sql", "select 1 from staging.essai where lettre = 'a'")
    _, (use,) = codes.follow(tree, STAGING)

    assert (use.column, use.code) == ("lettre", "a")
    assert use.known == codes.Codes(frozenset({"lettre"}), frozenset({"a", "b"}))
