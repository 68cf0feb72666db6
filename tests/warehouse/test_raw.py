"""Raw: every version of every submission ever seen, appended and never changed."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.lab import DIALECTS, Kind, Lab, Row, form, page
from tpm_pipeline.records import FormVersion, Page
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw, sweeps

LATER = "2021-02-01T08:00:00.000Z"
VISIT = Row("uuid:1", {"g": {"nom": "Amina"}, "services": "a b", "vide": None})
KINDS: list[Kind] = ["central", "local"]

RAW = "select * exclude (payload, observed_at) from raw.submission order by pull_id, submission_id"


def current(lab: Lab) -> list[tuple[Any, ...]]:
    return lab.connection.execute(
        "select submission_id, json_extract_string(payload, '$.x'), review_state, deleted_at is not null"
        " from raw.current order by 1"
    ).fetchall()


@pytest.mark.parametrize("kind", KINDS)
def test_a_submission_is_kept_with_what_its_server_says_of_it(lab: Lab, kind: Kind) -> None:
    row = replace(
        VISIT, instance_id="uuid:2", version="7", updated="2021-02-01T08:00:00.000+01:00", review="has_issues"
    )
    assert lab.store(row, kind=kind, server="https://odk.example.org") == 1
    (kept,) = lab.rows("select * exclude (payload, payload_hash, observed_at, pull_id) from raw.submission")
    assert kept == {
        "server": "https://odk.example.org",
        "form_id": "essai",
        "submission_id": "uuid:1",
        "instance_id": "uuid:2",
        "form_version": "7",
        "submitted_at": datetime.fromisoformat("2021-01-05 10:00:00"),
        "updated_at": datetime.fromisoformat("2021-02-01 07:00:00"),
        "review_state": "has_issues",
        "deleted_at": None,
        "is_sealed": False,
        "nb_files": 0 if kind == "central" else None,
    }


OTHER_ANSWERS = [
    {"g": {"nom": "Aicha"}, "services": "a b", "vide": None},
    {"g": {"nom": None}, "services": "a b", "vide": None},
    {"g": {"nom": "Amina"}, "services": "a b", "vide": None, "orientations": [{"s": "a"}]},
]


@pytest.mark.parametrize("answers", OTHER_ANSWERS)
def test_other_answers_are_appended_once(lab: Lab, answers: dict[str, Any]) -> None:
    changed = replace(VISIT, answers=answers, updated=LATER)
    assert [lab.store(row, kind="local") for row in (VISIT, changed, changed, VISIT)] == [1, 1, 0, 1]


@pytest.mark.parametrize("answers", OTHER_ANSWERS)
def test_central_writing_the_same_instance_otherwise_is_no_edit(lab: Lab, answers: dict[str, Any]) -> None:
    assert [lab.store(row) for row in (VISIT, replace(VISIT, answers=answers))] == [1, 0]
    assert lab.store(replace(VISIT, answers=answers, instance_id="uuid:9")) == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "change",
    [
        {"review": "approved"},
        {"deleted": LATER},
        {"version": "2"},
        {"instance_id": "uuid:9"},
    ],
)
def test_what_changed_is_appended_once(lab: Lab, kind: Kind, change: dict[str, Any]) -> None:
    changed = replace(VISIT, updated=LATER, **change)
    assert lab.store(VISIT, kind=kind) == 1
    assert lab.store(changed, kind=kind) == 1
    assert lab.store(changed, kind=kind) == 0
    assert lab.store(replace(changed, **{name: getattr(VISIT, name) for name in change}), kind=kind) == 1
    assert lab.column("select count(*) from raw.submission") == [3]
    assert lab.column("select count(*) from raw.current") == [1]


@pytest.mark.parametrize("kind", KINDS)
def test_an_update_that_changes_nothing_adds_nothing(lab: Lab, kind: Kind) -> None:
    assert lab.store(VISIT, kind=kind) == 1
    assert lab.store(VISIT, kind=kind) == 0
    assert lab.store(replace(VISIT, updated=LATER), kind=kind) == 0
    assert lab.column("select count(*) from raw.submission") == [1]


def test_a_page_may_hold_a_submission_twice_and_the_latest_is_believed(lab: Lab) -> None:
    edited = replace(VISIT, answers={"x": "new"}, instance_id="uuid:9", updated=LATER)
    assert lab.store(edited, VISIT, replace(edited, answers={"x": "older"}, updated="2021-01-20T00:00:00Z")) == 1
    assert current(lab) == [("uuid:1", "new", "received", False)]


def test_an_empty_page_moves_the_cursor(lab: Lab) -> None:
    assert raw.cursor(lab.connection, "central", "essai") is None
    assert lab.store(cursor="12") == 0
    assert raw.cursor(lab.connection, "central", "essai") == "12"


def test_each_form_of_each_server_has_its_own_cursor_and_rows(lab: Lab) -> None:
    lab.store(VISIT, server="one", cursor="1")
    lab.store(VISIT, server="two", cursor="2")
    lab.store(VISIT, server="one", form_id="autre", cursor="3")
    found = [raw.cursor(lab.connection, *key) for key in (("one", "essai"), ("two", "essai"), ("one", "autre"))]
    assert found == ["1", "2", "3"]
    assert lab.column("select count(*) from raw.submission") == [3]


def test_a_submission_that_reached_two_servers_counts_once(lab: Lab) -> None:
    lab.store(VISIT, server="one", cursor="1")
    lab.store(VISIT, server="two", cursor="1")
    assert lab.column("select server from raw.current") == ["two"]


def test_rows_and_cursor_are_stored_together_or_not_at_all(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.store(VISIT, cursor="1")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(raw, "insert", interrupted)
        with pytest.raises(KeyboardInterrupt):
            lab.store(replace(VISIT, review="approved"), Row("uuid:2"), cursor="2")
    assert lab.column("select count(*) from raw.submission") == [1]
    assert raw.cursor(lab.connection, "central", "essai") == "1"
    assert lab.store(replace(VISIT, review="approved"), Row("uuid:2"), cursor="2") == 2


def test_a_page_cut_in_the_middle_stores_nothing(lab: Lab) -> None:
    whole = page(lab.folder, [VISIT, Row("uuid:2")], "2")
    whole.path.write_bytes(whole.path.read_bytes()[:-30])
    with pytest.raises(db.QueryError):
        raw.store(lab.connection, "central", "essai", DIALECTS["central"], [whole])
    assert lab.column("select count(*) from raw.submission") == [0]
    assert raw.cursor(lab.connection, "central", "essai") is None


def test_a_page_in_parts_is_stored_whole_or_not_at_all(lab: Lab) -> None:
    def parts(*, cut: bool) -> Iterator[Page]:
        for n in range(3):
            yield replace(page(lab.folder, [Row(f"uuid:{n}"), Row(f"uuid:too {n}")]), cursor=None)
        if cut:
            raise KeyboardInterrupt
        yield page(lab.folder, [Row("uuid:3")], "4")

    with pytest.raises(KeyboardInterrupt):
        raw.store(lab.connection, "central", "essai", DIALECTS["central"], parts(cut=True))
    assert lab.column("select count(*) from raw.submission") == [0]

    stored = raw.store(lab.connection, "central", "essai", DIALECTS["central"], parts(cut=False))

    assert (stored.seen, stored.written, len(stored.pulls)) == (7, 7, 4)
    assert raw.cursor(lab.connection, "central", "essai") == "4"
    assert list(lab.folder.iterdir()) == []


def test_raw_as_of_a_moment_is_what_was_known_then(lab: Lab) -> None:
    moments = []
    for answer in ("first", "second", "third"):
        lab.store(replace(VISIT, answers={"x": answer}, instance_id=answer))
        (moment,) = lab.column("select max(observed_at) from raw.submission")
        moments.append(moment)
    known = [
        lab.column("select json_extract_string(payload, '$.x') from raw.as_of(?::timestamp)", moment)
        for moment in [moments[0] - timedelta(seconds=1), *moments]
    ]
    assert known == [[], ["first"], ["second"], ["third"]]


def test_versions_are_kept_once_oldest_first(lab: Lab) -> None:
    table = "| type | name | privacy |\n| text | a | public |"
    first, second, third = (form(table, version) for version in ("b", "a", "c"))
    assert raw.store_versions(lab.connection, "central", [first, second]) == 2
    assert raw.store_versions(lab.connection, "central", [first, second, third]) == 1
    assert raw.store_versions(lab.connection, "local", [third]) == 1
    assert raw.form_versions(lab.connection, "essai") == [first, second, third]
    assert raw.form_versions(lab.connection, "autre") == []


def test_what_is_remembered_of_a_form_is_asked_for_at_once(lab: Lab) -> None:
    key = ("central", "essai")
    assert raw.known(lab.connection, *key, ["1"]) == raw.Known(
        None, has_versions=False, swept_at=None, is_followed=True
    )

    lab.deploy(form("| type | name | privacy |\n| text | a | public |"))
    lab.store(VISIT, cursor="12")
    sweeps.remember(lab.connection, *key, None, sweeps.Difference((), ()))
    known = raw.known(lab.connection, *key, ["1"])

    assert (known.cursor, known.has_versions, known.is_followed) == ("12", True, False)
    assert not known.is_due(timedelta(days=1))
    assert known.is_due(timedelta(0))
    assert raw.known(lab.connection, "central", "autre", ["1"]).is_due(timedelta(days=1))
    assert not raw.known(lab.connection, *key, ["1", "2"]).has_versions

    raw.remember_followed(lab.connection, *key)
    assert raw.known(lab.connection, *key, ["1"]).is_followed
    lab.store(replace(VISIT, review="approved"), cursor="13")
    assert not raw.known(lab.connection, *key, ["1"]).is_followed


def test_the_state_changes_with_every_new_row_and_only_then(lab: Lab) -> None:
    states = [raw.state(lab.connection)]
    for store in (
        lambda: lab.store(VISIT),
        lambda: lab.store(replace(VISIT, review="approved")),
        lambda: lab.deploy(form("| type | name | privacy |\n| text | a | public |")),
    ):
        store()
        states.append(raw.state(lab.connection))
    lab.store(replace(VISIT, review="approved"))
    assert len(set(states)) == 4
    assert raw.state(lab.connection) == states[-1]


def test_what_was_built_last_is_remembered(lab: Lab) -> None:
    assert raw.last_done(lab.connection, "build") is None
    raw.remember_done(lab.connection, "build", "one")
    raw.remember_done(lab.connection, "build", "two")
    raw.remember_done(lab.connection, "publish", "one")
    assert raw.last_done(lab.connection, "build") == "two"
    assert raw.last_done(lab.connection, "publish") == "one"


def test_a_server_that_lists_old_versions_late_does_not_make_them_new(lab: Lab) -> None:
    first, second = FormVersion("f", "1", b"<a/>"), FormVersion("f", "2", b"<b/>")
    raw.store_versions(lab.connection, "local", [second])
    raw.store_versions(lab.connection, "central", [first, second])
    assert [version.version for version in raw.form_versions(lab.connection, "f")] == ["1", "2"]


IDS = st.sampled_from(["uuid:1", "uuid:2", "uuid:3"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), IDS),
        st.tuples(st.just("edit"), IDS, st.sampled_from(["α", "β", ""])),
        st.tuples(st.just("review"), IDS, st.sampled_from(["approved", "rejected", "has_issues"])),
        st.tuples(st.just("delete"), IDS),
        st.tuples(st.just("restore"), IDS),
        st.tuples(st.just("pull"), st.booleans()),
        st.just(("repeat",)),
    ),
    max_size=25,
)


def apply(server: dict[str, Row], step: tuple[Any, ...], clock: int) -> None:
    """Let one thing happen to a submission on the server."""
    action, key = step[0], step[1]
    row, now = server.get(key), f"2021-03-01T00:00:{clock:02}.000Z"
    if action == "create":
        server.setdefault(key, Row(key, {"x": "first"}, submitted=now))
    elif row is not None and action == "edit":
        server[key] = replace(row, answers={"x": step[2]}, instance_id=f"{key}-{clock}", updated=now, review="edited")
    elif row is not None and action == "review":
        server[key] = replace(row, review=step[2], updated=now)
    elif row is not None:
        server[key] = replace(row, deleted=now if action == "delete" else None)


@given(steps=STEPS, kind=st.sampled_from(KINDS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_and_whenever_it_is_pulled_raw_ends_like_the_server(
    tmp_path: Path, steps: list[tuple[Any, ...]], kind: Kind
) -> None:
    server: dict[str, Row] = {}
    pulled: dict[str, Row] = {}
    last: list[Row] = []
    with db.memory() as connection:
        raw.create(connection)
        lab = Lab(connection, tmp_path)
        before = lab.rows(RAW)
        for clock, step in enumerate([*steps, ("pull", True)]):
            if step[0] == "pull":
                # An incremental pull repeats some of what was seen before; a whole one repeats it all.
                last = [row for key, row in server.items() if step[1] or pulled.get(key) != row]
                pulled = dict(server)
            elif step[0] != "repeat":
                apply(server, step, clock)
            if step[0] in ("pull", "repeat"):
                changed = lab.store(*last, kind=kind)
                after = lab.rows(RAW)
                assert after[: len(before)] == before
                assert len(after) == len(before) + changed
                assert changed == 0 or step[0] == "pull"
                before = after
                expected = [(r.submission_id, r.answers["x"], r.review, bool(r.deleted)) for r in pulled.values()]
                assert current(lab) == sorted(expected)


PULL = """
import sys
from pathlib import Path
from tests.warehouse.lab import DIALECTS, Row, page
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, raw, sweeps
folder = Path(sys.argv[1])
with db.warehouse(Settings(data=folder / "data")) as connection:
    raw.create(connection)
    for number in range(int(raw.cursor(connection, "s", "essai") or 0), 4):
        rows = [Row(f"uuid:{i}", {"x": "y" * 80}, f"{number // 2} {i}") for i in range(number % 2 * 2000, 4000)]
        sent = page(folder, rows, str(number + 1))
        print("storing", flush=True)
        raw.store(connection, "s", "essai", DIALECTS["central"], [sent])
"""


def content(folder: Path) -> tuple[list[Any], str | None]:
    with db.warehouse(Settings(data=folder / "data")) as connection:
        found = "select submission_id, payload_hash from raw.submission order by all"
        return connection.execute(found).fetchall(), raw.cursor(connection, "s", "essai")


@pytest.mark.parametrize("delay_ms", [0, 30])
def test_a_pull_killed_at_any_moment_and_run_again_ends_the_same(tmp_path: Path, delay_ms: int) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    subprocess.run([sys.executable, "-c", PULL, str(whole)], check=True, capture_output=True)
    process = subprocess.Popen([sys.executable, "-c", PULL, str(cut)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        for _ in range(2):
            assert process.stdout.readline() == "storing\n"
        time.sleep(delay_ms / 1000)
        process.kill()
    assert content(cut)[1] in ("1", "2")
    subprocess.run([sys.executable, "-c", PULL, str(cut)], check=True, capture_output=True)
    assert content(cut) == content(whole)


def test_a_server_is_remembered_once_with_the_way_it_writes(lab: Lab) -> None:
    for kind in (*KINDS, *KINDS):
        lab.store(Row("uuid:1"), kind=kind, server=f"https://{kind}.example.org")
    assert lab.connection.execute("from raw.server order by all").fetchall() == [
        ("https://central.example.org", "central", False),
        ("https://local.example.org", "local", False),
    ]
