"""Every type of question, with awkward answers, against another client and against what was sent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.servers.answers import Answers, of_row, of_xml, written
from tests.servers.every_type import ANSWERS, REPEATS, SUBMISSIONS, every_type, odd_names, submission
from tests.servers.site import Site
from tests.servers.test_against_pyodk import pyodk_rows
from tests.servers.visits import new_id
from tests.warehouse.lab import Lab
from tpm_pipeline.records import CompiledForm
from tpm_pipeline.warehouse import db, raw

FORM, ODD = "tous_types", "noms_rares"
NUMBERS = re.compile(r"entier|nombre|gamme|gamme_fine|depart|suivi_lieu|point|trace|zone|.*/ou")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with db.memory() as connection:
        raw.create(connection)
        yield Lab(connection, tmp_path)


def sent(site: Site, form: CompiledForm, submissions: Sequence[Mapping[str, Any]]) -> dict[str, bytes]:
    """The XML that was sent, by identifier."""
    site.server.deploy([form])
    ids = [new_id() for _ in submissions]
    xmls = {one: written(form.form_id, answers, instance=one) for one, answers in zip(ids, submissions, strict=True)}
    site.submit(*xmls.values())
    return xmls


def staged(site: Site, lab: Lab, form_id: str) -> None:
    server = site.server
    raw.store_versions(lab.connection, server.name, server.versions(form_id))
    raw.store(lab.connection, server.name, form_id, server.dialect, server.pull(form_id, None, lab.folder))
    lab.stage(form_id)


def readings(answers: Answers) -> dict[str, Any]:
    """The answers with numbers as numbers, and an offset of whole hours as Central completes it."""
    return {
        place: [float(part) for part in re.split(r";? ", text)]
        if NUMBERS.fullmatch(place)
        else re.sub(r"(?<=T..:..:..\.000[+-]..)$", ":00", text)
        for place, text in answers.items()
    }


def differing(ours: Answers, theirs: Answers) -> dict[str, tuple[str | None, str | None]]:
    """What two readings do not say alike."""
    places = sorted(place for place in {*ours, *theirs} if ours.get(place) != theirs.get(place))
    return {place: (ours.get(place), theirs.get(place)) for place in places}


def test_another_client_and_our_pull_agree_on_every_type_but_where_odata_rounds(
    real_central: Site, tmp_path: Path
) -> None:
    xmls = sent(real_central, every_type(), [*map(submission, range(SUBMISSIONS))])
    theirs = pyodk_rows(real_central, FORM, tmp_path)
    ours, _ = real_central.pull(form_id=FORM)

    assert [row["__id"] for row in ours] == [row["__id"] for row in theirs] == [*xmls][::-1]
    for row in ours:
        assert readings(of_row(row)) == readings(of_xml(xmls[row["__id"]], REPEATS))
    found = {
        SUBMISSIONS - 1 - n: differing(of_row(our), of_row(their))
        for n, our, their in zip(count(), ours, theirs, strict=False)
        if our != their
    }
    assert found == {
        # Read again for a number of 16 signs: what it says is the same, as the phone wrote it.
        6: {"entier": ("9007199254740993", "9007199254740992"), "nombre": ("00.5", "0.5")},
    }


def test_a_row_read_from_its_xml_says_every_answer_as_it_was_sent(real_central: Site) -> None:
    xmls = sent(real_central, every_type(), [submission(6)])

    ((row,), _) = real_central.pull(form_id=FORM)

    assert of_row(row) == of_xml(xmls[row["__id"]], REPEATS)


@pytest.mark.parametrize("answers", [{}, submission(0), {"g_vide": {"jamais": ""}, "menages": [{}, {"membres": [{}]}]}])
def test_what_is_empty_is_empty_and_an_empty_iteration_counts(
    real_central: Site, tmp_path: Path, answers: dict[str, Any]
) -> None:
    xmls = sent(real_central, every_type(), [answers])
    theirs = pyodk_rows(real_central, FORM, tmp_path)

    ours, _ = real_central.pull(form_id=FORM)

    assert ours == theirs
    assert readings(of_row(ours[0])) == readings(of_xml(xmls[ours[0]["__id"]], REPEATS))


def test_a_phone_that_writes_meta_in_its_namespace_is_read_alike(real_central: Site, tmp_path: Path) -> None:
    plain = written(FORM, {"entier": "1"}).decode()
    namespaced = re.sub(r"<(/?)(meta|instanceID)>", r"<\1orx:\2>", plain)
    real_central.server.deploy([every_type()])
    real_central.submit(namespaced.replace("<data ", '<data xmlns:orx="http://openrosa.org/xforms" ').encode())

    ours, _ = real_central.pull(form_id=FORM)

    assert ours == pyodk_rows(real_central, FORM, tmp_path)
    assert ours[0]["meta"]["instanceID"] == ours[0]["__id"]


def test_a_repeat_of_ten_thousand_rows_comes_in_its_order(real_central: Site, tmp_path: Path, lab: Lab) -> None:
    homes = [{"chef": f"chef {n}", "membres": [{"age": str(n % 90)}] * (n % 3)} for n in range(10_000)]
    sent(real_central, every_type(), [{"menages": homes}, {"menages": homes[:1]}])
    theirs = pyodk_rows(real_central, FORM, tmp_path)

    ours, _ = real_central.pull(form_id=FORM)
    staged(real_central, lab, FORM)

    assert ours == theirs
    assert [home["chef"] for home in ours[1]["menages"]] == [home["chef"] for home in homes]
    largest = f"select position, chef from staging.{FORM}__menages where submission_id = ? order by position"
    found = lab.connection.execute(largest, [ours[1]["__id"]]).fetchall()
    assert found == [(n + 1, home["chef"]) for n, home in enumerate(homes)]


ODD_ANSWERS: Mapping[str, Any] = {
    "mot.cle": "un",
    "mot-cle": "deux",
    "mot_cle": "trois",
    "prénom": "Zoé",
    "âge": "7",
    "عمر": "٧",
    "Nom": "bas",
    "NOM": "HAUT",
    "_1er": "1",
    "a..b": "points",
    "g.lieu": {"entier-é": "12"},
    "ligne.é": [{"a-quand": "2026-11-02"}, {}, {"a-quand": "2026-11-03"}],
}


def test_names_that_odata_joins_or_rewrites_stay_apart_with_us(real_central: Site, tmp_path: Path) -> None:
    xmls = sent(real_central, odd_names(), [ODD_ANSWERS])
    (their,) = pyodk_rows(real_central, ODD, tmp_path)

    ((our,), _) = real_central.pull(form_id=ODD)

    assert of_row(our) == of_xml(xmls[our["__id"]], REPEATS)
    known = {"Nom", "NOM", "_1er", "mot_cle", "meta/instanceID"}
    assert {place: text for place, text in of_row(their).items() if place not in of_row(our)} == {
        "pr_nom": "Zoé",
        "__ge": "7",
        "__": "٧",
        "a_b": "points",
        "g_lieu/entier_": "12",
        "ligne_[]": "3",
        "ligne_[1]/a_quand": "2026-11-02",
        "ligne_[3]/a_quand": "2026-11-03",
    }
    assert their["mot_cle"] == "undeuxtrois"
    assert {*of_row(their)} & {*of_row(our)} == known


def test_odd_names_are_columns_and_tables(real_central: Site, lab: Lab) -> None:
    sent(real_central, odd_names(), [ODD_ANSWERS])

    staged(real_central, lab, ODD)

    (row,) = lab.rows(f"select * from staging.{ODD}")
    plain = {
        name: ODD_ANSWERS[name] for name in ("mot.cle", "mot-cle", "mot_cle", "prénom", "عمر", "Nom", "_1er", "a..b")
    }
    assert row.items() >= {**plain, "âge": 7, "entier-é": 12}.items()
    found = lab.rows(f'select position, "a-quand"::varchar as quand from staging."{ODD}__ligne.é" order by position')
    assert [(line["position"], line["quand"]) for line in found] == [(1, "2026-11-02"), (2, "2026-11-03")]


def test_each_type_is_a_typed_column(real_central: Site, lab: Lab) -> None:
    xmls = sent(real_central, every_type(), [*map(submission, range(SUBMISSIONS))])

    staged(real_central, lab, FORM)

    rows = {row["submission_id"]: row for row in lab.rows(f"select * from staging.{FORM}")}
    for n, one in enumerate(xmls):
        wanted = {name: pairs[n][1] if n < len(pairs) else None for name, pairs in ANSWERS.items()}
        assert {name: rows[one][name] for name in wanted} == wanted
    assert lab.misfits() == []
    assert "remarque" not in rows[one]


def test_repeats_three_deep_keep_every_position(real_central: Site, lab: Lab) -> None:
    sent(real_central, every_type(), [submission(4)])

    staged(real_central, lab, FORM)

    homes = [*enumerate(submission(4)["menages"], 1)]
    members = [(h, m, member) for h, home in homes for m, member in enumerate(home["membres"], 1)]
    papers = [(h, m, p, paper["sorte"]) for h, m, one in members for p, paper in enumerate(one["papiers"], 1)]
    assert asked(lab, "menages", "position, chef, ou.latitude") == [(h, home["chef"], 29.5) for h, home in homes]
    assert asked(lab, "membres", "position_menages, position, age") == [
        (h, m, int(one["age"])) for h, m, one in members
    ]
    assert asked(lab, "papiers", "position_menages, position_membres, position, sorte") == papers
    assert len(papers) == 20


def test_repeats_within_groups_and_groups_within_loops_have_their_columns(real_central: Site, lab: Lab) -> None:
    sent(real_central, every_type(), [submission(4)])

    staged(real_central, lab, FORM)

    assert asked(lab, "visites", "position, quand::varchar") == [(n, f"2026-11-0{n}") for n in range(1, 5)]
    assert asked(lab, "enfants", "position, prenom")[:3] == [(1, "enfant 0"), (2, "enfant 2"), (3, "enfant 3")]
    assert asked(lab, "jamais_lus", "count(*)") == [(0,)]
    columns = f"select premier, second, boucle__a__mot, boucle__c__mot from staging.{FORM}"
    assert lab.connection.execute(columns).fetchall() == [("n° 4", 4, "A", "C")]


def asked(lab: Lab, repeat: str, columns: str) -> list[tuple[Any, ...]]:
    return lab.connection.execute(f"select {columns} from staging.{FORM}__{repeat} order by all").fetchall()


@pytest.mark.parametrize(
    ("name", "text", "number"),
    [
        ("entier", "abc", None),
        ("entier", "NaN", None),
        ("entier", "٤٢", None),
        ("entier", "1 000", 1),
        ("entier", "1e3", 1),
        ("entier", "1.7", 1),
        ("nombre", "1,5", 1),
        ("nombre", "1.5 kg", 1.5),
        ("nombre", "Infinity", None),
        ("point", "30.5", None),
    ],
)
def test_a_number_that_is_none_is_what_odata_makes_of_it(
    real_central: Site, name: str, text: str, number: float | None
) -> None:
    """A known limit: no phone sends these, and only the submission's XML tells that they were sent."""
    sent(real_central, every_type(), [{name: text}])

    ((row,), _) = real_central.pull(form_id=FORM)

    assert row[name] == number
