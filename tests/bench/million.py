"""From raw to 33 indicators, beside the least that DuckDB could do: `python -m tests.bench.million VISITS`.

The reference reads the same JSON once into typed tables, in a database file as DuckDB makes it by itself, then
answers the 33 questions by hand-written SQL (`direct.sql`), one value each, on the finished marts. Our own file's
format writes faster: the time it needs to type the same JSON is printed too.
"""

import json
import resource
import sys
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from tests.bench import population
from tests.bench.clock import best, say, timed
from tpm_pipeline import jobs
from tpm_pipeline.indicators import compute, logframe
from tpm_pipeline.indicators.calendar import today
from tpm_pipeline.records import AnswerType, FormSchema, Table
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings, load
from tpm_pipeline.warehouse import build, db, privacy, staging

_TYPES: Mapping[AnswerType, str] = {
    "integer": "BIGINT",
    "decimal": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "time": "TIME",
}
_DIRECT = Path(__file__).with_name("direct.sql")


def main(visits: int, store: Path) -> None:
    """Print the table for so many visits, copied from a local server's store."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), memory_limit=load().memory_limit)
        with db.warehouse(settings) as connection:
            rows = population.fill(connection, LocalServer(store), Path(folder), visits)
        with db.warehouse(settings) as connection:
            say(f"{visits:,} visits", f"{rows:,} submissions with their follow-ups")
            db.attach(connection, Path(folder) / "reference.duckdb", "plain")
            _measure(connection, settings)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        say("  most memory", f"{peak:7.2f} GB  with TPM_MEMORY_LIMIT={settings.memory_limit}")


def _measure(connection: db.Connection, settings: Settings) -> None:
    framework, forms, pads = logframe.read(), build.schemas(connection, jobs.form_ids()), privacy.pads(settings)
    typing = sum(type_once(connection, form, "plain.main") for form in forms)
    here = sum(type_once(connection, form, "raw") for form in forms)
    say("  typing the JSON once", f"{typing:7.2f} s   {here:.2f} s in the warehouse's own format")
    whole = timed(lambda: build.build(connection, forms, pads))
    staged = timed(lambda: [staging.build(connection, form, pads) for form in forms])
    say("  raw → staging", f"{staged:7.2f} s   {staged / typing:.2f} × typing")
    say("  staging → marts", f"{whole - staged:7.2f} s")
    computed = timed(lambda: compute.compute(connection, framework, today()))
    say("  33 indicators, every part", f"{computed:7.2f} s")
    start, end = framework.project.start, framework.project.end - timedelta(days=1)
    questions = direct(start, end)
    asked = best(lambda: [connection.execute(sql).fetchall() for sql in questions.values()], rounds=2)
    say("  33 figures by direct SQL", f"{asked:7.2f} s")
    ours, theirs = whole + computed, typing + asked
    say("  raw → indicators", f"{ours:7.2f} s   {ours / theirs:.2f} × ({theirs:.2f} s)   wanted: ≤ 2.5 ×")
    say("", f"            {ours / (here + asked):.2f} × if typed in the warehouse's own format")


def type_once(connection: db.Connection, form: FormSchema, place: str) -> float:
    """Seconds that DuckDB needs to read a form's answers into a table of its own, every answer in its type."""
    structure = db.literal(json.dumps(_structure(form.root), ensure_ascii=False))
    taken = timed(
        lambda: connection.execute(
            f"create or replace table {place}.once as select from_json(payload, {structure}) as answers"
            f" from raw.submission where form_id = '{form.form_id}'"
        )
    )
    connection.execute(f"drop table {place}.once")
    return taken


def _structure(table: Table) -> dict[str, object]:
    tree: dict[str, object] = {}
    depth = len(table.path)
    leaves: list[tuple[tuple[str, ...], object]] = [
        (question.path, _TYPES.get(question.type, "VARCHAR")) for question in table.questions
    ]
    leaves += [(repeat.path, [_structure(repeat)]) for repeat in table.repeats]
    for path, leaf in leaves:
        branch = tree
        for group in path[depth:-1]:
            inner = branch.setdefault(group, {})
            branch = inner if isinstance(inner, dict) else {}
        branch[path[-1]] = leaf
    return tree


def direct(start: date, end: date) -> dict[str, str]:
    """The hand-written query of each indicator, from the first day to the last."""
    _, *parts = _DIRECT.read_text(encoding="utf-8").split("\n-- ")
    found = (part.partition("\n") for part in parts)
    return {
        code: sql.replace("$debut", f"date '{start}'").replace("$fin", f"date '{end}'").rstrip().rstrip(";")
        for code, _, sql in found
    }


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
