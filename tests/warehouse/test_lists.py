"""Entity lists rebuilt from answers: what is created, what holds, what does not count, and what cannot be asked."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.lab import Lab, Row, form
from tpm_pipeline.errors import WarehouseError
from tpm_pipeline.forms.entities import Declaration
from tpm_pipeline.records import FormVersion
from tpm_pipeline.warehouse import db, lists, raw

SURVEY = """
| type                   | name     | privacy     |
| date                   | vu_le    | quasi       |
| text                   | cas      | quasi       |
| text                   | mode     | public      |
| select_one lettre      | etat     | public      |
| select_multiple lettre | besoins  | public      |
| integer                | nombre   | public      |
| decimal                | montant  | public      |
| text                   | nom      | identifying |
| begin repeat           | visites  |             |
| text                   | v_lieu   | public      |
| end repeat             |          |             |
"""
DECLARED = Declaration(
    form_id="essai",
    list_name="cas",
    entity_id="${cas}",
    label="concat(${cas}, ' · ', ${vu_le})",
    create_if="${mode} = 'neuf'",
    update_if="${mode} != 'neuf' and not(${mode} = 'anonyme')",
    saved={"etat": "etat", "besoins": "besoins", "nombre": "nombre"},
    day="vu_le",
)
MONDAY, TUESDAY, WEDNESDAY = "2021-01-04", "2021-01-05", "2021-01-06"


@cache
def essai() -> FormVersion:
    return form(SURVEY)


def sent(number: int, *, cas: str = "c1", mode: str = "suite", review: str = "received", **answers: Any) -> Row:
    """A form that arrived as the given one."""
    given = {"cas": cas, "mode": mode, **answers}
    return Row(f"uuid:{9 - number}", given, submitted=f"2021-02-01T10:00:{number:02}.000Z", review=review)


def rebuilt(
    lab: Lab, *rows: Row, declared: Declaration = DECLARED, seed: Sequence[lists.Entity] = ()
) -> list[lists.Entity]:
    lab.deploy(essai())
    lab.store(*rows)
    lab.stage()
    return lists.rebuild(lab.connection, [declared], seed)


def test_a_form_creates_an_entity_and_another_updates_what_it_says(lab: Lab) -> None:
    first = sent(1, mode="neuf", vu_le=MONDAY, etat="a", besoins="b a", nombre="3")
    second = sent(2, vu_le=WEDNESDAY, etat="b")

    assert rebuilt(lab, first, second) == [
        {"name": "c1", "label": f"c1 · {WEDNESDAY}", "etat": "b", "besoins": "b a", "nombre": "3"}
    ]


def test_what_was_never_said_is_not_there(lab: Lab) -> None:
    assert rebuilt(lab, sent(1, mode="neuf", vu_le=MONDAY)) == [{"name": "c1", "label": f"c1 · {MONDAY}"}]


def test_an_update_of_what_is_not_there_does_nothing(lab: Lab) -> None:
    assert rebuilt(lab, sent(1, etat="a"), sent(2, cas="", mode="neuf")) == []


def test_a_form_that_neither_creates_nor_updates_says_nothing_of_what_it_names(lab: Lab) -> None:
    rows = [sent(1, mode="neuf", vu_le=MONDAY, etat="a"), sent(2, mode="anonyme", vu_le=TUESDAY, etat="b")]

    assert rebuilt(lab, *rows)[0]["etat"] == "a"


def test_a_phone_that_was_long_without_network_does_not_undo_what_happened_since(lab: Lab) -> None:
    opened = sent(1, mode="neuf", vu_le=MONDAY, etat="a")
    closed, late = sent(2, vu_le=WEDNESDAY, etat="b"), sent(3, vu_le=TUESDAY, etat="a", nombre="1")

    (case,) = rebuilt(lab, opened, closed, late)

    assert (case["etat"], case["nombre"], case["label"]) == ("b", "1", f"c1 · {WEDNESDAY}")


def test_of_one_day_what_arrived_last_holds_and_what_has_no_day_comes_before_all(lab: Lab) -> None:
    rows = [sent(1, mode="neuf", vu_le=MONDAY, etat="a"), sent(2, vu_le=MONDAY, etat="b"), sent(3, etat="a")]

    assert rebuilt(lab, *rows)[0]["etat"] == "b"


@pytest.mark.parametrize(
    "row",
    [sent(2, vu_le=TUESDAY, etat="b", review="rejected"), replace(sent(2, etat="b"), deleted="2021-02-02T10:00Z")],
)
def test_what_was_rejected_or_deleted_did_not_happen(lab: Lab, row: Row) -> None:
    opened = sent(1, mode="neuf", vu_le=MONDAY, etat="a")

    assert rebuilt(lab, opened, row)[0]["etat"] == "a"


def test_a_case_whose_first_form_was_deleted_is_gone_with_it(lab: Lab) -> None:
    opened = replace(sent(1, mode="neuf", vu_le=MONDAY), deleted="2021-02-02T10:00:00.000Z")

    assert rebuilt(lab, opened, sent(2, vu_le=TUESDAY, etat="b")) == []


def test_a_correction_holds_in_the_place_of_what_it_corrects(lab: Lab) -> None:
    opened = sent(1, mode="neuf", vu_le=MONDAY, etat="a", nombre="1")
    edited = replace(sent(1, mode="neuf", vu_le=MONDAY, etat="a", nombre="2"), instance_id="uuid:edit", review="edited")
    followed = sent(2, vu_le=MONDAY, etat="b")

    (case,) = rebuilt(lab, opened, followed, edited)

    assert (case["etat"], case["nombre"]) == ("b", "2")


def test_a_list_begins_with_its_rows_and_they_keep_what_no_form_says(lab: Lab) -> None:
    seed = [{"name": "c1", "label": "Premier", "lieu": "Tiznit", "etat": ""}, {"name": "c2", "label": "Deuxième"}]
    silent = replace(DECLARED, label="", update_if="true()", create_if="")

    found = rebuilt(lab, sent(1, vu_le=MONDAY, etat="a"), declared=silent, seed=seed)

    assert found == [{"name": "c1", "label": "Premier", "lieu": "Tiznit", "etat": "a"}, seed[1]]


DAYS = st.sampled_from([MONDAY, TUESDAY, WEDNESDAY])
TOLD = st.builds(
    lambda mode, day, etat, nombre: {"mode": mode, "vu_le": day, "etat": etat, "nombre": nombre},
    st.sampled_from(["neuf", "suite"]),
    DAYS,
    st.sampled_from(["a", "b", ""]),
    st.sampled_from(["1", "2", ""]),
)


@given(told=st.lists(TOLD, max_size=3, unique_by=lambda one: one["vu_le"]), order=st.permutations(range(3)))
@settings(max_examples=15, deadline=None)
def test_in_whatever_order_forms_arrive_the_list_is_the_same(
    told: list[dict[str, str]], order: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    def arriving(places: Sequence[int]) -> list[lists.Entity]:
        with db.memory() as connection:
            raw.create(connection)
            lab = Lab(connection, tmp_path_factory.mktemp("arriving"))
            rows = [sent(rank, **told[place]) for rank, place in enumerate(places, 1) if place < len(told)]
            return rebuilt(lab, *rows)

    by_day = sorted(told, key=lambda one: one["vu_le"])
    said = {name: [one[name] for one in by_day if one[name]] for name in ("etat", "nombre")}
    last = {name: values[-1] for name, values in said.items() if values}

    expected = [{"name": "c1", "label": f"c1 · {by_day[-1]['vu_le']}", **last}] if by_day else []
    created = any(one["mode"] == "neuf" for one in told)
    assert arriving(order) == arriving(range(3)) == (expected if created else [])


def test_without_the_forms_tables_there_is_no_list(lab: Lab) -> None:
    with db.memory() as empty, pytest.raises(WarehouseError, match=r"WH-050 .*tpm refresh"):
        lists.rebuild(empty, [DECLARED])

    rebuilt(lab)
    lab.deploy(form(SURVEY.replace(" etat    ", " etat_bis"), "2"))
    with pytest.raises(WarehouseError, match=r"WH-050 .*older than the forms"):
        lists.rebuild(lab.connection, [replace(DECLARED, saved={"etat": "etat_bis"})])


def test_a_question_that_no_phone_was_given_yet_waits_for_a_deployment(lab: Lab) -> None:
    with pytest.raises(WarehouseError, match=r"WH-050 .*essai.*no deployed version asks yet.*tpm deploy"):
        rebuilt(lab, declared=replace(DECLARED, saved={"p": "nouvelle"}))


@pytest.mark.parametrize("question", ["nom", "montant", "v_lieu"])
def test_what_a_phone_may_not_show_or_staging_does_not_keep_as_written_is_refused(lab: Lab, question: str) -> None:
    with pytest.raises(WarehouseError, match=rf"WH-051 .*essai, list cas.*{question}: "):
        rebuilt(lab, declared=replace(DECLARED, saved={"p": question}))


@pytest.mark.parametrize(
    "expression",
    ["", "${nom} = 'x'", "selected(${besoins}, 'a')", '${mode} = "neuf"', "${mode} = 1", "1); drop table x; --"],
)
def test_an_expression_that_sql_would_read_otherwise_is_refused(lab: Lab, expression: str) -> None:
    with pytest.raises(WarehouseError, match=r"WH-052 .*essai, list cas"):
        rebuilt(lab, declared=replace(DECLARED, entity_id=expression))
