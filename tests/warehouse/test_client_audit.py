"""The log of Collect: every cell of it in raw, and in staging nothing that tells who or where."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.lab import Lab, Row
from tpm_pipeline.records import Instance
from tpm_pipeline.warehouse import client_audit, staging

HEADING = "event,node,start,end,latitude,longitude,accuracy,old-value,new-value,user,change-reason"
LOG = f"""{HEADING}
form start,,1609840800000,,,,,,,,
question,/data/g/nom,1609840800500,1609840803000,30.42,-9.60,12,Amina,"Amina ""B"", dite
Mina",Latifa,"erreur, corrigée"
question,/data/orientations[2]/service,1609840803000,1609840804250,,,,,,,
group questions,/data/orientations[2],1609840804250,1609840805000,,,,,,,
form exit,,1609840805000,,,,,,,,
"""
VISIT = Row("uuid:1")


def parse(text: str | bytes) -> list[list[str | None]]:
    return list(client_audit.read(text.encode() if isinstance(text, str) else text))


def keep(lab: Lab, text: str = LOG, row: Row = VISIT) -> None:
    instance = row.instance_id or row.submission_id
    path = lab.folder / "log"
    path.write_text(text, encoding="utf-8", newline="")
    client_audit.create(lab.connection)
    client_audit.store(lab.connection, "central", Instance("essai", row.submission_id, instance), path)


def staged(lab: Lab) -> list[dict[str, Any]]:
    staging.create(lab.connection)
    client_audit.build(lab.connection)
    return lab.rows("from staging.client_audit order by position")


def test_every_event_is_kept_in_order_with_quotes_and_lines_inside(lab: Lab) -> None:
    keep(lab)

    found = lab.rows("select * exclude (observed_at) from raw.client_audit order by position")

    assert [row["position"] for row in found] == [1, 2, 3, 4, 5]
    assert found[1] == {
        "server": "central",
        "form_id": "essai",
        "submission_id": "uuid:1",
        "instance_id": "uuid:1",
        "position": 2,
        "event": "question",
        "node": "/data/g/nom",
        "start": "1609840800500",
        "end": "1609840803000",
        "latitude": "30.42",
        "longitude": "-9.60",
        "accuracy": "12",
        "old_value": "Amina",
        "new_value": 'Amina "B", dite\nMina',
        "user": "Latifa",
        "change_reason": "erreur, corrigée",
        "more": None,
    }


@pytest.mark.parametrize(
    ("text", "event"),
    [
        (b"\xef\xbb\xbfevent,node\r\nquestion,/data/a\r\n", {"event": "question", "node": "/data/a"}),
        ("node,event\n/data/a,question\n", {"event": "question", "node": "/data/a"}),
        ("event,node,start\nquestion\n", {"event": "question"}),
        ("event\nquestion,/data/a,b\n", {"event": "question", "more": '{"2":"/data/a","3":"b"}'}),
        ("event,langue\nquestion,ar\n", {"event": "question", "more": '{"langue":"ar"}'}),
        ("event , node\nquestion,/data/a\n", {"event": "question", "node": "/data/a"}),
        (b"event,node\nquestion,\xff\0\n", {"event": "question", "node": "\ufffd\ufffd"}),
        ('event,node\nquestion,"/data/a\n', {"event": "question", "node": "/data/a\n"}),
    ],
    ids=["BOM and Windows", "other order", "short row", "long row", "new column", "spaces", "not UTF-8", "open quote"],
)
def test_a_log_written_otherwise_is_read_too(text: str | bytes, event: dict[str, str]) -> None:
    (found,) = parse(text)
    names = [*client_audit._KNOWN, "more"]
    assert {name: value for name, value in zip(names, found, strict=True) if value is not None} == event


@pytest.mark.parametrize("text", ["", HEADING, HEADING + "\n\n\n"])
def test_an_empty_log_has_no_event(text: str) -> None:
    assert parse(text) == []


@given(st.binary(max_size=300))
def test_nothing_stops_the_reading_of_a_log(content: bytes) -> None:
    assert all(len(event) == len(client_audit._KNOWN) + 1 for event in parse(content))


def test_a_long_log_is_kept_whole(lab: Lab) -> None:
    keep(lab, "event,node\n" + "".join(f"question,/data/q{n}\n" for n in range(2500)))

    assert lab.column("select count(*) from raw.client_audit where node = '/data/q' || (position - 1)") == [2500]


def test_staging_tells_what_was_asked_and_how_long_it_took_and_nothing_else(lab: Lab) -> None:
    lab.store(VISIT)
    keep(lab)

    found = staged(lab)

    assert [(row["event"], row["question"], row["duration_s"]) for row in found] == [
        ("form start", None, None),
        ("question", "nom", 2.5),
        ("question", "service", 1.25),
        ("group questions", "orientations", 0.75),
        ("form exit", None, None),
    ]
    assert found[1]["start_at"] == datetime.fromisoformat("2021-01-05 10:00:00.500")
    assert [*found[0]] == [*client_audit._COMMENTS]
    kept = str(lab.rows("from staging.client_audit"))
    assert not [secret for secret in ("Amina", "Mina", "Latifa", "corrigée", "30.42", "9.60") if secret in kept]


@pytest.mark.parametrize("moment", ["", "hier", "-5", "99999999999999999", "4102444800001"])
def test_what_is_no_moment_is_empty(lab: Lab, moment: str) -> None:
    lab.store(VISIT)
    keep(lab, f"event,node,start,end\nquestion,/data/a,{moment},1609840803000\n")

    (found,) = staged(lab)
    assert (found["start_at"], found["duration_s"]) == (None, None)


def test_staging_shows_the_version_that_holds_and_no_deleted_submission(lab: Lab) -> None:
    edit = replace(VISIT, instance_id="uuid:2", updated="2021-02-01T08:00:00.000Z")
    lab.store(VISIT)
    keep(lab)
    assert len(staged(lab)) == 5

    lab.store(edit)
    keep(lab, "event\nform start\n", edit)
    assert [row["instance_id"] for row in staged(lab)] == ["uuid:2"]

    lab.store(replace(edit, deleted="2021-03-01T08:00:00.000Z"))
    assert staged(lab) == []


def test_the_table_and_each_column_are_described_in_french(lab: Lab) -> None:
    staged(lab)

    described = "select comment from duckdb_columns() where schema_name = 'staging' and table_name = 'client_audit'"
    assert all(lab.column(described))
    assert lab.column(
        "select comment from duckdb_tables() where table_name = 'client_audit' and schema_name = 'staging'"
    )


def test_another_log_is_another_state(lab: Lab) -> None:
    before = client_audit.state(lab.connection)
    keep(lab)

    assert client_audit.state(lab.connection) != before
    assert client_audit.state(lab.connection) == client_audit.state(lab.connection)


def test_a_log_lost_with_its_folder_is_not_read_as_empty(lab: Lab, tmp_path: Path) -> None:
    client_audit.create(lab.connection)
    with pytest.raises(FileNotFoundError):
        client_audit.store(lab.connection, "central", Instance("essai", "uuid:1", "uuid:1"), tmp_path / "absent")
